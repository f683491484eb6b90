"""Weights of a 3x3 convolution, transformed for ConvWinogradRows (firmware_cpp/engine/dsp/winograd.h)."""

import numpy as np

# Weights of a kernel's column (down) and row (along), at the points of F(2, 3) and F(4, 3); the fractions of
# the usual transforms are taken out of the outputs instead.
_DOWN = np.array([[1, 1, 1], [1, -1, 1], [0, 0, 1], [1, 0, 0]])
_ALONG = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [1, 2, 4], [1, -2, 4], [0, 0, 1]])


def transformed(weights: np.ndarray) -> bytes:
    """int8 [out, 3, 3, in] -> int16 [pair][24 positions][quad][2 words][2 channels of the pair][2].

    A quad is 4 input channels, padded with zeros; its words hold channels (0, 2) and (1, 3). Position is
    4 * column + row of the transformed 4 x 6 kernel. An odd last channel is paired with zeros.
    """
    out, _, _, channels = weights.shape
    kernels = np.einsum("ky,jx,nyxc->njkc", _DOWN, _ALONG, weights.astype(np.int64))
    padded = np.zeros((-(-out // 2) * 2, 24, -(-channels // 4) * 4), "<i2")
    padded[:out, :, :channels] = kernels.reshape(out, 24, channels)
    quads = padded.reshape(-1, 2, 24, padded.shape[2] // 4, 2, 2)  # pair, channel, position, quad, half, word
    return np.ascontiguousarray(quads.transpose(0, 2, 3, 5, 1, 4)).tobytes()
