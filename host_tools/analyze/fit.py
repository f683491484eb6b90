"""Whether a network fits a board, and how long an image takes there: nothing is compiled."""

from dataclasses import dataclass
from typing import Any

from squeezenet_mcu.convert.engine_model import EngineModel, Maker
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.outputs import report
from squeezenet_mcu.convert.select import estimate
from squeezenet_mcu.convert.select.estimate import Estimate
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware import board_model, code_sizes
from squeezenet_mcu.host_tools.firmware.board_model import STAND_INS, ModelRequest
from squeezenet_mcu.host_tools.firmware.code_sizes import CodeSizes


@dataclass(frozen=True)
class Fit:
    """A network on a board. `apart`: the arena is in the board's memory for arenas."""

    board: Board
    target: Target
    made: EngineModel
    code: CodeSizes
    estimate: Estimate
    apart: bool

    @property
    def flash_used(self) -> int:
        """Bytes: code and the engine's model."""
        return self.code.engine_code + self.code.other_flash + len(self.made.content)

    @property
    def flash_total(self) -> int:
        """Bytes that the board has for program and model."""
        return self.board.total("image")

    @property
    def sram_used(self) -> int:
        """Bytes: arena, variables, stack."""
        return self.code.sram + self.made.plan.arena_bytes

    @property
    def sram_total(self) -> int:
        """Bytes that the board has for them."""
        return self.board.total("data") + (self.board.total("arena") if self.apart else 0)

    @property
    def missing(self) -> dict[str, int]:
        """By how many bytes which memory is too small; {}: it fits."""
        arena, data = self.made.plan.arena_bytes, self.board.total("data")
        if self.apart:
            sram = max(self.code.sram - data, arena - self.board.total("arena"))
        else:
            sram = self.code.sram + arena - data
        short = {"flash": self.flash_used - self.flash_total, "SRAM": sram}
        return {memory: count for memory, count in short.items() if count > 0}

    @property
    def milliseconds(self) -> float | None:
        """Of an image; None where cycles or the clock are not known."""
        return self.board.milliseconds(self.estimate.total) if self.estimate.unit == "cycles" else None

    @property
    def cycles_of(self) -> str | None:
        """The CPU whose cycles were taken, if not the board's own; None: its own, or none."""
        return STAND_INS.get(self.board.cpu) if self.estimate.unit == "cycles" else None

    @property
    def peak(self) -> dict[str, Any]:
        """What holds most of the arena at its fullest moment: layer and bytes."""
        rows = report.peak_rows(self.made.network, self.made.plan)
        return rows[0] if rows else {"layer": "", "bytes": 0}


def on(
    board: Board, manifest: dict[str, Any], maker: Maker, request: ModelRequest, like: Network | None = None
) -> Fit:
    """The network of `maker` on a board, as `make firmware` would make it.

    Args:
        board: which.
        manifest: of Subject.
        maker: of the network.
        request: what the user asks for.
        like: see convert/select/choose.py.
    """
    target = board_model.target_for(board, manifest, request)
    made = board_model.prepare_on(board, manifest, target, maker, like)
    return around(board, manifest, target, made)


def around(board: Board, manifest: dict[str, Any], target: Target, made: EngineModel) -> Fit:
    """The firmware around an engine's model that was made for `target`."""
    row = manifest["input"]["width"] * manifest["input"]["channels"]
    arena = made.plan.arena_bytes
    apart = board_model.arena_apart(board, manifest, arena, target.workers)
    sizes = code_sizes.of(
        board, made.kernels, target.family, len(made.content), arena, row, apart, target.workers
    )
    return Fit(board, target, made, sizes, estimate.of(made.network, target), apart)


def as_json(fit: Fit) -> dict[str, Any]:
    """A board's line for programs: bytes, milliseconds; None where a figure is not known."""
    total, unit, milliseconds = round(fit.estimate.total), fit.estimate.unit, fit.milliseconds
    return {
        "board": fit.board.name,
        "title": fit.board.title,
        "cpu": fit.board.cpu,
        "kernel_family": fit.target.family,
        "cores": fit.target.workers,
        "fits": not fit.missing,
        "missing": {memory.lower(): count for memory, count in fit.missing.items()},
        "flash": {
            "used": fit.flash_used,
            "total": fit.flash_total,
            "left": fit.flash_total - fit.flash_used,
            "engine_code": fit.code.engine_code,
            "engine_model": len(fit.made.content),
            "rest": fit.code.other_flash,
        },
        "sram": {
            "used": fit.sram_used,
            "total": fit.sram_total,
            "left": fit.sram_total - fit.sram_used,
            "arena": fit.made.plan.arena_bytes,
            "rest": fit.code.sram,
        },
        "compiler": fit.code.compiler,
        "exact": fit.code.exact,
        "milliseconds": None if milliseconds is None else round(milliseconds, 3),
        "cycles": total if unit == "cycles" else None,
        "cycles_of": fit.cycles_of,
        "instructions": total if unit == "instructions" else None,
        "peak": fit.peak,
    }
