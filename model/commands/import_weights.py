"""Command: a Keras model of ours with weights of others, preprocessing folded in."""

import argparse
from pathlib import Path

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.model.importers import imported_model
from squeezenet_mcu.model.settings import config

NAME = "import"
HELP = "a Keras model with weights trained elsewhere: build/<model>/imported.keras, for plain RGB pixels"
EXAMPLES = """  python -m model import --model imagenet_v1_0 --weights compressed_SqueezeNet.net
  python -m model import --model imagenet_v1_0 --weights squeezenet_v1.0.caffemodel
  python -m model import --model imagenet_v1_1 --weights squeezenet_v1_1.npz
  python -m model import --model imagenet_v1_1 --weights squeezenet1_1-b8a52dc0.pth
  python -m model import --model imagenet_v1_0_128.toml --weights compressed_SqueezeNet.net"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument(
        "--model", default="imagenet_v1_0", metavar="NAME|TOML", help="with a table [weights] (imagenet_v1_0)"
    )
    parser.add_argument(
        "--weights", type=Path, required=True, metavar="FILE", help=".net, .npz, .caffemodel or .pth"
    )


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    settings = config.load(args.model)
    folder = BUILD / settings.name
    terminal.echo(imported_model.summary(imported_model.write(settings, args.weights, folder)))
    terminal.echo(f"wrote {folder / imported_model.OUTPUT}")
    return 0
