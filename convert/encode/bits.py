"""Streams of bits, the least significant bit of each byte first."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def pack(values: Ints, widths: Ints) -> bytes:
    """`values` of `widths` bits each (0 to 32), one after the other; the last byte is filled with zeros."""
    ends = np.cumsum(widths)
    total = int(ends[-1]) if len(ends) else 0
    bits = np.zeros(-(-total // 8) * 8, np.uint8)
    starts = ends - widths
    for i in range(int(widths.max(initial=0))):
        has = widths > i
        bits[starts[has] + i] = (values[has] >> i) & 1
    return np.packbits(bits, bitorder="little").tobytes()


class Reader:
    """Reads what `pack` wrote."""

    def __init__(self, content: bytes) -> None:
        self._value = int.from_bytes(content, "little")
        self.position = 0

    def read(self, width: int) -> int:
        """The next `width` bits."""
        value = (self._value >> self.position) & ((1 << width) - 1)
        self.position += width
        return value
