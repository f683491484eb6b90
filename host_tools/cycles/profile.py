"""Cycles of a firmware's work on an image: in all, by layer and by function."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.cycles import cpus, marks, plugin, price, rp2040js, symbols
from squeezenet_mcu.host_tools.cycles.price import Spent

# Of firmware_cpp/boards: what an interrupt runs, and what reads the counter. None of it is the engine's.
_OF_THE_BOARD = re.compile(r"(board|cpu|cortex_m)::|(SysTick|Uart)Handler\b")


@dataclass(frozen=True)
class Profile:
    """What an image took. `layers`: in the engine model's order; `functions`: by name, costliest first."""

    total: Spent
    layers: list[Spent]
    functions: dict[str, Spent]


@dataclass(frozen=True)
class Counting:
    """What to pass to an emulator, and, once it has ended, what it has counted."""

    arguments: tuple[str, ...]
    _spent: Callable[[], Mapping[tuple[int, str], Spent]] | None

    def profile(self, layers: int) -> Profile | None:
        """Of a firmware with so many layers; None: nobody knows the CPU's cycles. UserError: no counts."""
        return of(self._spent(), layers) if self._spent else None


@contextlib.contextmanager
def counting(board: Board, elf: Path) -> Iterator[Counting]:
    """For one run of `elf` on an emulated board: by QEMU's plugin and a table, or as the emulator counts."""
    timing = cpus.of(board)
    if timing is None and not cpus.counts_itself(board):
        yield Counting((), None)
        return
    functions = symbols.read(board, elf)
    if timing is None:
        with rp2040js.counting(board, functions) as own:
            yield Counting(own.arguments, own.spent)
        return
    flash = board.clock.flash if board.clock else None
    with plugin.counting(functions.marks(), board) as outside:

        def spent() -> dict[tuple[int, str], Spent]:
            return price.by(
                outside.blocks(), timing, lambda block: (block.mark, functions.of(block.start)), flash
            )

        yield Counting(outside.arguments, spent)


def of(spent: Mapping[tuple[int, str], Spent], layers: int) -> Profile:
    """From what each function took for each mark. The board's own functions count for nothing."""
    by_mark: dict[int, Spent] = {}
    inference: dict[str, Spent] = {}
    for (mark, name), part in spent.items():
        if _OF_THE_BOARD.match(name):
            continue
        total = by_mark.setdefault(mark, Spent())
        total.instructions += part.instructions
        total.cycles += part.cycles
        total.waits += part.waits
        if mark == marks.INFERENCE:
            inference[name] = part
    return Profile(
        by_mark.get(marks.INFERENCE, Spent()),
        [by_mark.get(marks.layer(index), Spent()) for index in range(layers)],
        dict(sorted(inference.items(), key=lambda item: -item[1].cycles)),
    )


def milliseconds(cycles: int | None, board: Board) -> float | None:
    """Of so many cycles at the board's clock; None: one of them is not known."""
    found = None if cycles is None else board.milliseconds(cycles)
    return None if found is None else round(found, 3)


def with_flash(spent: Spent, board: Board) -> int | None:
    """Cycles with those that the board waits for its flash; None: board.toml does not describe it."""
    return spent.cycles + spent.waits if board.clock and board.clock.flash else None
