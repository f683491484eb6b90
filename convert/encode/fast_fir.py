"""Weights of a 3x3 convolution, transformed for ConvFastFirRows (firmware_cpp/engine/dsp/fast_fir.h)."""

import numpy as np

# The five taps that one direction's three weights become; those of the sum that both outputs share first.
_TAPS = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
# The order of the taps (row, column): the columns' shared part, then those of the outputs 0 and 1.
_ORDER = [(r, c) for columns in ((0, 1), (2, 3), (4,)) for r in range(5) for c in columns]


def transformed(weights: np.ndarray) -> bytes:
    """int8 [out, 3, 3, in] -> int16 [pair][25 taps][quad][2 words][2 channels of the pair][2], doubled.

    A quad is 4 input channels, padded with zeros; its words hold channels (0, 2) and (1, 3). An odd last
    channel is paired with zeros.
    """
    out, _, _, channels = weights.shape
    taps = 2 * np.einsum("ry,cx,oyxi->orci", _TAPS, _TAPS, weights.astype(np.int64))
    rows, columns = zip(*_ORDER, strict=True)
    padded = np.zeros((-(-out // 2) * 2, len(_ORDER), -(-channels // 4) * 4), "<i2")
    padded[:out, :, :channels] = taps[:, rows, columns]
    quads = padded.reshape(
        -1, 2, len(_ORDER), padded.shape[2] // 4, 2, 2
    )  # pair, channel, tap, quad, half, word
    return np.ascontiguousarray(quads.transpose(0, 2, 3, 5, 1, 4)).tobytes()
