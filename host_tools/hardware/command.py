"""`python -m host_tools report-hardware`: what a board does, as one JSON; and what such a JSON tells."""

import argparse
import time
from pathlib import Path

import msgspec
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.terminal import Console, shown
from squeezenet_mcu.common.version import version
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.faults import where
from squeezenet_mcu.host_tools.firmware import tflm_library
from squeezenet_mcu.host_tools.hardware import compare, parts, predict, record
from squeezenet_mcu.host_tools.hardware.record import Memory, Report, Spent
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.messages import Feature
from squeezenet_mcu.host_tools.link.transport import BAUDRATE
from squeezenet_mcu.host_tools.profile.command import plan_of
from squeezenet_mcu.host_tools.selftest import command as selftest
from squeezenet_mcu.host_tools.validate import command as validate
from squeezenet_mcu.host_tools.validate import compare as compared
from squeezenet_mcu.host_tools.validate import devices
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import Artefacts, TestSet, load_artefacts, load_tests
from squeezenet_mcu.host_tools.validate.several import Share
from squeezenet_mcu.model.settings import config

NAME = "report-hardware"
HELP = "what a real board does, as one JSON to send in (docs/seen-on-silicon.md), or what such a JSON tells"
EXAMPLES = """\
  python -m host_tools report-hardware --model digits --port /dev/ttyACM0
  python -m host_tools report-hardware --model digits --board stm32f405    # the emulated one: to try it
  python -m host_tools report-hardware --report theirs.json                # how far the cycle model is off
exit status: 0 all equal (or a report that is sound), 1 any difference or a user's mistake"""

IMAGES = 20
FOLDER = Path("build/hardware")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    parser.add_argument("--port", metavar="URL", help="serial port or pyserial URL of a device")
    parser.add_argument(
        "--board",
        metavar="NAME",
        help="without --port: emulate this one; with it: what is there, if not ours",
    )
    parser.add_argument(
        "--usb", action="store_true", help="with --board alone: over the emulated board's own USB"
    )
    parser.add_argument(
        "--inspect",
        action="store_true",
        help="with each layer, of firmware that can watch them (INSPECT=1); without it: where it can",
    )
    tflm_library.add_engine_argument(parser)
    parser.add_argument("--baudrate", type=int, default=BAUDRATE, help=f"of a real UART ({BAUDRATE})")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="instead of build/hardware/<board>-<model>.json"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="make none: compare this one with the model"
    )


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    console = Console()
    if args.report:
        return show(console, record.read(args.report))
    if not args.port and not args.board:
        raise UserError(f"{NAME}: want --port or --board, or --report FILE")
    if args.inspect and args.engine != "squeeze":
        raise UserError(f"--inspect: {args.engine}'s layers cannot be watched; want --engine squeeze")
    board = None if args.port else args.board
    way = Way(args.port, board, args.engine, args.baudrate, args.usb, args.inspect)
    if args.json:
        files.outputs(args.json)
    checked = None if way.port else _selftest(way)
    artefacts = load_artefacts(config.name_of(args.model))
    tests = load_tests(artefacts, None, IMAGES)
    for text in tests.notices:
        notice(text)
    with devices.connected(way, artefacts) as device:
        hardware = board_of(args.board, device.info.board, args.port)
        report = measured(console, way, device, hardware, artefacts, tests)
    report = msgspec.structs.replace(
        with_prediction(report, way, hardware, artefacts, tests),
        selftest=checked or parts.last_selftest(report.board),
    )
    path = args.json or FOLDER / f"{report.board}-{report.model}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, record.as_json(report))
    status = show(console, report)
    console.print(f"wrote {path}; docs/seen-on-silicon.md says where to send it", soft_wrap=True)
    if report.selftest is None:
        line = as_typed(f"make selftest BOARD={report.board} BUILD=1")
        notice(f"without a self-test, whose program must be flashed for it: {line}")
    if report.layers is None and args.engine == "squeeze":
        notice("without layers: firmware for that is built with INSPECT=1 (docs/inspect.md)")
    return status


def _selftest(way: Way) -> list[record.Check]:
    assert way.board is not None
    return parts.checks(way.board, selftest.examine(way.board, None))


