"""Images as arrays: gray to RGB and back, brought to a size. Imports no TensorFlow."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

Pixels = npt.NDArray[np.uint8]

# "crop" as networks for ImageNet are scored, with the border that v1.0's 227 pixels leave round v1.1's 224:
# the image covers 227/224 of the size asked for, of which the centre is taken.
_COVER, _CENTRE = 227, 224
MOST_PIXELS = 50_331_648  # of a file: a photo of 8192 x 6144; unpacked in RGB these are 150 MB


@dataclass(frozen=True)
class Images:
    """x uint8 [n, h, w, c]; y int64 [n], indices into `labels`, -1 = unknown; notices: lines for the user.

    `places`: the folder of each class, where there is one.
    """

    x: Pixels
    y: npt.NDArray[np.int64]
    labels: list[str]
    notices: list[str]
    places: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Form:
    """What images are brought to: height, width, channels, by which fit."""

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
    """What 1 or 3 channels are called."""
    return "gray" if channels == 1 else "RGB"


def with_channels(x: Pixels, channels: int) -> Pixels:
    """[n, h, w, 1 or 3] -> [n, h, w, channels]. RGB to gray by ITU-R BT.601, in Pillow's integer weights."""
    if x.shape[-1] == channels:
        return x
    if channels == 3:
        return np.repeat(x, 3, axis=-1)
    weights = np.array([19595, 38470, 7471], np.uint32)
    return ((x @ weights + 0x8000) >> 16).astype(np.uint8)[..., np.newaxis]


def _fitted(picture: Image.Image, height: int, width: int, fit: str) -> Image.Image:
    """`picture` at the size asked for. Bilinear is Pillow's, which averages when it shrinks.

    "resize": to height x width, whatever becomes of the proportions. "crop": proportions kept, to the
    smallest size that covers 227/224 of height and of width (rounded), then the centre of it. An image of the
    size asked for stays as it is.
    """
    if picture.size == (width, height):
        return picture
    if fit == "resize":
        return picture.resize((width, height), Image.Resampling.BILINEAR)
    tall, wide = ((side * _COVER + _CENTRE // 2) // _CENTRE for side in (height, width))
    scale = max(tall / picture.height, wide / picture.width)
    size = max(wide, round(picture.width * scale)), max(tall, round(picture.height * scale))
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def fitted(x: Pixels, height: int, width: int, fit: str) -> Pixels:
    """[n, h, w, c] -> [n, height, width, c], by `fit`: "resize" or "crop"."""
    if x.shape[1:3] == (height, width):
        return x
    out = np.empty((len(x), height, width, x.shape[3]), np.uint8)
    for i, image in enumerate(x):
        picture = Image.fromarray(image[..., 0] if x.shape[3] == 1 else image)
        out[i] = np.asarray(_fitted(picture, height, width, fit)).reshape(out.shape[1:])
    return out


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16-bit gray scaled to 8 bits; Pillow would cut it off at 255. Raises ValueError for floating point."""
    if picture.mode == "F":
        raise ValueError("floating-point pixels; want 8 or 16 bits")
    if picture.mode.startswith("I"):
        return Image.fromarray((np.clip(np.asarray(picture), 0, 65535) // 257).astype(np.uint8))
    return picture


def _on_white(picture: Image.Image) -> Image.Image:
    """`picture` laid over white where it lets through: what its colours hide there is nobody's picture."""
    if "A" not in picture.getbands() and "a" not in picture.getbands() and "transparency" not in picture.info:
        return picture
    seen = Image.new("RGBA", picture.size, "white")
    seen.alpha_composite(picture.convert("RGBA"))
    return seen


def _upright(picture: Image.Image) -> Image.Image:
    """`picture` as a viewer shows it: cameras store how they were held in the EXIF, not in the pixels."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # whatever Pillow makes of a broken EXIF; a broken image is seen when it is read
        return picture


def read(
    path: Path, height: int, width: int, channels: int, fit: str = "resize"
) -> tuple[Pixels, bool, bool]:
    """The image in `path` as [height, width, channels]; whether its size was another; whether its colour was.

    Turned as its EXIF says, laid over white where it lets through. Raises what Pillow does when the file is
    not a whole readable image: OSError, SyntaxError, ValueError, and others; ValueError for a pipe or a
    device, which would wait for ever, and for more than MOST_PIXELS, before they are unpacked.
    """
    if not path.is_file():
        raise ValueError("no ordinary file")
    # Pillow warns of strange tags, by lines of its source.
    with warnings.catch_warnings(action="ignore"), Image.open(path) as file:
        if file.width * file.height > MOST_PIXELS:
            raise ValueError(f"{file.width} x {file.height} pixels; want at most {MOST_PIXELS:,}")
        gray = file.mode in ("1", "L", "LA") or file.mode.startswith("I")
        picture = _on_white(_eight_bit(_upright(file))).convert("L" if channels == 1 else "RGB")
    wrong_size = picture.size != (width, height)
    pixels = np.asarray(_fitted(picture, height, width, fit), np.uint8).reshape(height, width, channels)
    return pixels, wrong_size, gray != (channels == 1)
