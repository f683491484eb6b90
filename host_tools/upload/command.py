"""`python -m host_tools upload`: a new model over the wire, into a device whose firmware has UPDATE=1."""

import argparse
import contextlib
import datetime
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.terminal import Console, TextColumn, shown
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.faults import where
from squeezenet_mcu.host_tools.firmware import board_model, build
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.link.adaptive import Statistics
from squeezenet_mcu.host_tools.link.device import OPEN_TIMEOUT, TIMEOUT, Device
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.link.transport import BAUDRATE
from squeezenet_mcu.host_tools.link.upload.delta import Piece
from squeezenet_mcu.host_tools.link.upload.kernels import lacking
from squeezenet_mcu.host_tools.link.upload_messages import LINKED, Held, Manifest
from squeezenet_mcu.host_tools.signing import keys
from squeezenet_mcu.host_tools.upload import package
from squeezenet_mcu.host_tools.upload.package import ALEXNET_BYTES, Package
from squeezenet_mcu.host_tools.validate import devices
from squeezenet_mcu.model.settings import config

NAME = "upload"
HELP = "send a new model to a device, into the slot that does not run; only the bytes that differ travel"
EXAMPLES = """\
  python -m host_tools upload --model digits --port /dev/ttyACM0
  python -m host_tools upload --model digits --port /dev/ttyACM0 --key keys/mine
  python -m host_tools upload --model digits --port /dev/ttyACM0 --dry-run       # what would travel
  python -m host_tools upload --model new --old digits --board mps2_an386        # emulated, digits' firmware
The device's firmware has to be made with --update (UPDATE=1). What was interrupted goes on where it was: type
the same again.
exit status: 0 the device runs the model, 1 it keeps its old one, or a user's mistake, 130 interrupted"""

_CLOCKS_APART = 86400  # seconds; between the computers that sign
# Seconds: so far ahead a clock of the owner's may have been. A signature of a day further on would shut out
# what is signed until then, on each device that it is sent to.
_OWN_MISTAKE = 366 * 86400
_MORE_FLASH = 8  # a new model may be this part larger, where it is to have the kernels of the old one
_PATIENCE_WITH_OURS = 4  # times as long: an emulator that we have started has a slow share of a busy machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    parser.add_argument("--port", metavar="URL", help="serial port or pyserial URL of the device")
    parser.add_argument(
        "--board",
        metavar="NAME",
        help="without --port: emulate this board; else what the device is, where that is no board of ours",
    )
    parser.add_argument(
        "--old", metavar="NAME", help="of an emulated board: the model whose firmware it has (as --model)"
    )
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="private key that signs the model (python -m host_tools key)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="sign anew: a model from long ago counts as new, and is taken"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would travel, and send nothing of it"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report to FILE")
    parser.add_argument("--baudrate", type=int, default=BAUDRATE, help=f"of a real UART ({BAUDRATE})")
    devices.add_speed_argument(parser)
    build.add_model_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    console = Console()
    if not args.port and not args.board:
        raise UserError("upload: to which device? want --port, or --board for an emulated one")
    if args.old and args.port:
        raise UserError(
            "--old: is for an emulated board; the device at --port says what it runs; leave it out"
        )
    outputs = files.outputs(args.json)
    signers = keys.read_private(args.key) if args.key else None
    model = config.name_of(args.model)
    with _line(args, model) as line:
        report = _upload(console, args, model, signers, line)
    for path in outputs:
        files.write_json(path, report)
        console.print(f"wrote {path}", soft_wrap=True)
    return 0


@contextlib.contextmanager
def _line(args: argparse.Namespace, model: str) -> Iterator[str]:
    """The URL of the line to the device; an emulator runs as long as the context."""
    if args.port:
        yield args.port
        return
    from squeezenet_mcu.host_tools.emulate import emulator, nor

    old = config.name_of(args.old) if args.old else model
    hardware = board_toml.load(args.board)
    elf = board_model.folder_for(BUILD / old, hardware.name, "squeeze") / "firmware.elf"
    if hardware.name not in nor.boards():
        raise UserError(
            f"--board {args.board}: its emulator keeps no new models; boards whose does: "
            f"{', '.join(nor.boards())}; or want --port"
        )
    if not elf.is_file():
        other = "" if args.old else "; or want --old, if another model's firmware is to take it"
        raise UserError(f"{elf}: missing; run: make firmware MODEL={old} BOARD={args.board} UPDATE=1{other}")
    path = elf.with_suffix(".nor")
    with nor.taken(path), emulator.machine(args.board, elf, extra=nor.arguments(hardware, path)) as machine:
        yield machine.url


