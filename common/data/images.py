"""Images as arrays: gray to RGB and back, brought to a size. Imports no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

# "crop" as networks for ImageNet are scored, with the border that v1.0's 227 pixels leave round v1.1's 224:
# the image covers 227/224 of the size asked for, of which the centre is taken.
_COVER, _CENTRE = 227, 224
_MOST_BETWEEN = 25_165_824  # pixels on the way to another size; photos for 224 x 224 have 7 million at most
_COLOURS = {1: "gray", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class Images:
    """x uint8 [n, h, w, c]; y int64 [n], indices into `labels`, -1 = unknown; notices: lines for the user.

    `places`: the folder of each class, where there is one. `fit`: how they have come to their size.
    `keys` float64 [n]: shares of 1 by which to divide them further, see own_folders.sides; None where they
    are divided by their order.
    """

    x: Pixels
    y: npt.NDArray[np.int64]
    labels: list[str]
    notices: list[str]
    places: Mapping[int, Path] = field(default_factory=dict)
    fit: str = "resize"
    keys: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Form:
    """What images are brought to: height, width, channels, by which fit (fits.AS_THE_PICTURES_ARE: open)."""

    size: tuple[int, int, int]
    fit: str

    def notice(self, source: object, count: int, seen: str = "") -> str:
        """One line on `count` images of `source` that had another size."""
        did = "resized" if self.fit == "resize" else "cropped"
        return f"{source}: {did} {count} images{seen} to {self.size[0]}x{self.size[1]}"


def spread(count: int, limit: int | None) -> npt.NDArray[np.int64]:
    """Indices of at most `limit` of `count` items, evenly spread (data are often sorted by class)."""
    chosen = count if limit is None else min(count, limit)
    return np.arange(chosen, dtype=np.int64) * count // max(chosen, 1)


def colour(channels: int) -> str:
    """What so many channels are called."""
    return _COLOURS.get(channels, f"{channels} channels")


def with_channels(x: Pixels, channels: int) -> Pixels:
    """[n, h, w, 1 or 3] -> [n, h, w, channels]. RGB to gray by ITU-R BT.601, in Pillow's integer weights."""
    if x.shape[-1] == channels:
        return x
    if channels == 3:
        return np.repeat(x, 3, axis=-1)
    weights = np.array([19595, 38470, 7471], np.uint32)
    return ((x @ weights + 0x8000) >> 16).astype(np.uint8)[..., np.newaxis]


def _covering(size: tuple[int, int], height: int, width: int) -> tuple[int, int]:
    """Width and height of what "crop" takes the centre of, for a picture of `size`."""
    tall, wide = ((side * _COVER + _CENTRE // 2) // _CENTRE for side in (height, width))
    scale = max(tall / size[1], wide / size[0])
    return max(wide, round(size[0] * scale)), max(tall, round(size[1] * scale))


def not_brought(size: tuple[int, int], height: int, width: int, fit: str) -> str:
    """Why a picture of `size` would take too much memory on its way to the size asked for; else ""."""
    across, down = (width, height) if fit == "resize" else _covering(size, height, width)
    # Pillow changes width and height one after the other. 13.0 begins with what leaves fewer pixels between;
    # versions that always begin with the width may make it this large, so this is the bound for either.
    if across * max(down, size[1]) <= _MOST_BETWEEN:
        return ""
    return f"{size[0]} x {size[1]} pixels, too narrow or too flat for {width} x {height}"


def brought(picture: Image.Image, height: int, width: int, fit: str) -> Image.Image:
    """`picture` at the size asked for. Bilinear is Pillow's, which averages when it shrinks.

    "resize": to height x width, whatever becomes of the proportions. "crop": proportions kept, to the
    smallest size that covers 227/224 of height and of width (rounded), then the centre of it. An image of the
    size asked for stays as it is.
    """
    if picture.size == (width, height):
        return picture
    if fit == "resize":
        return picture.resize((width, height), Image.Resampling.BILINEAR)
    size = _covering(picture.size, height, width)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def fitted(x: Pixels, height: int, width: int, fit: str) -> Pixels:
    """[n, h, w, c] -> [n, height, width, c], by `fit`: "resize" or "crop"."""
    if x.shape[1:3] == (height, width):
        return x
    out = np.empty((len(x), height, width, x.shape[3]), np.uint8)
    # Pillow's pictures of 2 and 4 channels have alpha, by which it weighs the others.
    together = x.shape[3] == 3
    for i, image in enumerate(x):
        for part in [slice(None)] if together else range(x.shape[3]):
            out[i][..., part] = brought(Image.fromarray(image[..., part]), height, width, fit)
    return out
