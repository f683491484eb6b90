"""Bytes to and from the device, over any pyserial URL: /dev/ttyACM0, COM5, socket://host:port, a pty."""

import contextlib
import io
import os
import select
import socket
from types import TracebackType
from typing import Protocol

import serial
from serial.tools import list_ports

from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.host_tools.link import port_url
from squeezenet_mcu.host_tools.link.errors import LinkTimeoutError, PortError

BAUDRATE = 115200
MOST_BAUD = 100_000_000
_WRITE_TIMEOUT = 10.0  # seconds; a device that takes nothing for so long is stuck
_CHUNK = 4096
_POLL = 0.02  # seconds between looks where a port cannot be waited for


class Transport(Protocol):
    """What the link needs of a line."""

    name: str

    def read(self, timeout: float) -> bytes:
        """Waits up to `timeout` seconds for bytes; returns those that are there, b"" if none came."""
        ...

    def write(self, data: bytes) -> None:
        """Sends all of `data`."""
        ...

    def close(self) -> None:
        """Ends the use of the line."""
        ...


def change_rate(line: Transport, baudrate: int) -> bool:
    """Gives a line another baud rate, by its method set_baudrate(), if it has one; False: it cannot."""
    change = getattr(line, "set_baudrate", None)
    return bool(change is not None and change(baudrate))


def ports() -> str:
    """The serial ports of this machine, for an error message."""
    found = [
        port.device if port.description in ("n/a", "") else f"{port.device} ({port.description})"
        for port in sorted(list_ports.comports())
        # A PC's own ttyS0 to ttyS31 are listed whether or not anything is behind them.
        if port.hwid != "n/a" or not port.device.startswith("/dev/ttyS")
    ]
    return f"ports here: {', '.join(found)}" if found else "no serial ports were found here"


class SerialTransport:
    """A pyserial port. Raises PortError where it cannot be opened, or goes away."""

    def __init__(self, url: str, baudrate: int = BAUDRATE) -> None:
        """Opens `url`; `baudrate` matters to real UARTs only."""
        self.name = url
        port_url.check(url)
        if not 1 <= baudrate <= MOST_BAUD:
            raise PortError(f"{url}: baud rate {baudrate}; want 1 to {MOST_BAUD:,}")
        try:
            self._port = serial.serial_for_url(
                url, baudrate=baudrate, timeout=0, write_timeout=_WRITE_TIMEOUT, exclusive=True
            )
        except (serial.SerialException, ValueError, TypeError, OSError) as error:
            raise PortError(why(url, error)) from error
        self._waitable = self._find_waitable()
        self._disable_nagle()
        # A socket's is empty, and pyserial would empty it for as long as bytes arrive: for ever.
        if not url.startswith("socket://"):
            with contextlib.suppress(serial.SerialException, OSError):
                self._port.reset_input_buffer()

    def __enter__(self) -> "SerialTransport":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _find_waitable(self) -> bool:
        """True where select() can wait for the port; not for COM ports and loop://."""
        if os.name == "nt" and not self.name.startswith("socket://"):
            return False
        try:
            return self._port.fileno() >= 0
        except (io.UnsupportedOperation, AttributeError, OSError):
            return False

    def _disable_nagle(self) -> None:
        """Small frames leave at once: with Nagle's algorithm each would wait for the answer to the last."""
        if not self.name.startswith("socket://"):
            return
        with socket.fromfd(self._port.fileno(), socket.AF_INET, socket.SOCK_STREAM) as duplicate:
            duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, timeout: float) -> bytes:
        """See Transport."""
        try:
            if self._waitable:
                ready, _, _ = select.select([self._port.fileno()], [], [], timeout)
                return self._port.read(_CHUNK) if ready else b""
            self._port.timeout = min(timeout, _POLL)
            return self._port.read(max(1, self._port.in_waiting))
        except (serial.SerialException, OSError, ValueError, TypeError) as error:
            raise self._gone(error) from error

    def write(self, data: bytes) -> None:
        """See Transport."""
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkTimeoutError(
                f"{self.name}: no byte was taken for {_WRITE_TIMEOUT:.0f} s; reset the board and try again"
            ) from error
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error

    def set_baudrate(self, baudrate: int) -> bool:
        """See change_rate(). It may damage bytes that are on their way. A socket takes any, and has none."""
        before = self._port.baudrate
        try:
            self._port.baudrate = baudrate
        except (serial.SerialException, OSError, ValueError, TypeError):
            with contextlib.suppress(serial.SerialException, OSError, ValueError, TypeError):
                self._port.baudrate = before
            return False
        return True

    def close(self) -> None:
        """See Transport."""
        with contextlib.suppress(serial.SerialException, OSError):
            self._port.close()

    def _gone(self, error: Exception) -> PortError:
        return PortError(
            f"{self.name}: the connection broke ({_line(error)}); plug the device in again, or restart it"
        )


def _line(error: Exception) -> str:
    return one_line(str(error))


def why(url: str, error: Exception) -> str:
    """One line for a port that does not open: what is the matter, and what to do."""
    text = _line(error)
    number = getattr(error, "errno", None)
    if "://" in url:
        return _why_url(url, text)
    if number == 2 or "FileNotFoundError" in text or "No such file" in text:
        return f"{url}: no such serial port; {ports()}; plug the board in, or emulate one: --board stm32f405"
    if number == 13 or "PermissionError" in text or "Permission denied" in text:
        return (
            f"{url}: no permission; add yourself to the group that owns it (often dialout) and log in again"
        )
    if "exclusively lock" in text or number in (11, 16):
        return f"{url}: in use by another program; close it (a serial monitor?) and try again"
    return f"{url}: cannot be opened as a serial port ({text}); {ports()}"


def _why_url(url: str, text: str) -> str:
    """`text`: pyserial's."""
    if url.startswith("rfc2217://"):
        what = "does not speak RFC 2217" if "RFC2217" in text else text.partition(": ")[2] or text
        return f"{url}: no connection ({what}); check host and port, and that a serial server runs there"
    return f"{url}: no connection ({text}); start the emulator (make simulate), or check host and port"
