"""The headers of numpy's .npy files, read within limits and refused in our own words."""

import io
import struct
from typing import IO

import numpy as np

_MAGIC = b"\x93NUMPY"
_MOST = 10_000  # bytes of a header, which numpy takes too; a plain array's has 118
# version -> the length's format, and what reads the rest
_VERSIONS = {
    (1, 0): ("<H", np.lib.format.read_array_header_1_0),
    (2, 0): ("<I", np.lib.format.read_array_header_2_0),
}


def header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and type of the array that begins at the start of `stream`, which is then behind the header.

    Raises ValueError before more than a header's bytes are read: it is none, too long, or of objects.
    """
    start = stream.read(len(_MAGIC) + 2)
    if not start.startswith(_MAGIC) or len(start) < len(_MAGIC) + 2:
        raise ValueError("does not begin as an .npy does")
    version = start[-2], start[-1]
    if version not in _VERSIONS:
        raise ValueError(f"version {version[0]}.{version[1]} of the format .npy; want 1.0 or 2.0")
    size, read_header = _VERSIONS[version]
    packed = stream.read(struct.calcsize(size))
    if len(packed) < struct.calcsize(size):
        raise ValueError("is cut off in its header")
    (length,) = struct.unpack(size, packed)
    if length > _MOST:
        raise ValueError(f"has a header of {length:,} bytes; want at most {_MOST:,}")
    text = stream.read(length)
    if len(text) < length:
        raise ValueError("is cut off in its header")
    try:
        shape, _, dtype = read_header(io.BytesIO(packed + text))
    except Exception:  # numpy evaluates it as a Python literal, and raises whatever that leads to
        raise ValueError("has a header that describes no array") from None
    if dtype.hasobject:
        raise ValueError("holds objects, which could run code; want numbers")
    return shape, dtype
