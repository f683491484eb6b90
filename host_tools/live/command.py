"""`python -m host_tools live`: watch a device at work on a page, beside Python's answers."""

import argparse
import contextlib
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.terminal import Console, TextColumn
from squeezenet_mcu.host_tools.analyze import fit, subject
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.live import guard, server
from squeezenet_mcu.host_tools.live import source as sources
from squeezenet_mcu.host_tools.live.control import Control
from squeezenet_mcu.host_tools.live.hub import Hub
from squeezenet_mcu.host_tools.live.page import Page
from squeezenet_mcu.host_tools.live.session import Session, connector
from squeezenet_mcu.host_tools.live.source import Camera
from squeezenet_mcu.host_tools.live.totals import Totals
from squeezenet_mcu.host_tools.validate import devices
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import load_artefacts
from squeezenet_mcu.model.settings import config

NAME = "live"
HELP = "watch a device at work on a page in the browser: pictures going in, its answers beside Python's"
EXAMPLES = """\
  python -m host_tools live --model digits --board stm32f405              # an emulated board
  python -m host_tools live --model digits --port /dev/ttyACM0 --open     # a real one; opens the browser
  python -m host_tools live --model digits --port COM5 --source camera    # the camera of the browser
  python -m host_tools live --model gtsrb --board stm32f405 --source my_images/ --limit 200 --json live.json
  python -m host_tools live --model digits --port /dev/ttyACM0 --listen 0.0.0.0:8321   # beyond this computer
Ctrl-C ends it. exit status: 0 all equal, 1 any difference, an image given up, or a user's mistake"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    devices.add_arguments(parser)
    parser.add_argument(
        "--source",
        metavar="SOURCE",
        help="a folder, a picture, data as --data takes them, or camera (the model's test images)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="end after N images (never)")
    parser.add_argument("--stay", action="store_true", help="with --limit: go on showing the page then")
    parser.add_argument(
        "--listen",
        default=guard.DEFAULT,
        metavar="ADDRESS:PORT",
        help=f"where the page is ({guard.DEFAULT}; port 0: a free one); beyond this computer with a token",
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE at the end")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    if args.limit is not None and args.limit < 1:
        raise UserError(f"--limit (LIMIT=): {args.limit}; want at least 1 image")
    if args.stay and args.limit is None:
        raise UserError("--stay (STAY=1): wants --limit (LIMIT=), too: without a limit nothing ends")
    way, listen = Way.of(args), guard.parse(args.listen)
    if args.json:
        files.outputs(args.json)
    artefacts = load_artefacts(config.name_of(args.model))
    reference = Reference.of(artefacts.manifest, artefacts.tflite)
    source = sources.of(artefacts, args.source)
    console, hub, control = Console(), Hub(), Control()
    page = Page(artefacts.manifest, source)
    hub.tell({"type": "hello", "run": page.run})
    camera = source if isinstance(source, Camera) else None
    with (
        server.serving(listen, page, hub, control, camera) as serving,
        _progress(console, args.limit) as shown,
    ):
        _say_where(console, serving, args.open, camera is not None)
        session = Session(
            connector(way, artefacts),
            artefacts,
            reference,
            source,
            hub,
            control,
            emulated=bool(way.board),
            estimated=_estimated(way, artefacts.model),
            say=lambda line: console.print(f"live: {line}", soft_wrap=True),
            on_image=shown,
        )
        failed: UserError | None = None
        try:
            session.run(args.limit)
            session.end(args.stay)
            if args.stay:
                _stay(console)
        except KeyboardInterrupt:
            session.end()
        except UserError as error:
            if session.info is None:
                raise
            session.end()
            failed = error  # what was compared until then is told first
    status = _conclude(console, session, artefacts.model, source.name, args.json)
    if failed:
        raise failed
    return status


def _estimated(way: Way, model: str) -> float | None:
    """Milliseconds of an image on the emulated board, as `analyze` has them; None where nobody can say."""
    if way.board is None or way.engine != "squeeze":
        return None
    with contextlib.suppress(UserError):
        found = subject.of_model(model)
        if found.maker is not None:
            board = board_toml.load(way.board)
            return fit.on(board, found.manifest, found.maker, ModelRequest()).milliseconds
    return None


def _say_where(console: Console, serving: server.Server, opens: bool, camera: bool) -> None:
    """The address; what is to be known of it."""
    console.print(f"live: the page is at {serving.url}", soft_wrap=True)
    if serving.token:
        notice(
            "the page is not for this computer alone: whoever has its address sees the pictures and can "
            "pause; nothing is encrypted on the way"
        )
    if camera:
        console.print('live: open it and press "Use the camera"', soft_wrap=True)
    console.print("live: Ctrl-C ends it")
    if opens and not webbrowser.open(serving.url):
        notice("no browser could be opened here; open the address in one")


def _stay(console: Console) -> None:
    console.print("live: all images are done; the page stays until Ctrl-C")
    while True:
        time.sleep(1)


@contextlib.contextmanager
def _progress(console: Console, limit: int | None) -> Iterator["_Shown"]:
    """A line with the figures, as long as the context."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[agreement]}"),
    )
    with Progress(*columns, console=console) as progress:
        yield _Shown(progress, progress.add_task("images", total=limit, rate="", agreement=""))


class _Shown:
    """Called after each image."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def __call__(self, totals: Totals) -> None:
        self._progress.update(
            self._task,
            completed=totals.images,
            rate=f"{totals.rate:.1f} images/s",
            agreement=f"exact {totals.agreement:.2%}",
        )


def _conclude(console: Console, session: Session, model: str, source: str, path: Path | None) -> int:
    """Prints the summary, writes the report; returns the exit status."""
    totals, info = session.totals, session.info
    if info is None:
        console.print("live: ended before the device was there")
        return 0
    console.print(
        f"live: {totals.images:,} images on {info.board}, {totals.exact_images:,} of them exact "
        f"({totals.agreement:.2%}); {totals.rate:.1f} images/s; device {totals.losses} x away, "
        f"{totals.resets} x reset",
        soft_wrap=True,
    )
    if totals.first_difference:
        console.print(f"live: NOT exact; first difference: {totals.first_difference}", soft_wrap=True)
    if totals.images_given_up:
        console.print(
            f"live: {totals.images_given_up} given up: {', '.join(totals.given_up[:5])}", soft_wrap=True
        )
    if path:
        files.write_json(path, totals.as_json(info, model, source))
        console.print(f"wrote {path}", soft_wrap=True)
    elif not totals.sound:
        console.print(as_typed("live: --json FILE (JSON=FILE) keeps the figures"), soft_wrap=True)
    return 0 if totals.sound else 1
