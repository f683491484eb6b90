"""Weights as they stand in flash (firmware_cpp/engine/format.h, WeightEncoding)."""

import numpy as np

from squeezenet_mcu.convert.encode import fast_fir, slices, winograd
from squeezenet_mcu.convert.network import Encoding, EntropyCoded, Layer

_MAX_GAP = 255


def dense(weights: np.ndarray) -> bytes:
    """int8 [out, kernel_h, kernel_w, in] in that order."""
    return np.ascontiguousarray(weights).tobytes()


def sparse(weights: np.ndarray) -> bytes:
    """For each output channel a uint16 count, then as many uint16 entries.

    An entry is a non-zero weight: the gap before it in the low byte, the weight in the high one. Where a gap
    is too long for a byte, weights of 0 bridge it.
    """
    flat = weights.reshape(len(weights), -1)
    channels, positions = np.nonzero(flat)
    gaps = np.diff(positions, prepend=-1) - 1
    first = np.diff(channels, prepend=-1) > 0  # of its channel
    gaps[first] = positions[first]
    slots = gaps // (_MAX_GAP + 1) + 1
    counts = np.bincount(channels, slots, len(flat)).astype(np.int64)
    words = np.full(len(flat) + int(counts.sum()), _MAX_GAP, "<u2")
    words[np.cumsum(counts) - counts + np.arange(len(flat))] = counts
    values = flat[channels, positions].astype(np.uint8).astype(np.uint16)
    words[np.cumsum(slots) + channels] = gaps % (_MAX_GAP + 1) | values << 8
    return words.tobytes()


def _entropy_coded(layer: Layer) -> EntropyCoded:
    assert layer.entropy_coded is not None, "convert/encode/entropy.py runs before anything is stored"
    return layer.entropy_coded


_ENCODERS = {
    Encoding.DENSE: dense,
    Encoding.SPARSE: sparse,
    Encoding.WINOGRAD: winograd.transformed,
    Encoding.SLICES: slices.pack_slices,
    Encoding.FAST_FIR: fast_fir.transformed,
}


def stored_weights(layer: Layer) -> bytes:
    """The weights of `layer`, or its constant, as they stand in flash; none for a layer without."""
    if layer.constant is not None:
        return layer.constant.astype(layer.constant.dtype.newbyteorder("<")).tobytes()
    if layer.weights is None:
        return b""
    return (
        _entropy_coded(layer).stream
        if layer.encoding is Encoding.HUFFMAN
        else _ENCODERS[layer.encoding](layer.weights)
    )


def stored_params(layer: Layer) -> list[bytes]:
    """The int32 biases, int32 multipliers and int8 shifts of a convolution; all packed where it is coded."""
    if layer.weights is None:
        return []
    if layer.encoding is Encoding.HUFFMAN:
        return [_entropy_coded(layer).params]
    return [
        layer.conv.bias.astype("<i4").tobytes(),
        layer.conv.multipliers.astype("<i4").tobytes(),
        layer.conv.shifts.tobytes(),
    ]


def stored_bytes(layer: Layer) -> int:
    """All that a convolution takes in the engine's model, but for its record."""
    return len(stored_weights(layer)) + sum(map(len, stored_params(layer)))


def placed_bytes(layer: Layer) -> int:
    """As stored_bytes, with what aligns its pieces to 4 bytes (convert/encode/blob.py)."""
    if layer.weights is not None and layer.encoding is Encoding.HUFFMAN:
        return aligned(stored_bytes(layer))  # its parameters stand right behind its weights
    return sum(aligned(len(piece)) for piece in (stored_weights(layer), *stored_params(layer)))


def aligned(size: int) -> int:
    """`size` rounded up to what a piece of the engine's model begins at."""
    return -(-size // 4) * 4
