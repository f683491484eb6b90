"""Weights as the Helium kernel wants them: WeightEncoding kSlices (firmware_cpp/engine/mve/slices.h)."""

import numpy as np
from numpy.typing import NDArray

SLICE = 16  # taps in a vector
QUAD = 4  # output channels go by four


def pack_slices(weights: NDArray[np.int8]) -> bytes:
    """Reorders weights into slices of 16 taps: int8 [slice][output channel][16].

    A channel's taps in HWI order are padded with zeros to a multiple of 16, the channels with zero weights
    to a multiple of 4.

    Args:
        weights: int8 [output channel, kernel row, kernel column, input channel].

    Returns:
        ceil(channels / 4) * 4 * ceil(taps / 16) * 16 bytes.
    """
    channels = weights.shape[0]
    taps = weights.reshape(channels, -1)
    padded = np.pad(taps, ((0, -channels % QUAD), (0, -taps.shape[1] % SLICE)))
    slices = padded.reshape(padded.shape[0], -1, SLICE).transpose(1, 0, 2)
    return np.ascontiguousarray(slices).tobytes()
