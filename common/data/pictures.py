"""One picture out of a file: the kinds that are read, upright, in the colours asked for. No TensorFlow."""

import contextlib
import importlib
import importlib.util
import re
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError, features

from squeezenet_mcu.common.data import deep, png_rows
from squeezenet_mcu.common.data.images import Pixels, brought, not_brought
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.common.version import requirement

MOST_PIXELS = (
    50_331_648  # of a file: a photo of 8192 x 6144; unpacked in RGB they take 200 MB, and once more to turn
)
# Beside the picture, the decoders of these hold it in other forms, up to 16 bytes a pixel.
_MOST_PIXELS_OF = {"WEBP": 16_777_216, "AVIF": 16_777_216, "HEIF": 25_165_824, "TIFF": 25_165_824}
_MOST_SIDE = 32_768  # longer ones are no photos, and take much memory on the way to another size
_MOST_BYTES = 160 << 20  # of a file
_WHOLE = 25_165_824  # pixels of a JPEG; one of more is decoded at half its size
_TILE_WIDTH, _TILE_LENGTH = 322, 323  # a TIFF's tags
# The other formats that Pillow knows are not asked: one of them starts a program.
_FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
CHANNELS = (1, 3, 4)
_MOST_SAID = 100  # characters of what a library says
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


def _lets_through(picture: Image.Image) -> bool:
    return bool({"A", "a"} & set(picture.getbands())) or "transparency" in picture.info


def _on_white(picture: Image.Image, mode: str) -> Image.Image:
    """`picture` laid over white where it lets through: what its colours hide there is nobody's picture."""
    seen = Image.new(mode, picture.size)
    for top, strip in deep.strips(picture):
        white = Image.new("RGBA", strip.size, "white")
        white.alpha_composite(strip.convert("RGBA"))
        seen.paste(white.convert(mode), (0, top))
    return seen


def _turn(picture: Image.Image) -> None:
    """Makes `picture` what a viewer shows: cameras note in the EXIF how they were held."""
    with contextlib.suppress(Exception):  # whatever Pillow makes of a broken EXIF
        ImageOps.exif_transpose(picture, in_place=True)


def _open(path: Path) -> ImageFile.ImageFile:
    """Raises PictureError before anything large is unpacked; else what Pillow does."""
    if not path.is_file():
        raise PictureError("no ordinary file" if path.exists() else "no such file")
    if wanted := advice(path):
        raise PictureError(wanted)
    if (size := path.stat().st_size) > _MOST_BYTES:
        raise PictureError(f"{size:,} bytes; want at most {_MOST_BYTES:,}")
    suffixes()  # makes known what reads HEIC
    try:
        file = Image.open(path, formats=[name for name in _FORMATS if name in _openers()])
    except Image.DecompressionBombError as error:
        pixels = int(re.findall(r"\d+", str(error))[0])
        raise PictureError(f"{pixels:,} pixels; want at most {MOST_PIXELS:,}") from None
    if wrong := _too_large(file):
        file.close()
        raise PictureError(wrong)
    return file


def _openers() -> Collection[str]:
    Image.init()
    return Image.OPEN


def _too_large(file: Image.Image) -> str:
    """What of its size is more than is decoded; "" if nothing is."""
    width, height = file.size
    if max(width, height) > _MOST_SIDE:
        return f"{width} x {height} pixels; want at most {_MOST_SIDE:,} on a side"
    unpacked = width * height
    tags = getattr(file, "tag_v2", {})
    tile = tags.get(_TILE_WIDTH), tags.get(_TILE_LENGTH)  # may be larger than the picture
    if isinstance(tile[0], int) and isinstance(tile[1], int):
        unpacked = max(unpacked, tile[0] * tile[1])
    most = MOST_PIXELS
    if file.format != "TIFF" or file.info.get("compression") != "raw":
        most = _MOST_PIXELS_OF.get(file.format or "", most)
    if file.mode == "CMYK":  # a JPEG may be stored so that its decoder holds two numbers for each
        most = min(most, _WHOLE)
    if unpacked > most:
        kind = "" if most == MOST_PIXELS else f" in {file.format}"
        tiles = "" if unpacked == width * height else f" in tiles of {unpacked:,}"
        return f"{width} x {height} pixels{tiles}; want at most {most:,}{kind}"
    return ""


