"""`python -m host_tools bench`: what every network takes on every emulated board.

Milliseconds and cycles where the CPU has a table (host_tools/cycles) or the emulator counts them;
instructions, SRAM, flash.
"""

import argparse
import dataclasses
import time
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.command_line import spoken
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.bench import goals, networks, results, within_budget
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import board_model, build
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.firmware.build import DoesNotFitError
from squeezenet_mcu.model.settings import budget, config

NAME = "bench"
HELP = "measure cycles, instructions, SRAM and flash in the emulators, against TFLite Micro and a reference"
EXAMPLES = """\
  python -m host_tools bench
  python -m host_tools bench --model digits --board stm32f405 --layers
  python -m host_tools bench --model imagenet_v1_0 --board stm32f405 --optimize flash --sram-bytes 115000
  python -m host_tools bench --check                      # exit status 1 where over 1 % slower than committed
  python -m host_tools bench --model small_32 --kernel-family portable --update
  python -m host_tools bench --model digits --board mps2_an386 --layers --engine tflm \\
    --tflm-include tflite-micro:... --tflm-lib libtensorflow-microlite.a"""

RESULTS = Path("build/bench/results.json")
BOARDS = ("stm32f405", "mps2_an386", "mps2_an500", "mps3_an547")
# Beside these, a board that is measured with these networks alone: ImageNet's take it minutes.
CYCLES_BOARD = "rp2040"
WITH_CYCLES = (*networks.ZOO, networks.SMALL_NET, networks.MLPERF_TINY.name)
# Beside each board's own kernels: the portable ones, where TFLM's reference kernels were counted.
PORTABLE = ((networks.IMAGENET[0].name, "mps2_an386"),)
# Beside what the board's whole flash allows: with the engine's model in so few bytes.
TIGHT = {("imagenet_v1_0_random", "stm32f405"): 470_000}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help=f"one of build/, or of {', '.join(networks.NAMES)} (all)",
    )
    parser.add_argument(
        "--board",
        action="append",
        metavar="NAME",
        help=f"({', '.join(BOARDS)}; {CYCLES_BOARD} with small networks)",
    )
    build.add_request_arguments(parser)
    parser.add_argument("--layers", action="store_true", help="also print each result's layers")
    parser.add_argument(
        "--functions", action="store_true", help="also print each result's functions, by cycles"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail on over 1 %% more than the reference, or a goal missed"
    )
    parser.add_argument(
        "--update", action="store_true", help=f"take the results into {results.REFERENCE.name}"
    )
    budget.add_arguments(parser, within_budget.KEYS)
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help=f"also write the results to FILE ({RESULTS})"
    )


def _requests(args: argparse.Namespace, model: str, board: str) -> list[ModelRequest]:
    asked = build.request_of(args)
    if asked.tflm is None and asked.kernel_family is None and (model, board) in PORTABLE:
        return [asked, dataclasses.replace(asked, kernel_family="portable")]
    if (model, board) in TIGHT and asked == ModelRequest():
        return [asked, ModelRequest(flash_bytes=TIGHT[model, board])]
    return [asked]


class _Session:
    """One run of the command: what came of each combination so far."""

    def __init__(self, console: Console, outputs: list[Path]) -> None:
        self.console = console
        self.outputs = outputs
        self.results: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self.unmeasured: list[tuple[str, str]] = []  # model, and why there are no figures of it
        self.wanted: list[str] = []  # results.key of each combination that was tried

    def say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)

    def measure(self, model: str, board: str, request: ModelRequest) -> None:
        from squeezenet_mcu.host_tools.bench import (  # need the converter, which a light host has not
            measure,
            measure_tflm,
        )

        engine = (
            measure_tflm.ENGINE
            if request.tflm
            else request.kernel_family or board_toml.load(board).kernel_family
        )
        where = f"{model} on {board}, {engine}"
        if request.cores > 1:
            where += f", {request.cores} cores"
        if request.flash_bytes:
            where += f", at most {request.flash_bytes:,} bytes"
        asked = {
            "model": model,
            "board": board,
            "engine": engine,
            "flash_bytes_asked": request.flash_bytes,
            "cores": request.cores,
        }
        self.wanted.append(results.key(asked))
        started = time.monotonic()
        try:
            if request.tflm:
                result = measure_tflm.record(model, board, request.tflm)
            else:
                result = measure.record(model, board, request)
        except DoesNotFitError as error:
            self.say(f"{where}: skipped: {error}")
            self.unmeasured.append((model, f"{where}: {error}"))
            return
        except UserError as error:
            self.failures.append(f"{where}: {error}")
            self.unmeasured.append((model, self.failures[-1]))
            self.say(self.failures[-1])
            return
        self.results.append(result)
        for path in self.outputs:
            files.write_json(path, self.results)
        took = time.monotonic() - started
        counts = [f"{result[unit]:,} {unit}" for unit in results.UNITS if result[unit] is not None]
        self.say(f"{where}: {', '.join(counts)} ({took:.0f} s)")

    def prepare(self, model: str, tflm: bool) -> bool:
        try:
            networks.prepare(self.console, model, tflm)
        except networks.NotMeasurableError as error:
            self.say(f"{model}: skipped: {error}")
            self.unmeasured.append((model, f"{model}: {error}"))
            return False
        return True