def measured(
    console: Console, way: Way, device: Device, hardware: Board, artefacts: Artefacts, tests: TestSet
) -> Report:
    """All of a report but what the model says, and the self-test."""
    reference = Reference.of(artefacts.manifest, artefacts.tflite)
    begun = time.monotonic()
    share = Share(way.port or "", device)
    found = validate.compare_with_progress(console, [share], reference, artefacts, tests, compared.Report())
    seconds = time.monotonic() - begun
    passed = parts.line(device, seconds, found.images)
    info = device.info
    if found.ended:
        raise found.ended
    if found.interrupted:
        raise UserError(f"{info.board}: interrupted after {found.images} images; run it again")
    spent = None
    if info.features & Feature.PROFILE:
        spent = parts.layers(device, tests.images[0], plan_of(way, artefacts))
    in_cycles = info.counter_kind == "cycles" and info.counter_hz > 0
    fault = device.fault_before
    return Report(
        format=record.FORMAT,
        project=version(),
        board=hardware.name,
        cpu=hardware.cpu,
        emulated=not way.port or info.counter_kind != "cycles",
        compiler=parts.compiler(_elf(way, device, artefacts)),
        build_id=info.build_id,
        reset_cause=info.reset_cause,
        last_fault=parts.text(f"{fault.cause}; {fault.registers}") if fault else None,
        model=artefacts.model,
        model_sha256=info.model_sha256,
        engine_sha256=info.engine_sha256,
        counter=info.counter_kind,
        counter_hz=info.counter_hz,
        images=found.images,
        compared_int8=found.values,
        differing_int8=found.differing_values,
        count=Spent(min(found.counts), found.mean_count, max(found.counts)),
        milliseconds=round(found.mean_count / info.counter_hz * 1e3, 3) if in_cycles else None,
        predicted=None,
        memory=Memory(
            info.flash_used_bytes,
            info.flash_total_bytes,
            found.sram_high_water,
            info.sram_total_bytes,
            found.stack_high_water,
        ),
        layers=spent,
        selftest=None,
        link=passed,
    )


def with_prediction(
    report: Report, way: Way, hardware: Board, artefacts: Artefacts, tests: TestSet
) -> Report:
    """`report` with what the cycle model says of the same firmware, or of its engine model."""
    elf = where.by_build_id(report.build_id, devices.firmware_of(way, artefacts) if way.board else None)
    found = predict.counted(hardware, elf, tests.images[0])
    estimated = None
    if found is None or report.layers:  # the emulator counts whole images, the formulas have each layer
        estimated = predict.estimated(hardware, artefacts.model, report.engine_sha256)
    if found is None:
        found = estimated
    elif estimated is not None and (found.cycles is None) == (estimated.cycles is None):  # of one unit
        found = msgspec.structs.replace(found, layers=estimated.layers)
    return msgspec.structs.replace(report, predicted=found)


def board_of(given: str | None, said: str, port: str | None) -> Board:
    """The board: `given`, else the one that the device at `port` says it is. UserError: none is called so."""
    if given:
        return board_toml.load(given)
    if said not in board_toml.names():
        raise UserError(
            f"{port}: the device calls itself {shown(said)}, which is no board here; give BOARD= (--board)"
        )
    return board_toml.load(said)


def _elf(way: Way, device: Device, artefacts: Artefacts) -> Path | None:
    return where.firmware(device.info, devices.firmware_of(way, artefacts) if way.board else None)


def show(console: Console, report: Report) -> int:
    """Prints what a report tells; returns the exit status."""
    table = Table(title=f"{report.model} on {report.board} ({report.cpu})")
    for name in ("an image", "the board", "the cycle model", "off by"):
        table.add_column(name, justify="left" if name == "an image" else "right")
    found = compare.rows(report)
    for row in found:
        digits = 2 if row.what.startswith("ms") else 0
        table.add_row(row.what, f"{row.real:,.{digits}f}", f"{row.model:,.{digits}f}", f"{row.off:+.1%}")
    if not found:
        table.add_row(report.counter, f"{report.count.mean:,}", "not known", "")
    if report.layers:
        table.add_section()
    estimates = {row.what: row for row in compare.by_layer(report)}
    for layer in report.layers or ():
        known = estimates.get(layer.name)
        beside = (f"{known.model:,.0f}", f"{known.off:+.1%}") if known else ("", "")
        table.add_row(f"{layer.name}, {report.counter}", f"{layer.count:,}", *beside)
    console.print(table)
    for text in compare.remarks(report):
        console.print(f"- {text}", soft_wrap=True)
    console.print(compare.markdown(report), soft_wrap=True)
    return 1 if report.differing_int8 else 0
