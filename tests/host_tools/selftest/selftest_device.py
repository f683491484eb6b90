"""firmware_cpp/boards/selftest on emulated boards, for the tests of boards and emulators."""

import contextlib
import fcntl
import functools
from collections.abc import Iterator
from pathlib import Path

from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.selftest import command
from squeezenet_mcu.host_tools.selftest.device import SelftestDevice

ROOT = Path(__file__).resolve().parents[3]


@functools.cache
def elf(board: str) -> Path:
    """The selftest program for `board`, built on first use; processes take turns."""
    folder = ROOT / "build" / "tests" / "selftest" / board
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        settings = board_toml.load(board)
        return build.compile_target(settings, folder, "selftest", command.options(settings))


@contextlib.contextmanager
def booted(board: str) -> Iterator[SelftestDevice]:
    """The selftest program, running on the emulated board."""
    with emulator.running(board, elf(board)) as url:
        device = SelftestDevice(url)
        with contextlib.closing(device):
            yield device