def _boards(args: argparse.Namespace, model: str) -> list[str]:
    """Those that were asked for, else the usual ones."""
    usual = [*BOARDS, CYCLES_BOARD] if model in WITH_CYCLES and args.engine != "tflm" else list(BOARDS)
    return args.board or usual


def _measure_all(session: _Session, args: argparse.Namespace) -> None:
    models = [config.name_of(name) for name in args.model or networks.NAMES]
    for board in args.board or BOARDS:
        emulator.tool_of(board)  # a wrong name is known before the work
    for model in models:
        if session.prepare(model, tflm=args.engine == "tflm"):
            for board in _boards(args, model):
                for request in _requests(args, model, board):
                    session.measure(model, board, request)


def _conclude(session: _Session, args: argparse.Namespace) -> int:
    reference = results.read_reference()
    if args.update and session.results:
        results.write_reference(session.results)
        session.say(f"wrote {results.REFERENCE}")
    status = 1 if session.failures else 0
    if args.check:
        for name in results.without_reference(session.results, reference):
            notice(f"{name} is not in {results.REFERENCE.name}; --update takes it in")
        lines = results.regressions(session.results, reference)
        for line in lines:
            session.say(f"regression: {line}")
        measured = {results.key(result) for result in session.results}
        for name in session.wanted:
            if name in reference and name not in measured:
                lines.append(f"{name} has a reference, and was not measured")
                session.say(f"regression: {lines[-1]}")
        for line in goals.missed(session.results):
            session.say(f"goal missed: {line}")
            status = 1
        if not lines and session.results:
            session.say(
                f"bench: no regression over {results.TOLERANCE:.0%} in {len(session.results)} results"
            )
        status = 1 if lines else status
    for line in session.failures:
        session.say(f"bench: FAILED: {line}")
    exceeded = within_budget.check(args, session.results, session.unmeasured)
    for line in exceeded:
        terminal.error(f"bench: error: {spoken.as_typed(line, vars(args))}")
    return 1 if exceeded else status


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command. Ctrl-C ends it: what was measured until then stays and is shown."""
    asked = build.request_of(args)
    if dataclasses.replace(asked, kernel_family=None) != ModelRequest() and (args.check or args.update):
        raise UserError(
            "--check and --update go without --optimize, --sram-bytes, --flash-bytes, --encoding, --cores "
            "and --engine tflm: the reference holds figures of our engine with --optimize speed only"
        )
    for name in args.board or ():  # before earlier results go
        board_model.want_cores(board_toml.load(name), asked.cores)
    outputs = files.outputs(RESULTS, args.json)
    session = _Session(Console(), outputs)
    interrupted = False
    try:
        _measure_all(session, args)
    except KeyboardInterrupt:
        interrupted = True
    if session.results:
        results.show(session.console, session.results)
        results.show_memory(session.console, session.results)
        goals.show(session.console, session.results)
        if args.layers:
            for result in session.results:
                results.show_layers(session.console, result)
        if args.functions:
            for result in session.results:
                results.show_functions(session.console, result)
        session.say(f"wrote {' and '.join(map(str, outputs))}")
    if interrupted:
        session.say("bench: interrupted")
        return 130
    return _conclude(session, args)
