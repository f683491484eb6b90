"""`python -m host_tools analyze`: does it fit, how many milliseconds, what to change; nothing is compiled."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, litert
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.lowering.tflite_file import OperatorError
from squeezenet_mcu.convert.outputs import tflm_arena
from squeezenet_mcu.host_tools.analyze import advice, fit, layers, subject, tables
from squeezenet_mcu.host_tools.analyze.advice import Step
from squeezenet_mcu.host_tools.analyze.fit import Fit
from squeezenet_mcu.host_tools.analyze.subject import Subject
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.model.settings import budget, model_budget

NAME = "analyze"
HELP = "before anything is compiled: does it fit, how many milliseconds, what should be changed"
EXAMPLES = """\
  python -m host_tools analyze --model digits
  python -m host_tools analyze --tflite mine.int8.tflite --board rp2040
  python -m host_tools analyze --tflite mine.int8.tflite --json answer.json
  python -m host_tools analyze --model digits --board rp2040 --max-flash 64K --max-ms 200

exit status: 0 for every answer, also "does not fit" and "our engine does not take it": see "fits" and
"problems" in the JSON file; 1 where a budget is exceeded, or where there is no answer, as for a file that
cannot be read"""

DEFAULT_BOARD = "stm32f405"
_LIMITS = ("max_flash", "max_sram", "max_ms")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", metavar="NAME|TOML", help="a model of ours, converted or shipped (digits)")
    parser.add_argument("--tflite", type=Path, metavar="FILE", help="an int8 .tflite from anywhere")
    parser.add_argument("--board", metavar="NAME", help="for this board alone (all boards)")
    parser.add_argument(
        "--cores", type=int, choices=(1, 2), default=1, help="that share the work, where a board has two (1)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the answer to FILE (build/<model>/analyze.json)"
    )

    budget.add_arguments(parser, _LIMITS)


def _keep_budget(args: argparse.Namespace, found: Subject, base: Fit | None) -> None:
    """UserError where the network on its board takes more than it may, or where that is not known."""
    limits = model_budget.of(args, args.model)
    what = f"{found.name} on {board_toml.name_of(args.board)} (time without the waits for its flash)"
    if base is None:
        unknown = "our engine does not take the network"
        budget.enforce(limits, budget.Figures(what, unknown, unknown, unknown))
        return
    ms = base.milliseconds
    slow = f"nobody knows the cycles of a {base.board.cpu}" if ms is None else ms
    budget.enforce(limits, budget.Figures(what, base.flash_used, base.sram_used, slow, optimize=None))


def _shown_board(fits: Sequence[Fit]) -> Fit:
    """Whose layers are shown: the default board, or where that is too small the fastest that is not.

    Boards that can be bought come before those that are nothing but an emulator.
    """
    default = next((found for found in fits if found.board.name == DEFAULT_BOARD), fits[0])
    fitting = [found for found in fits if not found.missing]
    if not default.missing or not fitting:
        return default
    return min(
        fitting, key=lambda f: (not f.board.buy, f.milliseconds is None, f.milliseconds or 0.0, f.board.name)
    )


def answer(found: Subject, fits: Sequence[Fit], base: Fit | None, steps: Sequence[Step]) -> dict[str, Any]:
    """All of it, for programs. `base`: whose layers are told; None: the engine does not take it."""
    rows = layers.on_board(base) if base else layers.of_file(found)
    weights = sum(row["weights"] for row in rows)
    return {
        "model": found.name,
        "tflite": str(found.path),
        "tflite_sha256": found.sha256,
        "input": list(found.file.tensors[found.file.inputs[0]].shape) if found.file.inputs else [],
        "macs": sum(row["macs"] for row in rows),
        "weights": weights,
        "notes": found.notes,
        "problems": [_problem(problem) for problem in found.problems],
        "tflm_lacks": tflm_arena.lacking(found.file),
        "boards": [fit.as_json(each) for each in fits],
        "board": base.board.name if base else None,
        "layers": rows,
        "next": [advice.as_json(base, step) for step in steps] if base else [],
    }


def _problem(problem: UserError) -> dict[str, Any]:
    if not isinstance(problem, OperatorError):
        return {"op": None, "operator": None, "tensor": None, "reason": str(problem)}
    tensor = problem.tensor
    return {
        "op": problem.op.index,
        "operator": problem.op.name,
        "tensor": None if tensor is None else tensor.name,
        "reason": problem.reason,
    }


def _beside(found: Subject) -> str:
    """Whether TensorFlow Lite Micro would take it."""
    if not found.file.ops or not found.file.outputs:
        return "it has no operators or no output: no engine can run it"
    if trouble := litert.trouble(found.file.content):
        return f"LiteRT itself {trouble}: neither engine can run it"
    lacking = tflm_arena.lacking(found.file)
    if lacking:
        return f"TensorFlow Lite Micro does not have {', '.join(lacking)} either"
    what = as_typed("make convert ENGINE=tflm TFLITE=... says what it takes")
    return f"TensorFlow Lite Micro has all of its operators: {what}"


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command. Status 0: an answer was found, whatever it is."""
    if args.tflite is not None and args.model is not None:
        raise UserError("--model and --tflite: want one of them")
    if not args.board and any(getattr(args, limit) is not None for limit in _LIMITS):
        raise UserError("--max-flash, --max-sram, --max-ms: want --board, too; a budget is that of one board")
    boards = [board_toml.load(name) for name in ([args.board] if args.board else board_toml.names())]
    found = subject.of_tflite(args.tflite) if args.tflite else subject.of_model(args.model or "digits")
    outputs = files.outputs(BUILD / found.name / "analyze.json", args.json)
    console = Console()
    if console.width < tables.WIDTH:  # a table that is cut tells nothing
        console = Console(width=tables.WIDTH)
    for note in found.notes:
        notice(note)
    fits: list[Fit] = []
    base, steps = None, []
    if found.maker is not None:
        cores = {board.name: args.cores if args.board else min(args.cores, board.cores) for board in boards}
        requests = [ModelRequest(cores=cores[board.name]) for board in boards]
        fits = [
            fit.on(board, found.manifest, found.maker, request)
            for board, request in zip(boards, requests, strict=True)
        ]
        base = _shown_board(fits)
        steps = advice.steps(found, base, fits if len(fits) > 1 else ())
        tables.show_boards(console, found, fits)
    content = answer(found, fits, base, steps)
    if base:
        tables.show_layers(console, f"{found.name} on {base.board.name}, layer by layer", content["layers"])
        tables.show_steps(console, base, steps, len(boards) == 1)
    else:
        tables.show_problems(console, found, _beside(found))
        tables.show_layers(console, f"{found.name}, as the .tflite has it", content["layers"])
    for path in outputs:
        files.write_json(path, content)
    console.print(f"wrote {' and '.join(map(str, outputs))}", soft_wrap=True)
    if args.board:
        _keep_budget(args, found, base)
    elif model_budget.of(args, args.model) != budget.Budget():
        notice("the [budget] of its TOML was not looked at: that wants BOARD= (--board)")
    return 0