def _halve(file: ImageFile.ImageFile, height: int, width: int) -> None:
    """Lets a large JPEG be decoded at half its size. PictureError where half is not enough."""
    if file.format not in ("JPEG", "MPO") or file.width * file.height <= _WHOLE:
        return
    half = file.width // 2, file.height // 2
    if half[0] < 2 * width or half[1] < 2 * height:
        raise PictureError(
            f"{file.width} x {file.height} pixels; want at most {_WHOLE:,} for {width} x {height}"
        )
    file.draft(None, half)


def _decoded(path: Path, prepare: Callable[[ImageFile.ImageFile], None]) -> Image.Image:
    """The picture in `path`, unpacked, in 8 bits, upright, in the file's own colours.

    `prepare`: called before it is unpacked, with what Pillow has read of it so far.
    """
    with _open(path) as file:
        if file.mode == "F":
            raise PictureError("floating-point pixels; want 8 or 16 bits")
        prepare(file)
        kind = deep.stored(file)
        file.load()
        if file.format == "PNG" and png_rows.are_missing(path, file):
            raise PictureError("cut off: rows are missing")
        deep.check(file, kind)
        _turn(file)
        return deep.eight_bit(file, kind)


def _reason(error: Exception) -> str:
    """Why Pillow does not read a file, in plain words where they are known."""
    if isinstance(error, UnidentifiedImageError):
        return "of no format that is read"
    if isinstance(error, MemoryError):
        return "takes more memory than there is"
    said = one_line(str(error), _MOST_SAID) or type(error).__name__
    return "cut off" if re.search(r"truncated|EOF|end of file|ended", said, re.IGNORECASE) else said


def size_of(path: Path) -> tuple[int, int] | None:
    """Both sides of the picture in `path`, in any order; None if it cannot be read."""
    try:
        with warnings.catch_warnings(action="ignore"), _open(path) as file:
            return file.size
    except Exception:  # Pillow's decoders let through whatever a broken file leads them to
        return None


def glance(path: Path, side: int) -> tuple[Image.Image, int]:
    """The picture in `path`, upright, RGB, laid over white, of any size; how many pixels the file has.

    A JPEG is decoded at the smallest of its fractions that has `side` pixels each way: it is quick.
    PictureError: see read.
    """
    pixels = 0

    def note_and_shrink(file: ImageFile.ImageFile) -> None:
        nonlocal pixels
        pixels = file.width * file.height
        file.draft(None, (side, side))

    try:
        with warnings.catch_warnings(action="ignore"):
            found = _decoded(path, note_and_shrink)
            found = _on_white(found, "RGB") if _lets_through(found) else found.convert("RGB")
    except PictureError:
        raise
    except Exception as error:  # as in read
        raise PictureError(_reason(error)) from error
    return found, pixels


def read(path: Path, height: int, width: int, channels: int, fit: str = "resize") -> Picture:
    """The picture in `path`, at the size asked for, in 1 (gray), 3 (RGB) or 4 (RGBA) channels.

    Turned as its EXIF says; laid over white where it lets through, if alpha is not asked for. PictureError,
    which is a ValueError and says why: it is no whole readable picture; a pipe or a device, which would wait
    for ever; more than MOST_PIXELS, or what would take much memory otherwise, before it is taken.
    """
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")  # Pillow warns of strange tags, by lines of its source
        try:
            found = _read(path, height, width, channels, fit)
        except PictureError:
            raise
        except Exception as error:  # Pillow's decoders let through whatever a broken file leads them to
            raise PictureError(_reason(error)) from error
    return replace(found, warning=one_line(str(said[0].message)) if said else "")


def _read(path: Path, height: int, width: int, channels: int, fit: str) -> Picture:
    picture = _decoded(path, lambda file: _halve(file, height, width))
    gray = picture.mode in ("1", "L", "LA")
    through = _lets_through(picture)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    if channels != 4 and through:
        picture = _on_white(picture, mode)
    elif picture.mode != mode:
        picture = picture.convert(mode)
    resized = picture.size != (width, height)
    if wrong := not_brought(picture.size, height, width, fit):
        raise PictureError(wrong)
    # Of pictures with alpha, Pillow would weigh the colours by it: each channel by itself.
    parts = map(picture.getchannel, range(4)) if channels == 4 else (picture,)
    pixels = [np.asarray(brought(part, height, width, fit), np.uint8) for part in parts]
    found = np.stack(pixels, axis=-1) if channels == 4 else pixels[0].reshape(height, width, channels)
    return Picture(found, resized, gray != (channels == 1), channels == 4 and not through, "")
