"""Reads an entropy-coded layer back, as firmware_cpp/engine/huffman.h and packed_params.h describe it.

Written apart from convert/encode, whose mistakes it is to find; only the canonical numbering is shared.
"""

import functools

import numpy as np

from squeezenet_mcu.convert.encode.huffman import canonical_codes

_LONGEST = 15  # bits of a code
_MORE_ZEROS = 15  # the gap that no weight follows
_ALL, _MASKS = 0, 2  # modes; 1: gaps
_CLASS_BITS = {1: 0, 2: 1, 4: 2}


class _Bits:
    """A stream, the least significant bit of each byte first."""

    def __init__(self, content: bytes) -> None:
        flat = np.unpackbits(np.frombuffer(content + bytes(8), np.uint8), bitorder="little").astype(np.int64)
        count = 8 * len(content)
        windows = np.zeros(count, np.int64)
        for i in range(32):
            windows += flat[i : i + count] << i
        self.windows: list[int] = windows.tolist()  # 32 bits from each bit on
        self.at = 0

    def read(self, width: int) -> int:
        value = self.windows[self.at] & ((1 << width) - 1) if width else 0
        self.at += width
        return value


class _Code:
    """One canonical code. `codes` holds them all: their count, their offsets, then each one's lengths."""

    def __init__(self, codes: bytes, index: int) -> None:
        begin = int.from_bytes(codes[2 + 2 * index : 4 + 2 * index], "little")
        symbols = int.from_bytes(codes[begin : begin + 2], "little")
        packed = codes[begin + 2 : begin + 2 + (symbols + 1) // 2]
        lengths = np.array([packed[i // 2] >> (i % 2 * 4) & 15 for i in range(symbols)], np.int64)
        self._entries: list[tuple[int, int]] = [(-1, 0)] * (1 << _LONGEST)
        for symbol, code in enumerate(canonical_codes(lengths).tolist()):
            if lengths[symbol]:
                step = 1 << int(lengths[symbol])
                of = (symbol, int(lengths[symbol]))
                self._entries[code::step] = [of] * len(range(code, 1 << _LONGEST, step))

    def read(self, stream: _Bits) -> int:
        symbol, length = self._entries[stream.windows[stream.at] & ((1 << _LONGEST) - 1)]
        if symbol < 0:
            raise ValueError("no such code")
        stream.at += length
        return symbol


@functools.lru_cache(maxsize=64)
def _code(codes: bytes, index: int) -> _Code:
    return _Code(codes, index)


def weights(content: bytes, codes: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """int8 weights of `shape` (OHWI). Raises ValueError or IndexError where the stream makes no sense."""
    mode, value_bits, classes = content[:3]
    values = [_code(codes, i) for i in content[4 : 4 + classes]]
    positions = [] if mode == _ALL else [_code(codes, i) for i in content[8 : 8 + classes]]
    stream, raw = _Bits(content[12:]), max(value_bits - 5, 0)
    channels, inputs = shape[0], shape[3]
    taps = shape[1] * shape[2] * inputs
    found = np.zeros((channels, taps), np.int64)
    at, told = 0, False  # of gaps, which run on from channel to channel
    for o in range(channels):
        k = stream.read(_CLASS_BITS[classes])

        def value(code: _Code = values[k]) -> int:
            low = stream.read(raw)
            return (code.read(stream) << raw | low) - (1 << (value_bits - 1))

        if mode == _ALL:
            for i in reversed(range(taps)):
                found[o, i] = value()
        elif mode == _MASKS:
            for c in range(inputs):
                mask = positions[k].read(stream)
                for tap in range(9):
                    if mask >> (8 - tap) & 1:
                        found[o, tap * inputs + c] = value()
        else:
            while at < taps:
                if told:
                    found[o, at] = value()
                    at += 1
                gap = positions[k].read(stream)
                told = gap < _MORE_ZEROS
                at += gap
            at -= taps
    return found.astype(np.int8).reshape(shape)


def parameters(content: bytes, channels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """int64 biases (the input's zero point is not folded in), multipliers and shifts, each [channels]."""
    count, packed, bias_bits = int.from_bytes(content[:2], "little"), content[2], content[3]
    index_bits, bias_shift = packed & 31, packed >> 5
    multipliers = np.frombuffer(content, "<i4", count, 4).astype(np.int64)
    shifts = np.frombuffer(content, np.int8, count, 4 + 4 * count).astype(np.int64)
    stream = _Bits(content[4 + 5 * count :])
    scale, bias = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    for o in range(channels):
        scale[o] = stream.read(index_bits)
        if bias_bits and stream.read(1):
            raw = stream.read(bias_bits)
            bias[o] = (raw - (raw >> (bias_bits - 1) << bias_bits)) << bias_shift
    return bias, multipliers[scale], shifts[scale]
