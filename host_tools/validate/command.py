"""`python -m host_tools validate`: images over serial, the device's answers against Python's."""

import argparse
import shlex
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.terminal import Console, TextColumn
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import board_model, tflm_library
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.validate import cost, devices
from squeezenet_mcu.host_tools.validate import top5 as answers
from squeezenet_mcu.host_tools.validate.compare import Report, as_json, compare_all
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import Artefacts, TestSet, load_artefacts, load_tests
from squeezenet_mcu.model.settings import config

NAME = "validate"
HELP = "send images to a board, or to an emulated one, and compare every answer with Python's"
EXAMPLES = """\
  python -m host_tools validate --model digits --board stm32f405
  python -m host_tools validate --model digits --port /dev/ttyACM0 --limit 1000
  python -m host_tools validate --model gtsrb --port COM5 --data my_images/ --json report.json
  python -m host_tools validate --model digits --board rp2040 --usb                # over its own USB
  python -m host_tools validate --model digits --board mps2_an386 --engine tflm    # with TFLite Micro
  python -m host_tools validate --model digits --board stm32f405 --layers          # every row of every layer
exit status: 0 all equal, 1 any difference or a user's mistake, 130 interrupted"""

LIMIT = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    devices.add_arguments(parser)
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
    way = Way.of(args, inspect=args.layers)
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

    with devices.connected(way, artefacts) as device:
        report = compare_with_progress(console, device, reference, artefacts, tests)
        info = device.info
    if answers.many_classes(artefacts.manifest):
        answers.show(console, report.answers, artefacts.manifest)
    show(console, report, info, artefacts, tests.source, _cores(way, artefacts))
    spent = None if args.port or report.interrupted else _count(console, way, artefacts, tests)
    if args.json and not report.interrupted:
        # Of a device at a port only the .tflite is known, not for what memory its engine model was made.
        ours = args.board and args.engine == "squeeze"
        made = (
            board_model.made_for(artefacts.folder, board_toml.name_of(args.board))
            if ours
            else {"engine_sha256": None}
        )
        manifest = artefacts.manifest | made
        more = {"engine": args.engine, "cost": spent.as_json() if spent else None}
        files.write_json(args.json, as_json(report, info, manifest) | more)
        console.print(f"wrote {args.json}", soft_wrap=True)
    return conclude(console, report)


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
    console: Console, device: Device, reference: Reference, artefacts: Artefacts, tests: TestSet
) -> Report:
    """compare_all under a progress bar: rate, images exact so far, time left."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("exact {task.fields[agreement]}"),
        TimeRemainingColumn(),
        console=console,
    )
    with progress:
        task = progress.add_task(device.info.board, total=len(tests.images), rate="", agreement="")

        def on_image(report: Report) -> None:
            speed = progress.tasks[task].speed
            progress.update(
                task,
                completed=report.images,
                rate=f"{speed:.1f} images/s" if speed else "",
                agreement=f"{report.agreement:.2%}",
            )

        return compare_all(
            device,
            reference,
            tests.images,
            tests.labels,
            artefacts.manifest["output"]["logits_tensor"],
            on_image=on_image,
        )


def _cores(way: Way, artefacts: Artefacts) -> str:
    """How many of an emulated board's cores compute; "" where it has one, and at a port: nobody says."""
    board = board_toml.load(way.board) if way.board else None
    if board is None or board.cores == 1:
        return ""
    cores = board_model.cores_of(artefacts.folder, board, way.engine)
    return f"{cores} of {board.cores}" if cores else ""


def show(
    console: Console, report: Report, info: Info, artefacts: Artefacts, source: str, cores: str = ""
) -> None:
    """Prints the table of figures. `cores`: how many compute, of how many."""
    table = Table(title=f"{artefacts.model} on {info.board}", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", overflow="fold")
    for name, value in table_rows(report, info, source, answers.many_classes(artefacts.manifest)):
        table.add_row(name, value)
    if cores:
        table.add_row("cores that compute", cores)
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
    device_at = devices.opener(way, artefacts)
    try:
        found = cost.of_one_image(way.board, hardware, elf, tests.images[0], device_at)
    except cost.NotCountedError as error:
        notice(f"no cycles: {error}")
        return None
    if found:
        console.print(cost.line(found, hardware), soft_wrap=True)
    return found
