"""Whether a PNG has all of its rows: Pillow reads one that ends early as if the rest were black."""

import struct
import zlib
from pathlib import Path
from typing import IO

from PIL import Image

_SAMPLES_OF = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type -> samples of a pixel
# Adam7, the order of an interlaced PNG: where each pass begins, and its steps.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 16


def are_missing(path: Path, picture: Image.Image) -> bool:
    """Whether rows of the PNG in `path`, decoded as `picture`, are missing.

    Only what ends in a black row can be cut off, unless it is interlaced: then its data are counted.
    """
    with path.open("rb") as file:
        file.seek(16)
        width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(13))
        if not interlaced and not _is_black(picture, height - 1):
            return False
        wanted = _bytes(width, height, bits * _SAMPLES_OF.get(colour, 1), bool(interlaced))
        return _unpacked(file, wanted) < wanted


def _is_black(picture: Image.Image, row: int) -> bool:
    extrema = picture.crop((0, row, picture.width, row + 1)).getextrema()
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return all(band[1] == 0 for band in bands)


def _bytes(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Of the image data, unpacked: each row has a byte that names its filter."""
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    total = 0
    for x, y, step_x, step_y in passes:
        columns, rows = -((x - width) // step_x), -((y - height) // step_y)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _unpacked(file: IO[bytes], wanted: int) -> int:
    """How many bytes the data of `file` unpack to, up to `wanted`; a part of them at a time."""
    unpack, total = zlib.decompressobj(), 0
    file.seek(8)
    while total < wanted and not unpack.eof:
        start = file.read(8)
        if len(start) < 8:
            break
        length, kind = struct.unpack(">I4s", start)
        if kind != b"IDAT":
            file.seek(length + 4, 1)
            continue
        while length > 0 and total < wanted and not unpack.eof:
            piece = file.read(min(length, _PIECE))
            if not piece:
                return total
            length -= len(piece)
            while piece and total < wanted and not unpack.eof:
                total += len(unpack.decompress(piece, _PIECE))
                piece = unpack.unconsumed_tail
        file.seek(length + 4, 1)
    return total
