"""One picture out of a file: the kinds that are read, upright, in the colours asked for. No TensorFlow."""

import importlib
import importlib.util
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, features

from squeezenet_mcu.common.data.images import Pixels, brought, fitted
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.common.version import requirement

MOST_PIXELS = 50_331_648  # of a file: a photo of 8192 x 6144; unpacked in RGB these are 150 MB
CHANNELS = (1, 3, 4)
_ALWAYS = (
    ".bmp", ".gif", ".jfi", ".jfif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff",
    ".webp",
)  # fmt: skip
_HEIF = (".heic", ".heif", ".hif")
_HEIF_PACKAGE = "pillow_heif"
# Pictures all the same: cameras' own formats, and what is rare.
_OTHERS = (
    ".apng", ".arw", ".avif", ".bpg", ".cr2", ".cr3", ".dds", ".dib", ".dng", ".emf", ".eps", ".exr",
    ".hdr", ".icns", ".ico", ".j2k", ".jp2", ".jpf", ".jpx", ".jxl", ".nef", ".orf", ".pbm", ".pcx",
    ".pfm", ".pnm", ".psd", ".qoi", ".raf", ".raw", ".rw2", ".sgi", ".svg", ".svgz", ".tga", ".wmf",
    ".xcf", ".xpm",
)  # fmt: skip


class PictureError(ValueError):
    """A file that is not read, for a reason that its owner should hear."""


@dataclass(frozen=True)
class Picture:
    """`pixels` uint8 [height, width, channels]; whether its size, its colours were others; whether alpha was

    wanted and there is none; what Pillow had to say of the file ("" = nothing).
    """

    pixels: Pixels
    resized: bool
    recoloured: bool
    opaque: bool
    warning: str


@cache
def suffixes() -> tuple[str, ...]:
    """Of the files that are read here, in small letters. HEIC (Apple's photos) wants a package of its own."""
    found = [*_ALWAYS]
    if features.check("avif"):
        found.append(".avif")
    if importlib.util.find_spec(_HEIF_PACKAGE) is not None:
        importlib.import_module(_HEIF_PACKAGE).register_heif_opener()
        found += _HEIF
    return tuple(sorted(found))


def is_read(path: Path) -> bool:
    """Whether its name is that of a picture that is read."""
    return path.suffix.lower() in suffixes() and not path.name.startswith(".")  # macOS leaves ._name.png


def is_other(path: Path) -> bool:
    """Whether its name is that of a picture that is not read here."""
    known = path.suffix.lower() in (*_OTHERS, *_HEIF)
    return known and not is_read(path) and not path.name.startswith(".")


def advice(path: Path) -> str:
    """What makes a file readable that is not: "" where nothing is known."""
    if path.suffix.lower() in _HEIF and path.suffix.lower() not in suffixes():
        return f"wants pip install '{requirement('heic')}'"
    return ""


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16-bit gray scaled to 8 bits; Pillow would cut it off at 255. Raises ValueError for floating point."""
    if picture.mode == "F":
        raise ValueError("floating-point pixels; want 8 or 16 bits")
    if picture.mode.startswith("I"):
        return Image.fromarray((np.clip(np.asarray(picture), 0, 65535) // 257).astype(np.uint8))
    return picture


def _lets_through(picture: Image.Image) -> bool:
    return bool({"A", "a"} & set(picture.getbands())) or "transparency" in picture.info


def _on_white(picture: Image.Image) -> Image.Image:
    """`picture` laid over white where it lets through: what its colours hide there is nobody's picture."""
    if not _lets_through(picture):
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


def _open(path: Path) -> Image.Image:
    """Raises PictureError before anything large is unpacked; else what Pillow does."""
    if not path.is_file():
        raise PictureError("no ordinary file" if path.exists() else "no such file")
    if wanted := advice(path):
        raise PictureError(wanted)
    suffixes()  # makes known what reads HEIC
    try:
        file = Image.open(path)
    except Image.DecompressionBombError as error:
        raise PictureError(one_line(str(error))) from None
    if file.width * file.height > MOST_PIXELS:
        file.close()
        raise PictureError(f"{file.width} x {file.height} pixels; want at most {MOST_PIXELS:,}")
    return file


def size_of(path: Path) -> tuple[int, int] | None:
    """Both sides of the picture in `path`, in any order; None if it cannot be read."""
    try:
        with warnings.catch_warnings(action="ignore"), _open(path) as file:
            return file.size
    except Exception:  # Pillow's decoders let through whatever a broken file leads them to
        return None


def read(path: Path, height: int, width: int, channels: int, fit: str = "resize") -> Picture:
    """The picture in `path`, at the size asked for, in 1 (gray), 3 (RGB) or 4 (RGBA) channels.

    Turned as its EXIF says; laid over white where it lets through, if alpha is not asked for. Raises what
    Pillow does when the file is not a whole readable image: OSError, SyntaxError, ValueError, and others;
    PictureError, which is a ValueError, for a pipe or a device, which would wait for ever, and for more than
    MOST_PIXELS, before they are unpacked.
    """
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")  # Pillow warns of strange tags, by lines of its source
        with _open(path) as file:
            gray = file.mode in ("1", "L", "LA") or file.mode.startswith("I")
            picture = _eight_bit(_upright(file))
            through = _lets_through(picture)
            if channels == 4:
                picture = picture.convert("RGBA")
            else:
                picture = _on_white(picture).convert("L" if channels == 1 else "RGB")
    resized = picture.size != (width, height)
    if channels == 4:
        pixels = fitted(np.asarray(picture, np.uint8)[np.newaxis], height, width, fit)[0]
    else:
        pixels = np.asarray(brought(picture, height, width, fit), np.uint8).reshape(height, width, channels)
    warning = one_line(str(said[0].message)) if said else ""
    return Picture(pixels, resized, gray != (channels == 1), channels == 4 and not through, warning)
