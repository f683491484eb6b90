"""Weights as they stand in flash (firmware_cpp/engine/format.h, WeightEncoding)."""

import numpy as np

from convert import slices, winograd
from convert.network import Encoding, Layer

_MAX_GAP = 255


def dense(weights: np.ndarray) -> bytes:
    """int8 [out, kernel_h, kernel_w, in] in that order."""
    return np.ascontiguousarray(weights).tobytes()


def _sparse_entries(channel: np.ndarray) -> list[int]:
    """uint16 entries of one channel, int8 [taps]: gap in the low byte, weight in the high one."""
    entries = []
    previous = -1
    for position in np.flatnonzero(channel).tolist():
        gap = position - previous - 1
        while gap > _MAX_GAP:
            entries.append(_MAX_GAP)  # a weight of 0 bridges the gap
            gap -= _MAX_GAP + 1
        entries.append(gap | (int(channel[position]) & 0xFF) << 8)
        previous = position
    return entries


def sparse(weights: np.ndarray) -> bytes:
    """For each output channel a uint16 count, then as many uint16 entries (see _sparse_entries)."""
    words: list[int] = []
    for channel in weights.reshape(len(weights), -1):
        entries = _sparse_entries(channel)
        words += [len(entries), *entries]
    return np.array(words, "<u2").tobytes()


_ENCODERS = {
    Encoding.DENSE: dense,
    Encoding.SPARSE: sparse,
    Encoding.WINOGRAD: winograd.transformed,
    Encoding.SLICES: slices.pack_slices,
}


def stored_weights(layer: Layer) -> bytes:
    """The weights of `layer` as they stand in flash; none for a layer without weights."""
    return b"" if layer.weights is None else _ENCODERS[layer.encoding](layer.weights)
