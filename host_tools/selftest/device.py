"""A board that runs firmware_cpp/boards/selftest: its one-letter commands over a serial line."""

import struct

import serial

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.link.transport import BAUDRATE

RING_BYTES = 2048  # kUartRingBytes of firmware_cpp/boards/board.h
_PING_TIMEOUT = 0.2  # seconds; what is sent before the UART is on gets lost
_PINGS = 100
_TIMEOUT = 20.0  # seconds; generous, because other programs share the machine of an emulator


class SelftestDevice:
    """The program's commands; firmware_cpp/boards/selftest/main.cc lists them."""

    def __init__(self, url: str) -> None:
        """Opens the line and waits for the program to answer. UserError: no such port, or nobody answers."""
        try:
            self.line = serial.serial_for_url(url, BAUDRATE, timeout=_PING_TIMEOUT, write_timeout=_TIMEOUT)
        except (serial.SerialException, ValueError) as error:
            raise UserError(f"{url}: {error}") from error
        for _ in range(_PINGS):
            self.line.write(b"n")
            if self.line.readline():
                break
        else:
            self.line.close()
            raise UserError(f"{url}: no answer; is the selftest in its flash, and RX wired to TX?")
        while self.line.readline():
            pass
        self.line.timeout = _TIMEOUT

    def close(self) -> None:
        """Ends the use of the line."""
        self.line.close()

    def ask(self, command: str, number: int | None = None, payload: bytes = b"") -> list[str]:
        """Sends a command with what belongs to it; the words of the line that comes back."""
        self.line.write(
            command.encode() + (struct.pack("<I", number) if number is not None else b"") + payload
        )
        return self.line.readline().decode(errors="replace").split()

    def numbers(self, command: str, number: int | None = None, payload: bytes = b"") -> list[int]:
        """As ask(), without the label in front."""
        return [int(word) for word in self.ask(command, number, payload)[1:]]

    def echo(self, data: bytes) -> bytes:
        """What comes back of `data`."""
        self.line.write(b"e" + struct.pack("<I", len(data)) + data)
        return self.line.read(len(data))

    def withheld(self, size: int) -> list[int]:
        """Sends `size` bytes that the program leaves to the ring; its state then: held, free, lost so far."""
        if self.ask("w", size) != ["ready"]:
            return [0, 0, 0]
        self.line.write(bytes(size))
        return [int(word) for word in self.line.readline().split()[1:]]

    def fault(self, command: str = "f", number: int | None = None) -> str:
        """Has the program fault; the report's line."""
        self.ask(command, number)  # up to the line's end in front of the report
        return self.line.readline().decode(errors="replace").strip()