def _opened(args: argparse.Namespace, line: str, macs: int) -> Device:
    """The device, with as much patience as a try of the new model wants."""
    patience = 1 if args.port else _PATIENCE_WITH_OURS
    silence = patience * devices.longest_silence("squeeze", {"macs": macs})
    whole = max(TIMEOUT, patience * devices.longest_silence("tflm", {"macs": macs}))
    return Device(
        line,
        silence,
        args.baudrate,
        image_timeout=whole,
        open_timeout=patience * OPEN_TIMEOUT,
        speed=args.speed,
        tell=notice,
    )


def _upload(
    console: Console,
    args: argparse.Namespace,
    model: str,
    signers: tuple[bytes, bytes] | None,
    line: str,
) -> dict[str, Any]:
    described = package.described(model)  # before anything else: it may not be converted
    seen: list[Info] = []

    def running() -> Path | None:
        return where.firmware(seen[0]) if seen else None

    with where.named(running), _opened(args, line, described["macs"]) as device:
        seen.append(device.info)
        board = _board_of(args, device)
        held = device.upload_held()
        ready = _made_for(model, board, args, signers, held)
        old = package.known(held.sha256)
        if held.sha256 == ready.manifest.sha256:
            console.print(f"upload: {line} runs this model already; nothing to send", soft_wrap=True)
            return _report(ready, held, None)
        if args.dry_run:
            device.upload_check(ready.manifest)
            return _preview(console, device, ready, held, old)
        console.print(_what(ready, held, old), soft_wrap=True)
        with _progress(console, device.info.board, len(ready.content)) as show:
            try:
                device.upload(ready.manifest, ready.content, old, show.on_progress)
            except KeyboardInterrupt:
                notice("the device keeps what has arrived, and its model; the same line goes on from there")
                raise
    package.keep_sent(ready)
    report = _report(ready, held, device.statistics, show.resumed)
    _show(console, model, device.info.board, report)
    console.print(f"upload: {line} runs {model} now, and has answered its golden input", soft_wrap=True)
    return report


def _board_of(args: argparse.Namespace, device: Device) -> Board:
    """What the device is. UserError: no board of ours, and --board does not say which."""
    name = args.board or device.info.board
    if not args.board and name not in board_toml.names():  # nor is it a folder, whatever the device says
        raise UserError(
            f"{args.port}: the device calls itself {shown(name)}, which is no board here; "
            "give BOARD= (--board)"
        )
    board = board_toml.load(name)
    if board.name != device.info.board:
        raise UserError(f"--board {name}: {device.info.board} answers; want --board {device.info.board}")
    return board


def _made_for(
    model: str, board: Board, args: argparse.Namespace, signers: tuple[bytes, bytes] | None, held: Held
) -> Package:
    """The model for this device; a leaner one where it wants more arena or other kernels than there are."""
    request = replace(build.model_request_of(args), update=True)  # the same budget as its firmware's
    least = _least_counter(args, held)
    ready = package.prepare(model, board, request, signers, args.fresh, least)
    for leaner in _leaner(request, held):
        if _runs_on(ready.manifest, held):
            break
        with contextlib.suppress(UserError):  # it cannot: the device says what is missing
            ready = package.prepare(model, board, leaner, signers, args.fresh, least)
    return ready


def _runs_on(manifest: Manifest, held: Held) -> bool:
    return manifest.arena_bytes <= held.arena_bytes and lacking(manifest.kernels, held.kernels) == 0


def _leaner(request: ModelRequest, held: Held) -> Iterator[ModelRequest]:
    """In less arena; in about as much flash as the model that runs there, whose kernels then suit; in both.

    What the user has asked for stays.
    """
    sram = held.arena_bytes if request.sram_bytes is None else request.sram_bytes
    flash = held.size + held.size // _MORE_FLASH if request.flash_bytes is None else request.flash_bytes
    yield replace(request, sram_bytes=sram)
    yield replace(request, flash_bytes=flash)
    yield replace(request, sram_bytes=sram, flash_bytes=flash)


