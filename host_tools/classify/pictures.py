"""The pictures that `classify` is asked about: which files, and what the network gets of each."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.data import folders, pictures, reading
from squeezenet_mcu.common.data.pictures import PictureError
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.preprocess import quantize_images


@dataclass(frozen=True)
class Found:
    """The files, in the order asked for; notices: lines on what was left out."""

    paths: list[Path]
    notices: list[str]


@dataclass(frozen=True)
class Shown:
    """A picture that was read, at the network's size: [height, width, channels].

    `image`: int8, as the network takes it; `pixels`: uint8, which it is made from.
    """

    path: Path
    image: npt.NDArray[np.int8]
    pixels: npt.NDArray[np.uint8]


def words_of(text: str) -> list[str]:
    """What is meant by IMAGE=`text`, one word of make's: the file or folder of that name, blanks and all.

    Where there is none, the words in it as a shell has them, quoted where names hold blanks.
    """
    if Path(text).exists():
        return [text]
    try:
        words = shlex.split(text)
    except ValueError:  # an apostrophe in a name
        return [text]
    return words if len(words) > 1 else [text]


def find(words: Sequence[str], without: Path | None = None) -> Found:
    """The files that `words` name, and those in the folders among them and below, sorted; each once.

    `without`: no picture to be asked about, but what is written. UserError: a folder without pictures.
    """
    paths: dict[Path, None] = {}
    notices = []
    for word in words:
        path = Path(word)
        if not path.is_dir():
            paths[path] = None
            continue
        inside, others = folders.images_of(path)
        inside = [file for file in inside if without is None or file.resolve() != without.resolve()]
        notices += reading.of_other_kinds(path, others)
        if not inside:
            but = f", but {reading.kinds(others)}" if others else ""
            raise UserError(f"{path}: no pictures in it ({', '.join(pictures.suffixes())}){but}")
        paths |= dict.fromkeys(inside)
    return Found(list(paths), notices)


def read_all(
    paths: Sequence[Path], manifest: dict[str, Any], on_unreadable: Callable[[Path, str], None]
) -> Iterator[Shown]:
    """The pictures one after the other, as the model was trained to see them.

    `on_unreadable`: told of each that cannot be read, and why. UserError: a network that takes no pictures.
    """
    size = manifest["input"]
    shape = (size["height"], size["width"], size["channels"])
    if size["channels"] not in pictures.CHANNELS:
        raise UserError(
            f"{manifest['model']} takes images of {size['channels']} channels, which no picture has; want a "
            "network of 1, 3 or 4"
        )
    for path in paths:
        try:
            found = pictures.read(path, *shape, manifest["fit"])
        except PictureError as error:
            on_unreadable(path, str(error))
            continue
        yield Shown(path, quantize_images(found.pixels[np.newaxis], size)[0], found.pixels)
