"""`python -m host_tools selftest`: what a new board must be able to do before any network runs on it."""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.faults import where
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.firmware.build import Usage
from squeezenet_mcu.host_tools.link import faults
from squeezenet_mcu.host_tools.link.messages import RESET_CAUSES
from squeezenet_mcu.host_tools.selftest.device import RING_BYTES, SelftestDevice

NAME = "selftest"
HELP = "bring up a board: start-up, UART, counter, memory marks, fault handler, restart"
EXAMPLES = """\
  python -m host_tools selftest --board stm32f405                        # emulated
  python -m host_tools selftest --board my_boards/mine --build           # the ELF to flash, and no more
  python -m host_tools selftest --board my_boards/mine --port /dev/ttyUSB0
exit status: 0 all checks passed, 1 one failed or a user's mistake"""

FOLDER = Path("build/selftest")
_PATIENCE = 12.0  # seconds for all checks; an emulated board needs 2 to 5
_SPINS = 1_000_000
_MOST_STEPS = (
    10  # that a round of two instructions takes: 2 instructions, 1 to 4 cycles; more from a slow flash
)


@dataclass(frozen=True)
class Check:
    """One thing that the board must do: what it was, and what came; `passed`: whether that is right."""

    what: str
    seen: str
    passed: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument(
        "--board", required=True, metavar="NAME", help=f"one of {', '.join(board_toml.names())}, or a folder"
    )
    parser.add_argument("--port", metavar="URL", help="serial port of a board with the program in its flash")
    parser.add_argument("--build", action="store_true", help="only build the program")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    board = board_toml.load(args.board)
    if args.build:
        terminal.echo(f"wrote {_built(board)}")
        return 0
    console = Console()
    found = examine(args.board, args.port)
    table = Table(title=f"selftest of {board.name}")
    for column in ("check", "seen", ""):
        table.add_column(column)
    for check in found:
        table.add_row(check.what, check.seen, "ok" if check.passed else "FAILED")
    console.print(table)
    failed = [check.what for check in found if not check.passed]
    if failed:
        raise UserError(f"{board.name}: {len(failed)} of {len(found)} checks failed: {', '.join(failed)}")
    console.print(f"selftest: all {len(found)} checks passed")
    return 0


def elf_of(board: Board) -> Path:
    """Where compile_target leaves the program of a board."""
    return FOLDER / board.name / "cmake" / "selftest.elf"


def options(board: Board) -> dict[str, str]:
    """Of build.compile_target, for the selftest of this board: with all its cores."""
    return {"SQUEEZE_CORES": str(board.cores)}


def examine(name: str, port: str | None) -> list[Check]:
    """Builds the program, and checks the emulated board, or the one at `port`, which has it in its flash.

    The results are kept for `report-hardware`. UserError: nobody answers.
    """
    board = board_toml.load(name)
    elf = _built(board)
    with _opened(name, port, elf) as device:
        found = list(checks(device, board, build.usage(elf)))
    files.write_json(results(board.name), [asdict(check) for check in found])
    return found


def results(board: str) -> Path:
    """Where the results of the last self-test of a board are."""
    return FOLDER / board / "selftest.json"


def _built(board: Board) -> Path:
    return build.compile_target(board, FOLDER / board.name, "selftest", options(board))


@contextlib.contextmanager
def _opened(board: str, port: str | None, elf: Path) -> Iterator[SelftestDevice]:
    with contextlib.ExitStack() as stack:
        url = port or stack.enter_context(emulator.running(board, elf))
        yield stack.enter_context(contextlib.closing(SelftestDevice(url, _PATIENCE)))


def checks(device: SelftestDevice, board: Board, used: Usage) -> Iterator[Check]:
    """The checks in order; the last but one restarts the device.

    `used`: of the selftest's ELF.
    """
    for what, check in _CHECKS.items():
        if check is _second_core and board.cores == 1:
            continue
        try:
            seen, passed = check(device, board, used)
        except (ValueError, IndexError):  # other words than the program's, or too few
            heard = terminal.shown(device.heard.strip())
            seen, passed = f"not understood: {heard}" if device.heard else "no answer", False
        yield Check(what, seen, passed)


