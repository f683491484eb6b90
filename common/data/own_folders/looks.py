"""What a picture looks like, in a few numbers: small copies of it, and perceptual hashes. No TensorFlow.

The hash is the well-known one of the discrete cosine transform: the signs of the lowest frequencies of a
32 x 32 picture against their median. It survives another size and another compression. For a border that was
cut off, each picture is also looked at without some of its own.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from squeezenet_mcu.common.data import pictures

SIDE = 32  # pixels of a small copy
CROPS = (0.0, 0.015, 0.04)  # shares cut off each side: between two of them, at most 0.015 more or less is
_LOOKED_AT = 128  # pixels; a JPEG is decoded at a fraction of its size, to at least so many
_LOWEST = 8  # frequencies each way
_GRAY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_FLAT = 2.0  # gray levels of deviation; a picture of less looks like every other one of one colour


@dataclass(frozen=True)
class Look:
    """Of one file.

    `digest`: SHA-256 of the file. `pixels`, `size`: how many pixels and bytes, 0 pixels where it is no
    picture that can be read. `hashes` uint64 [len(CROPS)]; `copies` uint8 [len(CROPS), SIDE, SIDE], gray;
    `colours` uint8 [2, 2, 3], the mean of each quarter. `telling`: whether these say anything: not of a
    picture of one colour.
    """

    digest: bytes
    pixels: int
    size: int
    hashes: npt.NDArray[np.uint64]
    copies: npt.NDArray[np.uint8]
    colours: npt.NDArray[np.uint8]
    telling: bool


def _transform() -> npt.NDArray[np.float32]:
    """float32 [_LOWEST, SIDE]: the lowest frequencies of the DCT-II."""
    frequency, place = np.arange(_LOWEST)[:, np.newaxis], np.arange(SIDE)
    found: npt.NDArray[np.float32] = np.cos(np.pi * (2 * place + 1) * frequency / (2 * SIDE)).astype("f4")
    return found


_DCT = _transform()


def _hash(gray: npt.NDArray[np.float32]) -> int:
    """The hash of float32 [SIDE, SIDE]: 63 bits, for the mean of a picture is no feature of it."""
    lowest = (_DCT @ gray @ _DCT.T).ravel()[1:]
    bits = np.packbits(np.append(lowest > np.median(lowest), False))
    return int.from_bytes(bits.tobytes(), "big")


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:  # whoever reads the picture says so
        return bytes(32)


def look(path: Path) -> Look:
    """What is in the file `path`, which is an ordinary one, or else counts as one that cannot be read."""
    ordinary = path.is_file()
    digest, size = (_digest(path), path.stat().st_size) if ordinary else (bytes(32), 0)
    hashes = np.zeros(len(CROPS), np.uint64)
    copies = np.zeros((len(CROPS), SIDE, SIDE), np.uint8)
    colours = np.zeros((2, 2, 3), np.uint8)
    try:
        picture, pixels = pictures.glance(path, _LOOKED_AT)
    except pictures.PictureError:
        return Look(digest, 0, size, hashes, copies, colours, telling=False)
    colours[:] = np.rint(_small(picture, 0.0).reshape(2, SIDE // 2, 2, SIDE // 2, 3).mean((1, 3)))
    for i, crop in enumerate(CROPS):
        gray = _small(picture, crop) @ _GRAY
        hashes[i], copies[i] = _hash(gray), np.rint(gray)
    return Look(digest, pixels, size, hashes, copies, colours, telling=bool(copies[0].std() >= _FLAT))


def _small(picture: Image.Image, crop: float) -> npt.NDArray[np.float32]:
    """float32 [SIDE, SIDE, 3]: `picture` without the share `crop` of each side."""
    (left, right), (top, bottom) = (
        (side * crop, side * (1 - crop)) for side in (picture.width, picture.height)
    )
    small = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    return np.asarray(small, np.float32)
