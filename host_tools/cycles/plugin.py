"""The plugin that counts blocks in QEMU: built where it is needed, and passed to an emulated board."""

import contextlib
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import tool_build
from squeezenet_mcu.common.programs import missing_program
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.cycles import counts
from squeezenet_mcu.host_tools.cycles.counts import Block

SOURCE = Path(__file__).resolve().parent / "qemu_plugin" / "block_counts.c"
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden")


@functools.cache
def build() -> Path:
    """Compiles the plugin when its source has changed; its file. UserError: no compiler, or it failed."""
    if shutil.which("gcc") is None:
        raise missing_program("gcc", "gcc")
    folder = tool_build() / "cycles"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = files.sha256(SOURCE.read_bytes())
    built, stamp = folder / "block_counts.so", folder / "block_counts.sha256"
    with filelock.FileLock(folder / ".lock"):  # test workers may come at once
        if built.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
            return built
        command = ["gcc", *_FLAGS, str(SOURCE), "-o", str(built)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            first = next((line for line in done.stderr.splitlines() if "error" in line), "no message")
            raise UserError(f"building QEMU's plugin failed: {first}")
        files.write_text(stamp, wanted)
    return built


@dataclass(frozen=True)
class Counting:
    """The plugin's part in a run of QEMU: `arguments` for its command, and the counts once it has ended."""

    arguments: tuple[str, ...]
    _file: Path

    def blocks(self) -> list[Block]:
        """What was counted. UserError: QEMU did not end as it should."""
        return counts.read(self._file)


@contextlib.contextmanager
def counting(marks: tuple[int, int], board: Board | None) -> Iterator[Counting]:
    """A place for the counts of one run.

    marks: address and number of the firmware's (symbols.Functions). board: whose flash is followed, where its
    board.toml describes it.
    """
    first, number = marks
    with tempfile.TemporaryDirectory(prefix="cycles-") as folder:
        path = Path(folder) / "counts"
        words = [str(build()).replace(",", ",,"), f"out={str(path).replace(',', ',,')}"]
        if number:
            words += [f"marks={first}", f"count={number}"]
        flash = board.clock.flash if board and board.clock else None
        if board and flash and not flash.cached:
            image = next(memory for memory in board.memories if memory.use == "image")
            words += [f"flash={image.address}", f"bytes={image.bytes}", f"line={flash.line_bytes}"]
            words += [f"code_lines={flash.code_lines}", f"data_lines={flash.data_lines}"]
        yield Counting(("-plugin", ",".join(words)), path)