_Verdict = tuple[str, bool]


def _name(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    name = " ".join(device.ask("n"))
    return name or "no answer", name == board.name


def _counter(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    unit, step, hz = device.ask("u")
    rate = f", {int(hz):,} a second" if int(hz) else ""
    known = unit == "instructions" or int(hz) > 0
    return f"{unit} in steps of {step}{rate}", known and unit != "microseconds"


def _repeats(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    step = int(device.ask("u")[1])
    device.numbers("c", _SPINS)  # into the caches
    one, other, double = (device.numbers("c", n)[0] for n in (_SPINS, _SPINS, 2 * _SPINS))
    per_round = (double - one) / _SPINS
    slack = 2 * step if step > 1 else one // 1000
    seen = f"{_SPINS:,} rounds of two instructions: {one:,}, {other:,}"
    return seen, abs(one - other) <= slack and 1 <= per_round <= _MOST_STEPS


def _echo(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    data = bytes((7 * i + i // 256) % 256 for i in range(RING_BYTES - 5))
    came = device.echo(data)
    return f"{len(came):,} of {len(data):,} bytes, as one", came == data


def _ring(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    before = device.numbers("r")
    state = device.withheld(RING_BYTES + 52)
    seen = f"{state[0]:,} of {RING_BYTES + 52:,} bytes held, {state[2] - before[2]} counted as lost"
    return seen, state[0] == RING_BYTES and state[2] - before[2] == 52


def _memory(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    flash, flash_total, static, stack, reserve, total = device.numbers("m")
    seen = f"flash {flash:,} of {flash_total:,} B, SRAM {static:,} + {stack:,} of {total:,} B"
    wanted = (used.flash_used, used.flash_total, used.sram_static, used.stack_reserve, used.sram_total)
    totals = board.total("image") == flash_total
    return seen, (flash, flash_total, static, reserve, total) == wanted and totals and 0 < stack < reserve


def _stack(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    marks = []
    for depth in (800, 1200):
        device.ask("k", depth)
        marks.append(device.numbers("m")[3])
    return f"{marks[0]:,} B, then {marks[1]:,} B", marks[0] >= 800 and marks[1] - marks[0] == 400


def _floating(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    (total,) = device.numbers("x")
    return f"0.5 x (0 + ... + 7) = {total}", total == 14


def _second_core(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    counts_cycles = device.ask("u")[0] == "cycles"  # where it does not, an emulator runs the cores in turn
    (alone,) = device.numbers("c", _SPINS)[:1]
    before = device.numbers("m")[3]
    answers, result, both = device.numbers("s", _SPINS)
    stack = device.numbers("m")[3] - before
    if not answers:
        return "does not answer", False
    seen = f"{result - 14:,} rounds beside the first one's: {both:,}; {stack:,} B of its stack"
    together = both < alone + alone // 4 or not counts_cycles
    return seen, result == _SPINS + 14 and together and stack >= 600


def _fault(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    line = device.fault()
    fault = faults.from_line(line.encode() + b"\n")
    if fault is None:
        return line or "no report", False
    place = where.function(fault, elf_of(board))
    said = where.cause(fault, elf_of(board))
    return f"{f'in {place}: ' if place else ''}{said}; {fault.registers}", fault.pc is not None


def _restart(device: SelftestDevice, board: Board, used: Usage) -> _Verdict:
    words = device.restarted()
    if len(words) != 2 or words[0] >= len(RESET_CAUSES):
        return "does not answer after the fault", False
    return f"answers again, after: {RESET_CAUSES[words[0]]}", True


_CHECKS: dict[str, Callable[[SelftestDevice, Board, Usage], _Verdict]] = {
    "its name": _name,
    "counter": _counter,
    "counter repeats": _repeats,
    "UART echo": _echo,
    "UART ring, overfilled": _ring,
    "memory as linked": _memory,
    "stack's high-water mark": _stack,
    "floating point": _floating,
    "second core": _second_core,
    "fault handler": _fault,
    "restart after it": _restart,
}
