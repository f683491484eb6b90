"""Pictures of 16 bits a value or fewer than 8: brought to 8, or refused where that would make them others."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

STRIP = 1 << 20  # pixels that are worked on at a time
_MOST, _STEP = 65535, 257  # of 16 bits; of these for each of 8 bits
_DARK = "more than 8 bits, but no value above 255; save it with 8 bits"
# What a PNG's few bits are multiplied by; Pillow leaves the value that lets through as it is in the file.
_SCALES = {"L;2": 85, "L;4": 17}


class DepthError(ValueError):
    """A picture whose values are not those that 8 bits would show, and why."""


def strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """`picture` in parts, from top to bottom, each with its first row: a copy of the whole is large."""
    rows = max(1, STRIP // picture.width)
    for top in range(0, picture.height, rows):
        yield top, picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def stored(file: Image.Image) -> str:
    """How `file` holds its pixels, in Pillow's words, as "RGB;16B". Known until it is loaded."""
    tile = next(iter(getattr(file, "tile", [])), None)
    found = tile[3] if tile else ""
    found = found[0] if isinstance(found, tuple) and found else found
    return found if isinstance(found, str) else ""


def check(picture: Image.Image, kind: str) -> None:
    """DepthError where a loaded `picture` of colours, `stored` as `kind`, has lost what was in it.

    Of 16 bits a colour, Pillow keeps the upper 8.
    """
    if ";16" not in kind or picture.mode.startswith("I"):
        return
    if "transparency" in picture.info:
        raise DepthError("16 bits, with one colour that lets through; want an alpha channel or 8 bits")
    colours = [band for band in picture.getbands() if band != "A"]
    if all(picture.getchannel(band).getextrema() == (0, 0) for band in colours):
        raise DepthError(_DARK)


def eight_bit(picture: Image.Image, kind: str) -> Image.Image:
    """Gray, `stored` as `kind`, in 8 bits: 16 are scaled, where Pillow would cut them off at 255."""
    through = picture.info.get("transparency")
    if kind in _SCALES and isinstance(through, int):
        picture.info["transparency"] = through * _SCALES[kind]
    if not picture.mode.startswith("I"):
        return picture
    seen = Image.new("L" if through is None else "LA", picture.size)
    low, high = 0, 0
    for top, strip in strips(picture):
        values = np.asarray(strip)
        low, high = min(low, int(values.min())), max(high, int(values.max()))
        gray = Image.fromarray((np.clip(values, 0, _MOST) // _STEP).astype(np.uint8))
        if through is not None:
            gray.putalpha(Image.fromarray(np.where(values == through, 0, 255).astype(np.uint8)))
        seen.paste(gray, (0, top))
    if low < 0 or high > _MOST:
        raise DepthError(f"values from {low} to {high}; want 0 to {_MOST}")
    if 0 < high <= 255:
        raise DepthError(_DARK)
    return seen
