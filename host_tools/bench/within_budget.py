"""Whether what bench measured stays within the budget: of the options, and of each model's TOML."""

import argparse
from collections.abc import Iterable
from typing import Any

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.formats import manifest
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.model.settings import budget, model_budget
from squeezenet_mcu.model.settings.budget import Budget

KEYS = ("max_flash", "max_sram", "max_ms")


def check(
    args: argparse.Namespace, results: Iterable[dict[str, Any]], unmeasured: Iterable[tuple[str, str]]
) -> list[str]:
    """A sentence for each limit that a result exceeds, and for each model with limits that was not measured.

    `unmeasured`: a model, and which figures there are none of and why.
    """
    typed = {name for name in args.model or () if name.endswith(".toml")}
    lines = []
    for result in results:
        limits = _of(args, result["model"], typed)
        if _any(limits):
            lines += budget.check(limits, figures(result, board_toml.load(result["board"])))
    for model, why in unmeasured:
        if _any(_of(args, model, typed)):
            lines.append(f"{why}; so its budget is not met")
    return lines


def _any(limits: Budget) -> bool:
    return any(getattr(limits, key) for key in KEYS)


def figures(result: dict[str, Any], board: Board) -> budget.Figures:
    """Those of a result of results.json: the milliseconds with the waits of the board's flash, if known."""
    ms = result["milliseconds_with_flash"]
    return budget.Figures(
        f"{result['model']} on {board.name}",
        flash=result["flash_bytes"],
        sram=result["sram_reserved_bytes"],
        ms=ms if ms is not None else _without_flash(result, board),
        optimize=result.get("optimize", "speed"),
    )


def _without_flash(result: dict[str, Any], board: Board) -> float | str:
    ms: float | None = result["milliseconds"]
    if ms is not None:
        return ms
    if board.clock is None:
        return "its board.toml does not say the clock"
    return f"there is no table of cycles for its {board.cpu}"


def _of(args: argparse.Namespace, model: str, typed: set[str]) -> Budget:
    """`typed`: the TOMLs among the models as they were typed."""
    folder = paths.BUILD / model
    own = next((path for path in typed if path.endswith(f"{model}.toml")), model)
    there = (folder / manifest.NAME).is_file()
    return model_budget.of(args, own, manifest.read_manifest(folder)["inputs"] if there else ())
