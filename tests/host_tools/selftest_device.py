"""firmware_cpp/boards/selftest on emulated boards, for the tests of boards and emulators."""

import contextlib
import fcntl
import functools
import struct
from collections.abc import Iterator
from pathlib import Path

import serial

from host_tools import boards, emulator, firmware

ROOT = Path(__file__).resolve().parents[2]
_PING_TIMEOUT = 0.2  # seconds; what is sent before the UART is on gets lost
_TIMEOUT = 20.0  # seconds; generous, because other programs share the machine


@functools.cache
def elf(board: str) -> Path:
    """The selftest program for `board`, built on first use; processes take turns."""
    folder = ROOT / "build" / "tests" / "selftest" / board
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return firmware.compile_target(boards.load(board), folder, "selftest")


class Selftest:
    """The program's commands."""

    def __init__(self, url: str) -> None:
        self.line = serial.serial_for_url(url, timeout=_PING_TIMEOUT, write_timeout=_TIMEOUT)
        for _ in range(100):
            self.line.write(b"n")
            if self.line.readline():
                break
        self.line.timeout = _PING_TIMEOUT
        while self.line.readline():
            pass
        self.line.timeout = _TIMEOUT

    def ask(self, command: str, number: int | None = None, payload: bytes = b"") -> list[str]:
        """Sends a command with what belongs to it; the words of the line that comes back."""
        self.line.write(
            command.encode() + (struct.pack("<I", number) if number is not None else b"") + payload
        )
        return self.line.readline().decode().split()

    def numbers(self, command: str, number: int | None = None, payload: bytes = b"") -> list[int]:
        """As ask(), without the label in front."""
        return [int(word) for word in self.ask(command, number, payload)[1:]]


@contextlib.contextmanager
def booted(board: str) -> Iterator[Selftest]:
    """The selftest program, running on the emulated board."""
    with emulator.running(board, elf(board)) as url:
        device = Selftest(url)
        with contextlib.closing(device.line):
            yield device
