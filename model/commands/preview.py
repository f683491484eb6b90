"""Command: one picture of images as training sees them. Imports no TensorFlow."""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.data import images
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.model.card import lettering
from squeezenet_mcu.model.settings import config, options
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import training_images
from squeezenet_mcu.model.train.augment import augmented

NAME = "preview"
HELP = "a picture of each class's images, beside what augmentation makes of them"
EXAMPLES = """  python -m model preview --model digits
  python -m model preview --model small --data my_images/"""
FILE = "preview.png"

_CLASSES, _ORIGINALS, _SAMPLES = 10, 3, 3
_CELL, _GAP, _LABEL, _HEAD = 64, 6, 150, 26
_BACK, _INK, _FAINT = "white", "black", "#666666"
_FRAME = "#d03030"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    options.add_model(parser)
    parser.add_argument("--data", metavar="SOURCE", help="as of train (default: what the TOML says)")
    options.add_fit(parser)


def run(args: argparse.Namespace) -> int:
    """Writes build/<model>/preview.png; exit status 0."""
    settings = config.load(args.model)
    source = training_images.source_of(settings, BUILD / settings.name, args.data)
    settings = settings.with_fit(args.fit or settings.data.fit)
    settings, train, _ = training_images.load(settings, source)
    write(settings, train, BUILD / settings.name / FILE)
    return 0


def write(settings: Config, train: Set, path: Path) -> None:
    """Writes the picture of `train` to `path`, and says so."""
    with files.replacing(path) as temporary:
        picture(settings, train).save(temporary)
    terminal.echo(f"preview of the images, and of what augmentation makes of them: {path}")


def picture(settings: Config, train: Set) -> Image.Image:
    """A row a class (at most ten, evenly spread): originals, framed, each followed by augmented samples."""
    labels = settings.data.labels
    shown = images.spread(len(labels), _CLASSES)
    rng = np.random.default_rng(settings.train.seed)
    scale = max(1, round(_CELL / max(settings.input.height, settings.input.width)))
    high, wide = settings.input.height * scale, settings.input.width * scale
    columns = _ORIGINALS * (1 + _SAMPLES)
    size = (_LABEL + columns * (wide + _GAP) + _ORIGINALS * _GAP, _HEAD + len(shown) * (high + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _BACK)
    draw, font = ImageDraw.Draw(sheet), lettering.font(13)
    of_all = (
        f"{len(shown)} of {len(labels)} classes" if len(shown) < len(labels) else f"{len(labels)} classes"
    )
    draw.text((_GAP, 5), of_all, _FAINT, font)
    for i in range(_ORIGINALS):
        left = _LABEL + i * ((1 + _SAMPLES) * (wide + _GAP) + _GAP)
        draw.text((left, 5), "image", _FRAME, font)
        draw.text((left + wide + _GAP, 5), "augmented", _FAINT, font)
    for row, index in enumerate(shown):
        top = _HEAD + row * (high + _GAP)
        of_class = np.flatnonzero(train.y == index)
        text = lettering.fitting(labels[index], font, _LABEL - 2 * _GAP)
        draw.text((_GAP, top + high / 2 - 17), text, _INK, font)
        draw.text((_GAP, top + high / 2 + 1), f"{len(of_class):,} images", _FAINT, font)
        for i, chosen in enumerate(of_class[images.spread(len(of_class), _ORIGINALS)]):
            left = _LABEL + i * ((1 + _SAMPLES) * (wide + _GAP) + _GAP)
            changed = augmented(np.repeat(train.x[chosen][np.newaxis], _SAMPLES, 0), settings.train, rng)
            for j, pixels in enumerate([train.x[chosen], *changed]):
                at = (left + j * (wide + _GAP), top)
                sheet.paste(_enlarged(pixels, scale), at)
            draw.rectangle((left - 2, top - 2, left + wide + 1, top + high + 1), outline=_FRAME, width=2)
    return sheet


def _enlarged(pixels: npt.NDArray[np.uint8], scale: int) -> Image.Image:
    """uint8 [h, w, c] as a picture, every pixel a square of `scale`."""
    rgb = images.with_channels(pixels[np.newaxis], 3)[0]
    return Image.fromarray(rgb.repeat(scale, 0).repeat(scale, 1))
