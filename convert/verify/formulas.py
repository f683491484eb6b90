"""What TFLite's kernels derive from a file's scales and options: limits, multipliers, paddings.

Written apart from convert/lowering/fixed_point.py, whose mistakes it is to find: on exact fractions, where
TFLite and the lowering compute with doubles. The functions of TFLite are named at each; they are in
tensorflow/lite/kernels: kernel_util, padding, add, reduce, softmax, quantize, and in internal/:
quantization_util, reference/reduce.
"""

import math
from fractions import Fraction

import numpy as np

_BITS = 31  # of a multiplier
_ADD_SHIFT = 20  # both inputs of ADD are raised by as many bits
_SOFTMAX_INTEGERS = 5  # bits before the point of the differences to the maximum
_LEAST, _MOST = -31, 30  # shifts
_NAMES = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")  # by their numbers in the schema

Fixed = tuple[int, int]  # multiplier and shift: the real number is multiplier * 2^(shift - 31)


def multiplier(real: Fraction) -> Fixed:
    """QuantizeMultiplier: the nearest fraction of 31 bits, halves away from zero."""
    if real <= 0:
        return 0, 0
    shift = real.numerator.bit_length() - real.denominator.bit_length()
    if real >= Fraction(2) ** shift:
        shift += 1
    nearest = math.floor(real * Fraction(2) ** (_BITS - shift) + Fraction(1, 2))
    if nearest.bit_length() > _BITS:
        nearest, shift = nearest >> 1, shift + 1
    if shift < _LEAST:
        return 0, 0
    return ((1 << _BITS) - 1, _MOST) if shift > _MOST else (nearest, shift)


def _ratio(above: np.float32 | float, below: np.float32 | float) -> Fraction:
    """Of two floats as C++ divides doubles."""
    return Fraction(float(above) / float(below))


def rescale(source: float, output: float) -> Fixed:
    """QUANTIZE of int8 to int8, and a CONCATENATION's input: the scale of the input by that of the output."""
    return multiplier(_ratio(source, output))


def add(one: float, other: float, output: float) -> tuple[Fixed, Fixed, Fixed]:
    """ADD's multipliers of input 0, input 1 and the output: the inputs' are of twice the larger scale."""
    twice = 2 * max(one, other)
    last = _ratio(twice, output * (1 << _ADD_SHIFT))
    return multiplier(_ratio(one, twice)), multiplier(_ratio(other, twice)), multiplier(last)


def mul(one: np.float32, other: np.float32, output: np.float32) -> Fixed:
    """MUL's multiplier: the scales of its inputs by that of the output, all as float32."""
    return multiplier(Fraction(float(np.float32(np.float32(one) * other) / output)))


def rescaled(value: int, fixed: Fixed) -> int:
    """MultiplyByQuantizedMultiplier, of a shift that is not positive.

    It rounds twice: halves of the product towards plus infinity, then halves of the quotient away from zero.
    """
    high = math.floor(Fraction(value * fixed[0], 1 << _BITS) + Fraction(1, 2))
    quotient = Fraction(abs(high), 1 << -fixed[1])
    away = math.floor(quotient + Fraction(1, 2))
    return away if high >= 0 else -away


def mean(source: float, output: float, pixels: int) -> Fixed:
    """QuantizedMeanOrSum: the multiplier by the number of pixels, with as many bits as there is room for."""
    fixed, shift = multiplier(_ratio(source, output))
    room = min(pixels.bit_length() - 1, 32, shift - _LEAST)
    return fixed * (1 << room) // pixels, shift - room


def softmax(beta: float, scale: float) -> tuple[int, int, int]:
    """PreprocessSoftmaxScaling and CalculateInputRadius: multiplier, left shift, smallest difference."""
    fraction = _BITS - _SOFTMAX_INTEGERS
    real = Fraction(beta) * Fraction(scale) * (1 << fraction)
    fixed, shift = multiplier(min(real, Fraction((1 << _BITS) - 1)))
    radius = Fraction(((1 << _SOFTMAX_INTEGERS) - 1) << fraction) / Fraction(2) ** shift
    return fixed, shift, -math.floor(radius)


def limits(activation: int, scale: float, zero_point: int) -> tuple[int, int]:
    """CalculateActivationRangeQuantized, int8; it divides as float32. ValueError: another activation."""
    if activation not in range(len(_NAMES)):
        raise ValueError(f"activation {activation}")

    def step(real: int) -> int:
        quotient = Fraction(float(np.float32(real) / np.float32(scale)))
        away = math.floor(abs(quotient) + Fraction(1, 2))
        return zero_point + (away if real > 0 else -away)

    low, high = {"NONE": (None, None), "RELU": (0, None), "RELU_N1_TO_1": (-1, 1), "RELU6": (0, 6)}[
        _NAMES[activation]
    ]
    return (
        -128 if low is None else max(-128, step(low)),
        127 if high is None else min(127, step(high)),
    )


def padding(size: int, window: int, stride: int) -> int:
    """ComputePaddingHeightWidth, SAME: rows above the map, or columns left of it; the odd one goes behind."""
    outputs = (size + stride - 1) // stride
    return max((outputs - 1) * stride + window - size, 0) // 2
