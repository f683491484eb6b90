"""`python -m host_tools validate`: images over serial, the device's answers against Python's."""

import argparse
import contextlib
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.terminal import Console, TextColumn
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import board_model, tflm_library
from squeezenet_mcu.host_tools.link.device import OPEN_TIMEOUT, TIMEOUT, Device
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.link.transport import BAUDRATE
from squeezenet_mcu.host_tools.validate import cost
from squeezenet_mcu.host_tools.validate import top5 as answers
from squeezenet_mcu.host_tools.validate.compare import Report, as_json, compare_all
from squeezenet_mcu.host_tools.validate.compared import Artefacts, TestSet, load_artefacts, load_tests
from squeezenet_mcu.model.settings import config

NAME = "validate"
HELP = "send images to a board, or to an emulated one, and compare every answer with Python's"
EXAMPLES = """\
  python -m host_tools validate --model digits --board stm32f405
  python -m host_tools validate --model digits --port /dev/ttyACM0 --limit 1000
  python -m host_tools validate --model gtsrb --port COM5 --data my_images/ --json report.json
  python -m host_tools validate --model digits --board mps2_an386 --engine tflm    # with TFLite Micro
exit status: 0 all equal, 1 any difference or a user's mistake, 130 interrupted"""

LIMIT = 200
_LEAST_SILENCE = 7.0  # seconds; what the smallest network is given
_PATIENCE_WITH_OURS = (
    4  # times as long: an emulator that we have started is no stranger, and has a slow share
)
_MORE = 1.0  # seconds for an image beyond the longest silence
_SLOWEST_MACS = 1e6  # a second: reference kernels in an emulator on a busy machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", metavar="URL", help="serial port or pyserial URL of a device")
    where.add_argument("--board", metavar="NAME", help="emulate this board, with its firmware from build/")
    tflm_library.add_engine_argument(parser)
    parser.add_argument("--baudrate", type=int, default=BAUDRATE, help=f"of a real UART ({BAUDRATE})")
    parser.add_argument("--data", metavar="SOURCE", help="folder, .npz or name (the model's own)")
    parser.add_argument(
        "--limit", type=int, default=LIMIT, metavar="N", help=f"at most N images of the test split ({LIMIT})"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report to FILE")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    console = Console()
    if args.json:
        files.outputs(args.json)
    artefacts = load_artefacts(config.name_of(args.model))
    tests = load_tests(artefacts, args.data, args.limit)
    for notice in tests.notices:
        console.print(f"note: {notice}", soft_wrap=True)
    patience = 1 if args.port else _PATIENCE_WITH_OURS
    silence = patience * longest_silence(args.engine, artefacts.manifest)
    if not args.port:  # in an emulator a burst of a large network's rows may take minutes, too
        silence = max(silence, longest_silence("tflm", artefacts.manifest))
    whole = patience * longest_image(silence, artefacts.manifest, args.baudrate)
    # First, because it finds a manifest that is not the .tflite's: no board is to blame for that.
    reference = Reference.of(artefacts.manifest, artefacts.tflite)

    def device_at(url: str) -> Device:
        return Device(url, silence, args.baudrate, image_timeout=whole, open_timeout=patience * OPEN_TIMEOUT)

    with _device_url(args, artefacts) as url, device_at(url) as device:
        check_model(device.info, artefacts, url, args.engine, ours=bool(args.board))
        report = compare_with_progress(console, device, reference, artefacts, tests)
        info = device.info
    if answers.many_classes(artefacts.manifest):
        answers.show(console, report.answers, artefacts.manifest)
    show(console, report, info, artefacts, tests.source)
    spent = None if args.port or report.interrupted else _count(console, args, artefacts, tests, device_at)
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


def longest_silence(engine: str, manifest: dict[str, Any]) -> float:
    """Seconds after which a device is given up: TFLite Micro answers nothing while it runs a whole image.

    Our engine answers between the bursts of rows that it computes.
    """
    computing: float = manifest["macs"] / _SLOWEST_MACS
    return min(TIMEOUT, _LEAST_SILENCE + computing) if engine == "squeeze" else TIMEOUT + computing


def longest_image(silence: float, manifest: dict[str, Any], baudrate: int) -> float:
    """Seconds for an image that a device may take that is never silent for `silence` seconds."""
    size = manifest["input"]
    bits = 10 * size["height"] * size["width"] * size["channels"]  # on a UART, with start and stop bit
    found: float = silence + _MORE + manifest["macs"] / _SLOWEST_MACS + 2 * bits / max(1, baudrate)
    return found


def check_model(info: Info, artefacts: Artefacts, url: str, engine: str, ours: bool) -> None:
    """UserError where the device runs another model than the one that it would be compared with, or says
    that it does and takes other images.

    `ours`: we have started the emulator at `url` ourselves, from a firmware in build/.
    """
    wanted = artefacts.manifest["tflite_sha256"]
    if info.model_sha256 == wanted:
        check_sizes(info, artefacts, url)
        return
    names = f"MODEL={artefacts.model} BOARD={shlex.quote(info.board)}{tflm_library.make_option(engine)}"
    if ours:
        fix = f"run: make firmware {names}"
    elif url.startswith("socket://"):
        fix = f"end the emulator, then: make simulate {names}"
    else:
        fix = f"run: make flash {names}"
    raise UserError(
        f"{url}: the device runs model {info.model_sha256}, {artefacts.folder} has {wanted}; {fix}"
    )


def check_sizes(info: Info, artefacts: Artefacts, url: str) -> None:
    """UserError where the device names the right model, but sizes that are not its, or impossible."""
    size = artefacts.manifest["input"]
    wanted = (size["height"], size["width"], size["channels"], artefacts.manifest["output"]["classes"])
    seen = (info.height, info.width, info.channels, info.classes)
    if seen != wanted:
        said, want = ("{} x {} x {}, {} classes".format(*of) for of in (seen, wanted))
        raise UserError(f"{url}: the device says {said}; {artefacts.folder} has {want}; {_FLASH_AGAIN}")
    for what, used, total in (
        ("SRAM for its arena", info.arena_bytes, info.sram_total_bytes),
        ("SRAM for variables", info.static_sram_bytes, info.sram_total_bytes),
        ("flash", info.flash_used_bytes, info.flash_total_bytes),
    ):
        if used > total:
            raise UserError(
                f"{url}: the device says that it uses {used:,} bytes of {what}; there are {total:,}; "
                f"{_FLASH_AGAIN}"
            )


_FLASH_AGAIN = "its firmware is damaged, or not ours: flash it again"


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


def show(console: Console, report: Report, info: Info, artefacts: Artefacts, source: str) -> None:
    """Prints the table of figures."""
    table = Table(title=f"{artefacts.model} on {info.board}", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", overflow="fold")
    for name, value in table_rows(report, info, source, answers.many_classes(artefacts.manifest)):
        table.add_row(name, value)
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


def _elf(args: argparse.Namespace, artefacts: Artefacts) -> Path:
    """The firmware for --board, which may not be there yet."""
    name = board_toml.load(args.board).name  # an unknown one is a better complaint than a missing file
    return board_model.folder_for(artefacts.folder, name, args.engine) / "firmware.elf"


def _count(
    console: Console,
    args: argparse.Namespace,
    artefacts: Artefacts,
    tests: TestSet,
    device_at: Callable[[str], Device],
) -> cost.Cost | None:
    """Says what the first image costs the emulated board; None: nobody knows."""
    hardware = board_toml.load(args.board)
    try:
        found = cost.of_one_image(args.board, hardware, _elf(args, artefacts), tests.images[0], device_at)
    except cost.NotCountedError as error:
        console.print(f"note: no cycles: {error}", soft_wrap=True)
        return None
    if found:
        console.print(cost.line(found, hardware), soft_wrap=True)
    return found


@contextlib.contextmanager
def _device_url(args: argparse.Namespace, artefacts: Artefacts) -> Iterator[str]:
    """The URL to talk to: the port given, or an emulator that runs as long as the context."""
    if args.port:
        yield args.port
        return
    from squeezenet_mcu.host_tools.emulate import emulator

    elf = _elf(args, artefacts)
    if not elf.is_file():
        more = " ENGINE=tflm TFLM_INCLUDE= TFLM_LIB=" if args.engine == "tflm" else ""
        raise UserError(
            f"{elf}: missing; run: make firmware MODEL={artefacts.model} BOARD={args.board}{more}"
        )
    with emulator.running(args.board, elf) as url:
        yield url
