"""`python -m host_tools validate`: images over serial, the device's answers against Python's."""

import argparse
import contextlib
import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.terminal import Console, TextColumn
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.faults import where
from squeezenet_mcu.host_tools.firmware import board_model, tflm_library
from squeezenet_mcu.host_tools.link import faulty_line
from squeezenet_mcu.host_tools.link.adaptive import Statistics
from squeezenet_mcu.host_tools.link.errors import FaultError, LinkError
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.link.trace import Trace
from squeezenet_mcu.host_tools.validate import cost, devices, kept, several
from squeezenet_mcu.host_tools.validate import top5 as answers
from squeezenet_mcu.host_tools.validate.compare import Report, as_json, compare_all
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import Artefacts, TestSet, load_artefacts, load_tests
from squeezenet_mcu.host_tools.validate.several import Share
from squeezenet_mcu.model.settings import config

NAME = "validate"
HELP = "send images to a board, or to an emulated one, and compare every answer with Python's"
EXAMPLES = """\
  python -m host_tools validate --model digits --board stm32f405
  python -m host_tools validate --model digits --port /dev/ttyACM0 --limit 1000
  python -m host_tools validate --model gtsrb --port COM5 --data my_images/ --json report.json
  python -m host_tools validate --model digits --board rp2040 --usb                # over its own USB
  python -m host_tools validate --model digits --board mps2_an386 --engine tflm    # with TFLite Micro
  python -m host_tools validate --model digits --ports /dev/ttyACM0,/dev/ttyACM1   # on two boards
  python -m host_tools validate --model digits --board stm32f405 --faults drop=0.001,flip=0.001
  python -m host_tools validate --model digits --board stm32f405 --layers          # every row of every layer
exit status: 0 all equal, 1 any difference or a user's mistake, 130 interrupted"""