def _least_counter(args: argparse.Namespace, held: Held) -> int:
    """What FRESH=1 signs at least. UserError: what the device has had was signed in the future."""
    now = time.time()
    if held.counter <= now + _CLOCKS_APART:
        return 0
    when = datetime.datetime.fromtimestamp(held.counter, datetime.UTC).date()
    said = f"{args.port or args.board}: the device has had a model that was signed on {when}, after today"
    if held.counter > now + _OWN_MISTAKE:
        raise UserError(
            f"{said}, and takes none that is older; erase the flash of its slots, and flash its firmware anew"
        )
    if not args.fresh:
        raise UserError(
            f"{said}; set the clock of this computer, or sign for the same day: --fresh (FRESH=1)"
        )
    return held.counter


def _what(ready: Package, held: Held, old: bytes | None) -> str:
    where = "the model in its firmware" if held.slot == LINKED else f"the model in slot {held.slot}"
    how = "compared with the one in build/" if old is not None else "compared by the hashes of its blocks"
    return f"{len(ready.content):,} bytes; the device copies what it has of them in {where} ({how})"


class _Progress:
    """The bar, and how many bytes an interrupted upload had left there."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=total)
        self.resumed: int | None = None

    def on_progress(self, received: int) -> None:
        if self.resumed is None:
            self.resumed = received
        self._bar.update(self._task, completed=received)


@contextlib.contextmanager
def _progress(console: Console, board: str, total: int) -> Iterator[_Progress]:
    columns = (TextColumn(board), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Progress(bar, total)


def _preview(
    console: Console, device: Device, ready: Package, held: Held, old: bytes | None
) -> dict[str, Any]:
    pieces = device.upload_plan(ready.content, old)
    travels = sum(len(piece.data) for piece in pieces)
    console.print(
        f"upload: the device would take it; {travels:,} of {len(ready.content):,} bytes would travel, the "
        f"others are in the model that it runs ({_copies(pieces)} copies)",
        soft_wrap=True,
    )
    return _report(ready, held, device.statistics) | {"bytes_to_send": travels}


def _copies(pieces: Sequence[Piece]) -> int:
    return sum(piece.length > 0 for piece in pieces)


def _report(
    ready: Package, held: Held, passed: Statistics | None, resumed: int | None = None
) -> dict[str, Any]:
    """`passed`: on the line; None: nothing of a model."""
    sent, received = (passed.bytes_sent, passed.bytes_received) if passed else (0, 0)
    return {
        "engine_sha256": ready.manifest.sha256.hex(),
        "old_engine_sha256": held.sha256.hex(),
        "counter": ready.manifest.counter,
        "signed": any(ready.manifest.signature),
        "wire_bytes": sent + received,
        "wire_bytes_sent": sent,
        "wire_bytes_received": received,
        "resumed_at": resumed or 0,
        "model_bytes": len(ready.content),
        "float_bytes": ready.float_bytes,
        "alexnet_bytes": ALEXNET_BYTES,
    }


def _show(console: Console, model: str, board: str, report: dict[str, Any]) -> None:
    """The bytes on the wire beside what they stand for."""
    table = Table(title=f"{model} to {board}")
    table.add_column("what travels")
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("of AlexNet's", justify="right", no_wrap=True)
    rows = (
        ("this upload, both directions, all messages", report["wire_bytes"]),
        ("the whole engine model", report["model_bytes"]),
        ("the same network, dense, float32", report["float_bytes"]),
        ("AlexNet, float32", report["alexnet_bytes"]),
    )
    for name, size in rows:
        table.add_row(name, f"{size:,}", f"1/{report['alexnet_bytes'] / max(size, 1):,.0f}")
    console.print(table)
    share = report["wire_bytes"] / report["model_bytes"]
    more = f"; {report['resumed_at']:,} bytes were there from before" if report["resumed_at"] else ""
    console.print(f"{share:.1%} of the model's bytes{more}")
