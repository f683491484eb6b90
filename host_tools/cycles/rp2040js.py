"""What the Pico's emulator counts: firmware_cpp/boards/rp2040/emulator/counter.js."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards.board_toml import Board, FlashTiming
from squeezenet_mcu.host_tools.cycles.price import Spent
from squeezenet_mcu.host_tools.cycles.symbols import Functions

PROGRAM = "node"  # of board.toml's `emulator`: it counts cycles itself
CORE_1 = "(core 1)"  # what it runs, in place of a function's name: instructions and waits, no cycles
_NO_FUNCTION = {-1: "?", -2: CORE_1}


@dataclass(frozen=True)
class Counting:
    """The emulator's part in a run: `arguments` for its command, and the counts once it has ended."""

    arguments: tuple[str, ...]
    _file: Path
    _functions: Functions
    _flash: FlashTiming | None

    def spent(self) -> dict[tuple[int, str], Spent]:
        """By mark and function. UserError: the emulator did not end as it should."""
        return read(self._file, self._functions, self._flash)


@contextlib.contextmanager
def counting(board: Board, functions: Functions) -> Iterator[Counting]:
    """A place for the counts of one run of a firmware with these functions."""
    flash = board.clock.flash if board.clock else None
    first, number = functions.marks()
    with tempfile.TemporaryDirectory(prefix="cycles-") as folder:
        out, wanted = Path(folder) / "counts.json", Path(folder) / "count.json"
        files.write_json(
            wanted,
            {
                "out": str(out),
                "marks": first,
                "count": number,
                "functions": functions.starts,
                "cache": _cache(flash) if flash is not None and flash.cached else None,
            },
        )
        yield Counting((f"--count={wanted}",), out, functions, flash)


def _cache(flash: FlashTiming) -> dict[str, int]:
    return {
        "bytes": flash.cache_bytes,
        "ways": flash.ways,
        "line": flash.line_bytes,
        "fill": flash.fill_bytes,
    }


def read(path: Path, functions: Functions, flash: FlashTiming | None) -> dict[tuple[int, str], Spent]:
    """The counts in a file of counter.js, by mark and function. UserError: none, or they end early."""
    try:
        rows = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: the emulator left no counts ({error}); is the disk full?") from error
    of_a_miss = flash.miss_cycles if flash is not None else 0
    found: dict[tuple[int, str], Spent] = {}
    for mark, function, instructions, cycles, fills in rows:
        name = functions.names[function] if function >= 0 else _NO_FUNCTION[function]
        total = found.setdefault((mark, name), Spent())  # names may repeat: of static functions
        total.instructions += instructions
        total.cycles += cycles
        total.waits += fills * of_a_miss
    return found
