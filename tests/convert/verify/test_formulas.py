"""The formulas of the gate, on exact fractions, and of the lowering, on doubles, agree."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.verify import formulas

NAMES = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")  # by their numbers in the schema
SCALES = st.floats(2.0**-20, 2.0**20, width=32)


@given(st.one_of(st.just(0.0), st.floats(2.0**-45, 2.0**40)))
def test_multiplier(real):
    wanted = quant.quantize_multiplier(real)
    assert formulas.multiplier(Fraction(real)) == (wanted.multiplier, wanted.shift)


@pytest.mark.parametrize(
    ("real", "fixed"),
    [
        (0.0, (0, 0)),
        (1.0, (1 << 30, 1)),
        (0.75, (3 << 29, 0)),
        (2.0**-40, (0, 0)),
        (2.0**35, ((1 << 31) - 1, 30)),
        (np.nextafter(1.0, 0.0), (1 << 30, 1)),  # rounds up to 2^31, which is halved
    ],
)
def test_multiplier_values(real, fixed):
    assert formulas.multiplier(Fraction(float(real))) == fixed


@given(SCALES, SCALES, st.integers(1, 1 << 23))
def test_mean(source, output, pixels):
    wanted = quant.mean_multiplier(source / output, pixels)
    assert formulas.mean(source, output, pixels) == (wanted.multiplier, wanted.shift)


@given(st.floats(2.0**-10, 16.0, width=32), st.floats(2.0**-16, 16.0, width=32))
def test_softmax(beta, scale):
    wanted = quant.softmax_params(beta, scale)
    assert formulas.softmax(beta, scale) == (wanted.multiplier, wanted.left_shift, wanted.diff_min)


@given(st.integers(0, 3), SCALES, st.integers(-128, 127))
def test_limits(activation, scale, zero_point):
    assert formulas.limits(activation, scale, zero_point) == quant.activation_range(
        NAMES[activation], scale, zero_point
    )


def test_limits_of_another_activation():
    with pytest.raises(ValueError, match="activation 4"):
        formulas.limits(4, 0.1, 0)


def test_add():
    """Inputs of one scale: a half each, raised by 20 bits, so that the output's is 2 by 2^20."""
    assert formulas.add(0.5, 0.5, 0.5) == ((1 << 30, 0), (1 << 30, 0), (1 << 30, -18))
    assert formulas.add(0.25, 0.5, 1.0) == ((1 << 30, -1), (1 << 30, 0), (1 << 30, -19))


@pytest.mark.parametrize(
    ("size", "window", "stride", "before"),
    [(8, 3, 1, 1), (8, 3, 2, 0), (9, 3, 2, 1), (8, 2, 1, 0), (8, 7, 2, 2)],
)
def test_padding(size, window, stride, before):
    assert formulas.padding(size, window, stride) == before
