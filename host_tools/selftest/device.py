"""A board that runs firmware_cpp/boards/selftest: its one-letter commands over a serial line."""

import math
import struct
import time

import serial

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.link import port_url
from squeezenet_mcu.host_tools.link.errors import PortError
from squeezenet_mcu.host_tools.link.transport import BAUDRATE, why

RING_BYTES = 2048  # kUartRingBytes of firmware_cpp/boards/board.h
_PING_TIMEOUT = 0.2  # seconds; what is sent before the UART is on gets lost
_OPEN_TIMEOUT = 6.0  # seconds until the program answers and is quiet
_TIMEOUT = 20.0  # seconds; generous, because other programs share the machine of an emulator
_POLL = 0.1  # seconds between looks at the clock
_MOST_LINE = 500  # bytes; what is longer is none of the program's lines


class SelftestDevice:
    """The program's commands; firmware_cpp/boards/selftest/main.cc lists them.

    UserError: no such port, nobody answers, or the connection broke.
    """

    def __init__(self, url: str, whole: float = math.inf) -> None:
        """Opens the line and waits for the program to answer.

        `whole`: seconds for all that it is asked, however it answers; later nothing is waited for.
        """
        self._url = url
        self._end = time.monotonic() + whole
        self.heard = ""  # the last line, for messages
        port_url.check(url)
        try:
            self.line = serial.serial_for_url(url, BAUDRATE, timeout=_TIMEOUT, write_timeout=_TIMEOUT)
        except (serial.SerialException, ValueError, TypeError, OSError) as error:
            raise PortError(why(url, error)) from error
        try:
            self._wake()
        except UserError:
            self.line.close()
            raise

    def _wake(self) -> None:
        deadline = time.monotonic() + _OPEN_TIMEOUT
        self._write(b"n")
        while not self._read_line(_PING_TIMEOUT):
            if time.monotonic() > deadline:
                raise UserError(f"{self._url}: no answer; is the selftest in its flash, and RX wired to TX?")
            self._write(b"n")
        self.settle()

    def settle(self) -> None:
        """Waits until it says nothing more. UserError: it does not come to an end."""
        deadline = time.monotonic() + _OPEN_TIMEOUT
        while self._read_line(_PING_TIMEOUT):
            if time.monotonic() > deadline:
                raise UserError(f"{self._url}: it talks without an end; is the selftest in its flash?")

    def close(self) -> None:
        """Ends the use of the line."""
        self.line.close()

    def ask(self, command: str, number: int | None = None, payload: bytes = b"") -> list[str]:
        """Sends a command with what belongs to it; the words of the line that comes back."""
        self._write(command.encode() + (struct.pack("<I", number) if number is not None else b"") + payload)
        return self._read_line().split()

    def numbers(self, command: str, number: int | None = None, payload: bytes = b"") -> list[int]:
        """As ask(), without the label in front. ValueError: the words are no numbers."""
        return [int(word) for word in self.ask(command, number, payload)[1:]]

    def echo(self, data: bytes) -> bytes:
        """What comes back of `data`."""
        self._write(b"e" + struct.pack("<I", len(data)) + data)
        return self._read(len(data), _TIMEOUT)

    def withheld(self, size: int) -> list[int]:
        """Sends `size` bytes that the program leaves to the ring; its state then: held, free, lost so far."""
        if self.ask("w", size) != ["ready"]:
            return [0, 0, 0]
        self._write(bytes(size))
        return [int(word) for word in self._read_line().split()[1:]]

    def fault(self, command: str = "f", number: int | None = None) -> str:
        """Has the program fault; the report's line."""
        self.ask(command, number)  # up to the line's end in front of the report
        return self._read_line().strip()

    def restarted(self) -> list[int]:
        """What it says when it has started again after a fault: why (a number), how many faults it kept.

        Empty: it does not answer.
        """
        deadline = time.monotonic() + _OPEN_TIMEOUT
        while time.monotonic() < min(deadline, self._end):
            self._write(b"l")
            words = self._read_line(_PING_TIMEOUT).strip("\0").split()
            if words[:1] == ["reset"]:
                return [int(word) for word in words[1:]]
        return []

    def _write(self, data: bytes) -> None:
        try:
            self.line.write(data)
        except (serial.SerialException, OSError) as error:
            raise self._broken(error) from error

    def _read_line(self, seconds: float = _TIMEOUT) -> str:
        self.heard = self._read(_MOST_LINE, seconds, b"\n").decode("ascii", "replace")
        return self.heard

    def _read(self, size: int, seconds: float, end: bytes = b"") -> bytes:
        """What comes within `seconds`, of `size` bytes or of those up to `end`."""
        deadline = min(time.monotonic() + seconds, self._end)
        data = bytearray()
        try:
            self.line.timeout = _POLL
            while len(data) < size and time.monotonic() < deadline:
                data += self.line.read(1 if end else size - len(data))
                if end and data.endswith(end):
                    break
            self.line.timeout = _TIMEOUT
        except (serial.SerialException, OSError) as error:
            raise self._broken(error) from error
        return bytes(data)

    def _broken(self, error: Exception) -> UserError:
        why = terminal.one_line(str(error))
        return UserError(f"{self._url}: the connection broke ({why}); plug the board in again, or restart it")
