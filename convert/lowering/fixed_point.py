"""TFLite's integer arithmetic, the offline half: real multipliers to fixed point.

Source: the quantization specification of TensorFlow Lite and Jacob et al. 2018, section 2.2:
value = scale * (q - zero_point); a real multiplier becomes multiplier * 2^(shift - 31), with multiplier
in [2^30, 2^31).
"""

import math
from dataclasses import dataclass

import numpy as np

INT32_MAX = (1 << 31) - 1
MOST_REAL = 1 << 30  # of a multiplier; TFLite's kernels check that it is shifted by 30 bits at most
ADD_LEFT_SHIFT = 20  # TFLite's ADD raises both inputs by 20 bits before rescaling them
SOFTMAX_INTEGER_BITS = 5  # TFLite's softmax holds input differences as Q5.26


@dataclass(frozen=True)
class Multiplier:
    """A real number as multiplier * 2^(shift - 31)."""

    multiplier: int
    shift: int


def quantize_multiplier(real: float) -> Multiplier:
    """The fixed-point form of `real` >= 0, rounded half away from zero as TFLite does."""
    if real == 0.0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    fixed = math.floor(fraction * (1 << 31) + 0.5)
    if fixed == 1 << 31:
        fixed //= 2
        shift += 1
    if shift < -31:
        return Multiplier(0, 0)
    if shift > 30:
        return Multiplier(INT32_MAX, 30)
    return Multiplier(fixed, shift)


def rescale(x: int, multiplier: int, shift: int) -> int:
    """x * multiplier * 2^(shift - 31) as TFLite's MultiplyByQuantizedMultiplier rounds it, shift <= 0.

    Source: gemmlowp's SaturatingRoundingDoublingHighMul and RoundingDivideByPOT.
    """
    product = x * multiplier
    nudged = product + (1 << 30 if product >= 0 else 1 - (1 << 30))
    high = abs(nudged) >> 31 if nudged >= 0 else -(abs(nudged) >> 31)
    places = -shift
    mask = (1 << places) - 1
    rest = high & mask
    threshold = (mask >> 1) + (high < 0)
    return (high >> places) + (rest > threshold)


def mean_multiplier(real: float, count: int) -> Multiplier:
    """`real` / `count` as TFLite's MEAN forms it: the division acts on the fixed-point multiplier."""
    fixed = quantize_multiplier(real)
    shift = min(count.bit_length() - 1, 32, 31 + fixed.shift)
    return Multiplier((fixed.multiplier << shift) // count, fixed.shift - shift)


def activation_range(name: str, scale: float, zero_point: int) -> tuple[int, int] | None:
    """int8 limits of a fused activation of the given name; None for a name that is not supported."""

    def quantized(real: float) -> int:
        ratio = np.float32(real) / np.float32(scale)
        return zero_point + int(np.sign(ratio) * np.floor(abs(np.float64(ratio)) + 0.5))

    limits: dict[str, tuple[float | None, float | None]] = {
        "NONE": (None, None),
        "RELU": (0.0, None),
        "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }
    if name not in limits:
        return None
    low, high = limits[name]
    return (
        -128 if low is None else max(-128, quantized(low)),
        127 if high is None else min(127, quantized(high)),
    )


@dataclass(frozen=True)
class SoftmaxParams:
    """TFLite's softmax on int8: Q5.26 scaling of (x - max), and the difference below which exp is 0."""

    multiplier: int
    left_shift: int
    diff_min: int


def softmax_params(beta: float, input_scale: float) -> SoftmaxParams:
    """Parameters of TFLite's fixed-point softmax for logits of `input_scale`."""
    fraction_bits = 31 - SOFTMAX_INTEGER_BITS
    real = min(float(beta) * float(input_scale) * (1 << fraction_bits), float(INT32_MAX))
    fixed = quantize_multiplier(real)
    radius = ((1 << SOFTMAX_INTEGER_BITS) - 1) * (1 << fraction_bits) / (1 << fixed.shift)
    return SoftmaxParams(fixed.multiplier, fixed.shift, -math.floor(radius))
