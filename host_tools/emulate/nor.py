"""The flash of an emulated board that takes new models: a file, which outlives the emulator.

QEMU (7.2) puts the PSRAM of an MPS2 into it; firmware_cpp/boards/flash/nor_in_ram.cc has the rules of a NOR
flash.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board

DRIVER = "nor_in_ram"
BYTES = 16 << 20  # the PSRAM
_ERASED = b"\xff"


def arguments(board: Board, path: Path) -> list[str]:
    """The emulator's more arguments that give it the flash in `path`, made as a factory leaves it if need be.

    Empty where the board's emulator has no such flash: then new models are lost with it.
    """
    if board.update is None or board.update.driver != DRIVER:
        return []
    if not path.is_file() or path.stat().st_size != BYTES:
        first = min(slot.address for slot in board.update.slots)
        erased = max(slot.end for slot in board.update.slots) - first
        with files.replacing(path) as temporary, temporary.open("wb") as stream:
            stream.write(_ERASED * erased)
            stream.truncate(BYTES)
    # A comma ends the path for QEMU, two are one of its own.
    name = str(path.resolve()).replace(",", ",,")
    return [
        "-object",
        f"memory-backend-file,id=nor,size={BYTES},mem-path={name},share=on",
        "-machine",
        "memory-backend=nor",
    ]


@contextlib.contextmanager
def taken(path: Path) -> Iterator[None]:
    """The flash in `path` is this program's alone, as long as the context. UserError: another one has it."""
    lock = filelock.FileLock(path.with_name(f"{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UserError(
            f"{path}: another emulated board has this flash; end it (make simulate, make upload), "
            "then try again"
        ) from None
    try:
        yield
    finally:
        lock.release()


def boards() -> list[str]:
    """The emulated boards that keep new models."""
    found = (board_toml.load(name) for name in board_toml.emulated())
    return [board.name for board in found if board.update is not None and board.update.driver == DRIVER]
