"""A Huffman-coded layer's biases, multipliers and shifts, packed (firmware_cpp/engine/packed_params.h).

Many channels of a layer have the same scale, many biases are zero, and the input's zero point can be folded
into a bias where the weights are decoded. So:
    uint16 scales, uint8 bits of an index and, times 32, the zero bits that every bias ends with, uint8 bits
    of a bias without them
    int32 multiplier of each scale, then int8 shift of each
    for each channel, as bits, the first the least significant: index of its scale; if biases have bits at
    all, one bit, and where that is 1 the bias in two's complement
"""

import numpy as np

from squeezenet_mcu.convert.encode import bits
from squeezenet_mcu.convert.network import Layer

_MOST_SCALES = 65_535
_MOST_SHIFT = 7


def own_bias(layer: Layer, in_zero_point: int) -> np.ndarray:
    """int64 [out]: the bias as in the .tflite, without the input's zero point."""
    weights = layer.conv.weights.reshape(layer.out_channels, -1).astype(np.int64)
    found: np.ndarray = layer.conv.bias.astype(np.int64) + in_zero_point * weights.sum(axis=1)
    return found


def pack(layer: Layer, in_zero_point: int) -> bytes:
    """The packed parameters of a convolution whose input has this zero point."""
    bias = own_bias(layer, in_zero_point)
    pairs = np.stack([layer.conv.multipliers.astype(np.int64), layer.conv.shifts.astype(np.int64)], axis=1)
    scales, index = np.unique(pairs, axis=0, return_inverse=True)
    assert len(scales) <= _MOST_SCALES
    index_bits = (len(scales) - 1).bit_length()
    together = int(np.bitwise_or.reduce(bias))
    bias_shift = min((together & -together).bit_length() - 1, _MOST_SHIFT) if together else 0
    bias >>= bias_shift
    largest = int(np.where(bias < 0, ~bias, bias).max(initial=0))
    bias_bits = largest.bit_length() + 1 if bias.any() else 0
    content = np.uint16(len(scales)).tobytes() + bytes([index_bits | bias_shift << 5, bias_bits])
    content += scales[:, 0].astype("<i4").tobytes() + scales[:, 1].astype(np.int8).tobytes()
    has = (bias != 0).astype(np.int64)
    one = np.full(len(bias), 1 if bias_bits else 0, np.int64)
    numbers = np.stack([index.reshape(-1), has, bias & ((1 << bias_bits) - 1)], axis=1)
    widths = np.stack([np.full(len(bias), index_bits, np.int64), one, has * bias_bits], axis=1)
    return content + bits.pack(numbers.reshape(-1), widths.reshape(-1))
