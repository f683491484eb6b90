"""Command: fetches the published weights of an ImageNet network, checks them, imports them."""

import argparse

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.archives import download
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.model.importers import imported_model, official
from squeezenet_mcu.model.importers.official import Official
from squeezenet_mcu.model.settings import config

NAME = "weights"
HELP = "fetch the published weights of an ImageNet network, check them, import them"
EXAMPLES = """  python -m model weights --model imagenet_v1_1
  python -m model weights --model imagenet_v1_0                   # Deep Compression's: 675,763 bytes
  python -m model weights --model imagenet_v1_0 --weights squeezenet_v1.0.caffemodel
  python -m model weights --model imagenet_v1_1 --url https://mirror.example/squeezenet1_1-b8a52dc0.pth"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="NAME",
        help="imagenet_v1_1 or imagenet_v1_0, or a model that starts from one of them, like photos",
    )
    parser.add_argument("--weights", metavar="FILE", help="which of the model's files, where it has several")
    parser.add_argument("--url", metavar="URL", help="another address of the same file, of a mirror")


def run(args: argparse.Namespace) -> int:
    """Writes build/weights/FILE and build/<model>/imported.keras; exit status 0."""
    settings = config.load(_model(args.model))
    file = official.of(settings.name, args.weights)
    if file.place.is_file():
        terminal.echo(f"{file.place}: is there already")
        try:
            known_by = official.check(file, file.place)
        except UserError as error:
            raise UserError(f"{error}; remove it, and type the same again") from None
    else:
        known_by = _fetched(file, args.url or file.url)
    terminal.echo(f"{file.name}: {file.whose}; " + (f"verified by {known_by}" if known_by else "unverified"))
    folder = BUILD / settings.name
    terminal.echo(imported_model.summary(imported_model.write(settings, file.place, folder)))
    terminal.echo(f"wrote {folder / imported_model.OUTPUT}")
    return 0


def _model(name: str) -> str:
    """The model of official.FILES that is meant: `name`, or the one that it starts from."""
    if name in official.FILES:
        return name
    start = config.load(name).train.init
    if start not in official.FILES:
        raise UserError(
            f"--model {name}: no published weights are known for it; want --model "
            f"{', --model '.join(official.FILES)}"
        )
    return start


def _fetched(file: Official, url: str) -> str:
    """Downloads `file` to its place; by what it is known."""
    terminal.echo(f"{url} -> {file.place}")
    try:
        download.download(url, file.place, file.most, lambda part: official.check(file, part))
    except UserError as error:
        raise UserError(f"{error}; {official.by_hand(file)}") from None
    return official.check(file, file.place)
