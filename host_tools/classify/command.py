"""`python -m host_tools classify`: what is this? The network's classes for pictures of the user's own."""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from squeezenet_mcu.common import files, start, terminal
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import printable
from squeezenet_mcu.host_tools.classify import answers, pictures, runners, sheet
from squeezenet_mcu.host_tools.classify.answers import Answer
from squeezenet_mcu.host_tools.classify.pictures import Shown
from squeezenet_mcu.host_tools.validate import devices
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import Artefacts, load_artefacts
from squeezenet_mcu.model.settings import config

NAME = "classify"
HELP = "what is this? the classes of a picture, or of each in a folder, by this computer or by a board"
EXAMPLES = """\
  python -m host_tools classify --model photos photo.jpg
  python -m host_tools classify --model photos one.jpg two.png holiday/ --save sheet.png
  python -m host_tools classify --model photos photo.jpg --board rp2040        # the emulated board
  python -m host_tools classify --model photos photo.jpg --port /dev/ttyACM0   # a board that was flashed
  python -m host_tools classify --model photos holiday/ --json answers.json
exit status: 0 also where some pictures cannot be read; 1 where none can, or for a mistake; 130 interrupted"""

_WIDEST = 44  # cells of the terminal for a name; behind a longer one the classes stand further right


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("pictures", nargs="*", metavar="FILE", help="pictures, and folders of them")
    parser.add_argument(
        "--image", action="append", default=[], metavar="FILE", help="as FILE; make's IMAGE= gives it"
    )
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    devices.add_arguments(parser, required=False)
    parser.add_argument(
        "--save", type=Path, metavar="PNG", help="also draw all pictures with their classes into this one"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the answers to FILE")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    way = Way.of(args)
    if args.save:
        sheet.check(args.save, args.json)
    artefacts = load_artefacts(config.name_of(args.model))
    words = [*args.pictures]
    for text in args.image:
        words += pictures.words_of(text) if start.by_make() else [text]
    if not words:
        raise UserError("no picture; want IMAGE=photo.jpg (--image photo.jpg), or a folder of pictures")
    found = pictures.find(words, args.save)
    if args.json:
        files.outputs(args.json)
    for text in found.notices:
        notice(text)
    unreadable: dict[Path, str] = {}

    def on_unreadable(path: Path, why: str) -> None:
        unreadable[path] = why
        terminal.error(f"classify: {printable(str(path))}: cannot be read ({printable(why)})")

    readable = pictures.read_all(found.paths, artefacts.manifest, on_unreadable)
    first = next(readable, None)  # before an emulator boots
    if first is None:
        raise UserError(f"no picture can be read, of {len(found.paths)}; want at least one that can")
    by, given = "", []
    with runners.opened(way, artefacts) as runner:
        by = runner.by
        terminal.echo(f"{artefacts.model}, by {printable(by)}:", flush=True)
        width = min(_WIDEST, max(cell_len(printable(str(path))) for path in found.paths))
        for picture in itertools.chain([first], readable):
            made = answers.answer(picture.path, runner.run(picture.image), artefacts.manifest)
            given.append(made)
            name = printable(str(made.path))
            gap = " " * max(0, width - cell_len(name))
            terminal.echo(f"  {name}{gap}  {answers.line(made)}", flush=True)
    counted = _count(way, artefacts, first, given)
    if args.save:
        sheet.write(args.save, artefacts.manifest, by, given)
    if args.json:
        files.write_json(args.json, _as_json(artefacts, way, by, given, unreadable) | {"cost": counted})
        terminal.echo(f"wrote {printable(str(args.json))}")
    return 0


def _count(way: Way, artefacts: Artefacts, first: Shown, given: Sequence[Answer]) -> dict[str, Any] | None:
    """Says what a picture costs an emulated board whose own counter tells no time; None: nobody knows."""
    if not way.board or given[0].milliseconds is not None:
        return None
    counted = runners.counted(way, artefacts, first.image)
    if counted is None:
        return None
    cost, line = counted
    terminal.echo(line)
    return cost.as_json()


def _as_json(
    artefacts: Artefacts, way: Way, by: str, given: Sequence[Answer], unreadable: dict[Path, str]
) -> dict[str, Any]:
    """The answers for programs; see Answer.as_json."""
    return {
        "model": artefacts.model,
        "tflite_sha256": artefacts.manifest["tflite_sha256"],
        "by": by,
        "board": way.board,
        "port": way.port,
        "engine": way.engine,
        "fit": artefacts.manifest["fit"],
        "pictures": [answer.as_json() for answer in given],
        "unreadable": [{"file": str(path), "reason": why} for path, why in unreadable.items()],
    }
