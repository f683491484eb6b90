"""Cycles from counts: each block's price times how often it ran."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from squeezenet_mcu.host_tools.boards.board_toml import FlashTiming
from squeezenet_mcu.host_tools.cycles import decode
from squeezenet_mcu.host_tools.cycles.counts import Block
from squeezenet_mcu.host_tools.cycles.decode import Instruction

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Price:
    """Of a block, in cycles. `run`: all its instructions; `branch`: more, if the last one branches."""

    run: int
    branch: int


@dataclass(frozen=True)
class Timing:
    """How a CPU's instructions are priced.

    Attributes:
        block: the price of a block.
        entry: what a taken branch to an instruction takes more.
        source: the manual and the table.
    """

    block: Callable[[Sequence[Instruction]], Price]
    entry: Callable[[Instruction], int]
    source: str


@dataclass
class Spent:
    """Instructions, and cycles without wait states; `waits`: cycles for the flash, where it was followed."""

    instructions: int = 0
    cycles: int = 0
    waits: int = 0


def of_block(block: Block, timing: Timing, flash: FlashTiming | None = None) -> Spent:
    """What all runs of a block took."""
    code = decode.instructions(block.code, block.start)
    price = timing.block(code)
    cycles = block.runs * price.run + block.left * price.branch + block.entered * timing.entry(code[0])
    waits = 0
    if flash is not None:
        waits = flash.wait_states * (block.jumped + block.data)
        # The line behind is fetched while this one runs: what is left to wait for.
        of_a_line = price.run * flash.line_bytes // len(block.code)
        waits += block.next * max(0, flash.wait_states + 1 - of_a_line)
    return Spent(block.runs * block.instructions, cycles, waits)


def by(
    blocks: Iterable[Block], timing: Timing, key: Callable[[Block], _Key], flash: FlashTiming | None = None
) -> dict[_Key, Spent]:
    """What the blocks took, added up by `key` (a mark, a function)."""
    found: dict[_Key, Spent] = {}
    for block in blocks:
        spent, total = of_block(block, timing, flash), found.setdefault(key(block), Spent())
        total.instructions += spent.instructions
        total.cycles += spent.cycles
        total.waits += spent.waits
    return found
