"""What the engine is to hold: cycles (instructions where no cycles are known), SRAM, code, by network."""

from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.bench import networks

_V1_0 = "squeezenet_v1_0_deep_compression_227"
_V1_1 = "squeezenet_v1_1_224"
_V1_0_RANDOM, _V1_1_RANDOM = networks.IMAGENET_RANDOM
_KB = 1024


@dataclass(frozen=True)
class Goal:
    """At most `most` of `field` in results of `model` on `board` with `engine`'s kernels; None: of any."""

    model: str | None
    board: str | None
    engine: str
    field: str
    most: int

    def holds_for(self, result: dict[str, Any]) -> bool:
        """Whether it speaks of this result."""
        wanted = {"model": self.model, "board": self.board, "engine": self.engine}
        of_it = all(value in (None, result[name]) for name, value in wanted.items())
        return of_it and result[self.field] is not None


GOALS = (
    Goal(_V1_0, "stm32f405", "dsp", "cycles", 700_000_000),
    Goal(_V1_0, "mps2_an500", "dsp", "instructions", 420_000_000),
    Goal(_V1_0, "mps3_an547", "mve", "instructions", 100_000_000),
    Goal(_V1_0, "stm32f405", "dsp", "sram_bytes", 128 * _KB),
    Goal("imagenet_v1_0", "stm32f405", "dsp", "sram_bytes", 124 * _KB),
    Goal("imagenet_v1_1", None, "dsp", "sram_bytes", 96 * _KB),
    Goal("imagenet_v1_1", None, "mve", "sram_bytes", 96 * _KB),
    Goal(_V1_1, "mps2_an386", "dsp", "cycles", 345_000_000),
    Goal(_V1_1, "mps3_an547", "mve", "instructions", 45_000_000),
    Goal(_V1_1, "mps2_an386", "portable", "instructions", 1_476_000_000),
    Goal(_V1_1, "mps2_an386", "dsp", "sram_bytes", 96 * _KB),
    Goal(_V1_1, "mps3_an547", "mve", "sram_bytes", 96 * _KB),
    # The guards of these where no trained weights are; their instructions are in reference.json.
    Goal(_V1_0_RANDOM, "stm32f405", "dsp", "sram_bytes", 124 * _KB),
    Goal(_V1_1_RANDOM, "mps2_an386", "dsp", "sram_bytes", 96 * _KB),
    Goal(_V1_1_RANDOM, "mps3_an547", "mve", "sram_bytes", 96 * _KB),
    Goal(networks.SMALL_NET, "stm32f405", "dsp", "cycles", 6_000_000),
    Goal(networks.SMALL_NET, "mps3_an547", "mve", "instructions", 1_000_000),
    Goal(networks.SMALL_NET, "stm32f405", "dsp", "sram_bytes", 16 * _KB),
    Goal(networks.SMALL_NET, "mps3_an547", "mve", "sram_bytes", 16 * _KB),
    Goal(None, "stm32f405", "dsp", "engine_code_bytes", 40 * _KB),
    Goal(None, "mps2_an386", "dsp", "engine_code_bytes", 40 * _KB),
)


def missed(results: list[dict[str, Any]]) -> list[str]:
    """A line for each result that exceeds a goal."""
    return [
        f"{r['model']}/{r['board']}/{r['engine']}: {goal.field} {r[goal.field]:,}, goal {goal.most:,}"
        for r in results
        for goal in GOALS
        if goal.holds_for(r) and r[goal.field] > goal.most
    ]


def show(console: Console, results: list[dict[str, Any]]) -> None:
    """The goals that the results speak of, and whether they are met."""
    table = Table(title="goals", title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("network", "board", "what"):
        table.add_column(name, overflow="fold")
    for name in ("measured", "at most", ""):
        table.add_column(name, justify="right")
    for goal in GOALS:
        for r in results:
            if goal.holds_for(r):
                met = "met" if r[goal.field] <= goal.most else "MISSED"
                what = goal.field.removesuffix("_bytes").replace("_", " ")
                name = r["model"].removeprefix("squeezenet_").removesuffix("_deep_compression_227")
                kernels = f"{r['board']} {r['engine']}"
                table.add_row(name, kernels, what, f"{r[goal.field]:,}", f"{goal.most:,}", met)
    if table.row_count:
        console.print(table)
