"""Weights as they stand in flash (firmware_cpp/engine/format.h, WeightEncoding)."""

import numpy as np

from squeezenet_mcu.convert.encode import slices, winograd
from squeezenet_mcu.convert.network import Encoding, EntropyCoded, Layer

_MAX_GAP = 255


def dense(weights: np.ndarray) -> bytes:
    """int8 [out, kernel_h, kernel_w, in] in that order."""
    return np.ascontiguousarray(weights).tobytes()


def _sparse_entries(channel: np.ndarray) -> np.ndarray:
    """uint16 entries of one channel, int8 [taps]: gap in the low byte, weight in the high one."""
    positions = np.flatnonzero(channel)
    gaps = np.diff(positions, prepend=-1) - 1
    bridges = gaps // (_MAX_GAP + 1)  # weights of 0 that bridge a gap
    entries = np.full(len(positions) + int(bridges.sum()), _MAX_GAP, "<u2")
    weights = channel[positions].astype(np.uint8).astype(np.uint16)
    entries[np.arange(len(positions)) + np.cumsum(bridges)] = gaps % (_MAX_GAP + 1) | weights << 8
    return entries


def sparse(weights: np.ndarray) -> bytes:
    """For each output channel a uint16 count, then as many uint16 entries (see _sparse_entries)."""
    pieces = []
    for channel in weights.reshape(len(weights), -1):
        entries = _sparse_entries(channel)
        pieces += [np.array([len(entries)], "<u2"), entries]
    return b"".join(piece.tobytes() for piece in pieces)


def _entropy_coded(layer: Layer) -> EntropyCoded:
    assert layer.entropy_coded is not None, "convert/encode/entropy.py runs before anything is stored"
    return layer.entropy_coded


_ENCODERS = {
    Encoding.DENSE: dense,
    Encoding.SPARSE: sparse,
    Encoding.WINOGRAD: winograd.transformed,
    Encoding.SLICES: slices.pack_slices,
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