LIMIT = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    one_of = devices.add_arguments(parser)
    one_of.add_argument("--ports", metavar="A,B", help="ports of several devices, which share the images")
    parser.add_argument("--data", metavar="SOURCE", help="folder, .npz or name (the model's own)")
    parser.add_argument(
        "--limit", type=int, metavar="N", help=f"at most N images of the test split ({LIMIT}; of layers 1)"
    )
    parser.add_argument(
        "--layers",
        action="store_true",
        help="compare every row of every layer, and name the first value that differs",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report to FILE")
    parser.add_argument(
        "--resume", action="store_true", help="go on where the run before this one was cut short"
    )
    parser.add_argument(
        "--faults",
        metavar="KIND=RATE,..",
        help=f"damage bytes: {', '.join(faulty_line.KINDS)}, all",
    )
    parser.add_argument("--trace", type=Path, metavar="FILE", help="write every frame of the link to FILE")
    parser.add_argument(
        "--if-emulated",
        action="store_true",
        help="with a board that no emulator plays: validate nothing, and say how to on the board",
    )


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    console = Console()
    if args.if_emulated and args.board and not board_toml.load(args.board).emulator:
        console.print(_on_the_board(args), soft_wrap=True)
        return 0
    way, ports = _way_of(args)
    if args.json:
        files.outputs(args.json)
    artefacts = load_artefacts(config.name_of(args.model))
    limit = args.limit if args.limit is not None else 1 if args.layers else LIMIT
    tests = load_tests(artefacts, args.data, limit)
    for text in tests.notices:
        notice(text)
    # First, because it finds a manifest that is not the .tflite's: no board is to blame for that.
    reference = Reference.of(artefacts.manifest, artefacts.tflite)
    if args.layers:
        return _compare_layers(console, way, artefacts, tests, reference, args.json)

    with contextlib.ExitStack() as stack:
        if args.trace:
            way = dataclasses.replace(way, trace=stack.enter_context(Trace(args.trace)))
        ways = [dataclasses.replace(way, port=port) for port in ports] or [way]
        shares = [
            Share(one.port or "", stack.enter_context(devices.connected(one, artefacts))) for one in ways
        ]
        several.check_alike(shares)
        keeper = _Keeper(artefacts, way, shares, tests)
        report = keeper.load() if args.resume else Report()
        report = compare_with_progress(console, shares, reference, artefacts, tests, report)
        for share in shares:
            _ask_counts(share)
        info = shares[0].device.info
    _tell_fault(report, info)
    keeper.keep(report)
    if report.ended and not report.images:
        raise report.ended
    if answers.many_classes(artefacts.manifest):
        answers.show(console, report.answers, artefacts.manifest)
    lines = [share.device.statistics for share in shares]
    show(console, report, info, artefacts, tests.source, _cores(way, artefacts), lines)
    if ports:
        several.show(console, shares)
    short = report.interrupted or report.ended
    spent = None if way.port or ports or short else _count(console, way, artefacts, tests)
    if args.json and not report.interrupted:
        more = {"data": tests.source, "engine": args.engine, "cost": spent.as_json() if spent else None}
        shared = {"devices": [share.as_json() for share in shares]} if ports else {"link": lines[0].as_json()}
        files.write_json(args.json, as_json(report, info, artefacts.manifest) | more | shared)
        console.print(f"wrote {args.json}", soft_wrap=True)
    if report.ended:
        raise _cut_short(console, report, len(tests.images))
    return conclude(console, report)


class _Keeper:
    """Keeps the report of a run that is cut short."""

    def __init__(self, artefacts: Artefacts, way: Way, shares: list[Share], tests: TestSet) -> None:
        self._path = kept.path_in(artefacts.folder)
        self._all = len(tests.images)
        boards = [share.device.info.board for share in shares]
        model, classes = artefacts.manifest["tflite_sha256"], artefacts.manifest["output"]["classes"]
        self._key = kept.key(model, way.engine, boards, tests.images, tests.labels, classes)

    def load(self) -> Report:
        """The kept one, or one of no images."""
        found = kept.load(self._path, self._key)
        if found is None:
            notice(f"{self._path}: there is none, so no run was cut short; starts with the first image")
            return Report()
        notice(f"goes on after {found.images} images of the run before ({self._path})")
        return found

    def keep(self, report: Report) -> None:
        """Of a run to its end nothing is kept."""
        if report.images >= self._all:
            self._path.unlink(missing_ok=True)
        elif report.images:
            kept.save(self._path, report, self._key)


def _ask_counts(share: Share) -> None:
    """What the device has lost itself; a broken line is not asked."""
    counts = None if share.ended else share.device.counts()
    if counts:
        share.device.statistics.dropped_bytes = counts.dropped_bytes
        share.device.statistics.damaged_frames = counts.damaged_frames


def _way_of(args: argparse.Namespace) -> tuple[Way, list[str]]:
    """How to reach the device, and the ports of --ports. UserError where options contradict each other."""
    way = Way.of(args, inspect=args.layers)
    ports = several.ports_of(args.ports) if args.ports else []
    if args.faults:
        way = dataclasses.replace(way, faults=faulty_line.parse(args.faults))
    if args.trace and ports:
        raise UserError("--trace: is of one device; with --ports there are several; leave one of them out")
    if args.layers and (ports or args.resume or args.trace):
        raise UserError("--layers: is of one device, and of few images; leave out --ports, --resume, --trace")
    return way, ports


def _cut_short(console: Console, report: Report, wanted: int) -> LinkError:
    """What ended the report, once it is said how to go on."""
    assert report.ended
    again = as_typed("--resume (RESUME=)")
    line = f"validate: ended after {report.images} of {wanted} images; {again} goes on there"
    console.print(line, soft_wrap=True)
    return report.ended


def _tell_fault(report: Report, info: Info) -> None:
    """Has the function's name be in what ended the run, where that was a fault."""
    if isinstance(report.ended, FaultError):
        report.ended = where.told(report.ended, where.firmware(info))


def _on_the_board(args: argparse.Namespace) -> str:
    """What to do where no emulator plays the board."""
    engine = tflm_library.make_option(args.engine)
    lines = (
        f"make flash MODEL={args.model} BOARD={shlex.quote(args.board)}{engine}",
        f"make validate MODEL={args.model} PORT=<its port>{engine}",
    )
    flash, then = map(as_typed, lines)
    return (
        f"validate: nothing is validated, because no emulator plays {board_toml.name_of(args.board)}; "
        f"on the board: {flash}; then, with its serial cable connected: {then}"
    )


def _compare_layers(
    console: Console, way: Way, artefacts: Artefacts, tests: TestSet, reference: Reference, path: Path | None
) -> int:
    """Every row of every layer. Writes the report to `path`, if that is given; returns the exit status."""
    from squeezenet_mcu.host_tools.inspect import expected, layers, show

    wanted = expected.Expected(artefacts.folder / "model.tflite", reference)
    with devices.connected(way, artefacts) as device:
        report = layers.compare_all(device, wanted, tests.images)
        info = device.info
    show.show(console, report, wanted, artefacts.model, info)
    if path and not report.interrupted:
        files.write_json(path, show.as_json(report, wanted, artefacts.model, info))
        console.print(f"wrote {path}", soft_wrap=True)
    return show.conclude(console, report)


def compare_with_progress(
    console: Console,
    shares: list[Share],
    reference: Reference,
    artefacts: Artefacts,
    tests: TestSet,
    report: Report,
) -> Report:
    """compare_all under a progress bar: rate, images exact so far, time left. `report`: of what is done."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("exact {task.fields[agreement]}"),
        TimeRemainingColumn(),
        console=console,
    )
    board = shares[0].device.info.board
    name = board if len(shares) == 1 else f"{len(shares)} devices"
    with progress:
        task = progress.add_task(
            name, total=len(tests.images), completed=report.images, rate="", agreement=""
        )

        def on_image(report: Report) -> None:
            speed = progress.tasks[task].speed
            progress.update(
                task,
                completed=report.images,
                rate=f"{speed:.1f} images/s" if speed else "",
                agreement=f"{report.agreement:.2%}",
            )

        logits: int = artefacts.manifest["output"]["logits_tensor"]
        if len(shares) > 1:
            return several.compare_all(
                shares, reference, tests.images, tests.labels, logits, on_image=on_image, report=report
            )
        (share,) = shares
        found = compare_all(
            share.device, reference, tests.images, tests.labels, logits, on_image=on_image, report=report
        )
        share.ended = found.ended
        return found


def _cores(way: Way, artefacts: Artefacts) -> str:
    """How many of an emulated board's cores compute; "" where it has one, and at a port: nobody says."""
    board = board_toml.load(way.board) if way.board else None
    if board is None or board.cores == 1:
        return ""
    cores = board_model.cores_of(artefacts.folder, board, way.engine)
    return f"{cores} of {board.cores}" if cores else ""


def show(
    console: Console,
    report: Report,
    info: Info,
    artefacts: Artefacts,
    source: str,
    cores: str = "",
    lines: Sequence[Statistics] = (),
) -> None:
    """Prints the table of figures. `cores`: how many compute, of how many; `lines`: what passed on each."""
    table = Table(title=f"{artefacts.model} on {info.board}", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", overflow="fold")
    for name, value in table_rows(report, info, source, answers.many_classes(artefacts.manifest)):
        table.add_row(name, value)
    if cores:
        table.add_row("cores that compute", cores)
    if len(lines) == 1:
        table.add_row("link", lines[0].line())
    console.print(table)


def table_rows(report: Report, info: Info, source: str, top5: bool) -> list[tuple[str, str]]:
    """The table's lines: what, and the figure with its unit. `top5`: tell these accuracies, too."""
    counts = report.counts or [0]

    def shown(value: float | None) -> str:
        if value is None:
            return "none: one output" if info.classes == 1 else "no labels"
        return f"{value:.2%}"

    more = [
        ("device accuracy (top-5)", shown(report.device_top5_accuracy)),
        ("python accuracy (top-5)", shown(report.python_top5_accuracy)),
    ]
    hertz = info.counter_hz if info.counter_kind == "cycles" else 0
    times = (
        [(f"milliseconds at {hertz / 1e6:g} MHz", f"{report.mean_count / hertz * 1e3:,.2f}")] if hertz else []
    )
    return [
        ("images", f"{report.images:,} ({source})"),
        ("differing int8 values", f"{report.differing_values:,} of {report.values:,}"),
        ("device accuracy (top-1)", shown(report.device_accuracy)),
        ("python accuracy (top-1)", shown(report.python_accuracy)),
        *(more if top5 else []),
        ("same top-1", f"{report.same_top1:,} of {report.images:,}"),
        (f"{info.counter_kind} an image: min", f"{min(counts):,}"),
        ("  mean", f"{report.mean_count:,}"),
        ("  max", f"{max(counts):,}"),
        *times,
        ("SRAM used, stack included", f"{report.sram_high_water:,} of {info.sram_total_bytes:,} B"),
        ("  of it engine arena, stack", f"{info.arena_bytes:,} B, {report.stack_high_water:,} B"),
        ("flash used", f"{info.flash_used_bytes:,} of {info.flash_total_bytes:,} B"),
        ("model SHA-256", info.model_sha256),
    ]


def conclude(console: Console, report: Report) -> int:
    """Prints the verdict; returns the exit status."""
    if report.first_difference:
        first = report.first_difference
        console.print(f"validate: NOT exact; first difference: {first}", soft_wrap=True)
    if report.interrupted:
        console.print(f"validate: interrupted after {report.images} images")
        return 130
    if not report.exact:
        return 1
    console.print(f"validate: exact, all {report.values:,} int8 values are equal")
    return 0


def _count(
    console: Console,
    way: Way,
    artefacts: Artefacts,
    tests: TestSet,
) -> cost.Cost | None:
    """Says what the first image costs the emulated board; None: nobody knows."""
    assert way.board is not None
    hardware, elf = board_toml.load(way.board), devices.firmware_of(way, artefacts)
    device_at = devices.opener(dataclasses.replace(way, faults=None, trace=None), artefacts)
    try:
        found = cost.of_one_image(way.board, hardware, elf, tests.images[0], device_at)
    except cost.NotCountedError as error:
        notice(f"no cycles: {error}")
        return None
    if found:
        console.print(cost.line(found, hardware), soft_wrap=True)
    return found
