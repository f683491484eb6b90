"""The offline half of TFLite's integer arithmetic."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeezenet_mcu.convert.lowering import fixed_point as quant


@given(st.floats(1e-8, 1e8))
def test_multiplier_is_the_nearest_of_31_bits(real):
    fixed = quant.quantize_multiplier(real)
    assert 1 << 30 <= fixed.multiplier < 1 << 31
    unit = Fraction(2) ** (fixed.shift - 31)
    assert abs(fixed.multiplier * unit - Fraction(real)) <= unit / 2


@pytest.mark.parametrize(
    ("real", "multiplier", "shift"),
    [
        (0.0, 0, 0),
        (1.0, 1 << 30, 1),
        (0.5, 1 << 30, 0),
        (0.75, 3 << 29, 0),
        (2.0**-40, 0, 0),  # too small for a shift of 31
        (math.nextafter(1.0, 0.0), 1 << 30, 1),  # rounds up to 2^31, which is halved
    ],
)
def test_multiplier_values(real, multiplier, shift):
    assert quant.quantize_multiplier(real) == quant.Multiplier(multiplier, shift)


@pytest.mark.parametrize(
    ("name", "scale", "zero_point", "limits"),
    [
        ("NONE", 0.1, 5, (-128, 127)),
        ("RELU", 0.1, 5, (5, 127)),
        ("RELU", 0.1, -128, (-128, 127)),
        ("RELU6", 0.1, -128, (-128, -68)),
        ("RELU6", 0.01, -128, (-128, 127)),
        ("RELU6", 12.0, -128, (-128, -127)),  # a half goes up
        ("RELU6", 12.000001, -128, (-128, -128)),  # the float32 just below a half not
        ("RELU_N1_TO_1", 0.1, 0, (-10, 10)),
        ("TANH", 0.1, 0, None),
    ],
)
def test_activation_range(name, scale, zero_point, limits):
    assert quant.activation_range(name, scale, zero_point) == limits


def test_softmax_difference_that_counts():
    # 1/8 is 2^23 in Q5.26: shift 24, and 31 * 2^26 / 2^24 = 124 steps of difference still fit.
    assert quant.softmax_params(1.0, 1 / 8) == quant.SoftmaxParams(1 << 30, 24, -124)
