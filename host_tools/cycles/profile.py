"""Cycles of a measuring program's inference: in all, by layer and by function."""

from collections.abc import Sequence
from dataclasses import dataclass

from squeezenet_mcu.host_tools.boards.board_toml import FlashTiming
from squeezenet_mcu.host_tools.cycles import marks, price
from squeezenet_mcu.host_tools.cycles.counts import Block
from squeezenet_mcu.host_tools.cycles.price import Spent, Timing
from squeezenet_mcu.host_tools.cycles.symbols import Functions


@dataclass(frozen=True)
class Profile:
    """What an image took. `layers`: in the engine model's order; `functions`: by name, costliest first."""

    total: Spent
    layers: list[Spent]
    functions: dict[str, Spent]


def of(
    blocks: Sequence[Block],
    functions: Functions,
    timing: Timing,
    layers: int,
    flash: FlashTiming | None = None,
) -> Profile:
    """From the counts of firmware_cpp/bench/main.cc with so many layers. `flash`: that was followed."""
    by_mark = price.by(blocks, timing, lambda block: block.mark, flash)
    inference = [block for block in blocks if block.mark == marks.INFERENCE]
    by_function = price.by(inference, timing, lambda block: functions.of(block.start), flash)
    costliest = sorted(by_function.items(), key=lambda item: -item[1].cycles)
    return Profile(
        by_mark.get(marks.INFERENCE, Spent()),
        [by_mark.get(marks.layer(index), Spent()) for index in range(layers)],
        dict(costliest),
    )
