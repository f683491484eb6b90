"""Rounding with compensation, on layers made up here."""

import numpy as np
import pytest

from squeezenet_mcu.convert.ptq import rounding, weights

TAPS, OUT = 24, 6


def layer(windows, seed=0):
    """Correlated inputs [windows, TAPS] in int8 steps, weights [OUT, TAPS] with zeros, bias [OUT]."""
    random = np.random.RandomState(seed)
    mix = np.random.RandomState(7).normal(0, 1, (4, TAPS))
    x = np.round(np.abs(random.normal(0, 20, (windows, 4)) @ mix + random.normal(0, 3, (windows, TAPS))))
    w = np.random.RandomState(8).normal(0, 0.1, (OUT, TAPS)).astype(np.float32)
    w[:, ::3] = 0
    return x.astype(np.float32), w, np.linspace(-1, 1, OUT).astype(np.float32)


def sums_of(x, y):
    sums = rounding.Sums.empty(x.shape[1], y.shape[1])
    for start in range(0, len(x), 100):
        sums.add(x[start : start + 100], y[start : start + 100])
    return sums


@pytest.mark.parametrize("bits", [4, 5, 6, 7, 8])
def test_errors_make_up_for_each_other_on_inputs_not_seen(bits):
    x, w, b = layer(1000)
    scales = weights.full_range(w, b, np.float32(0.5), bits)
    found, bias = rounding.compensated(w, scales, sums_of(x, 0.5 * x @ w.T + b), 0.5, weights.largest(bits))
    fresh = layer(1000, seed=1)[0]
    wanted = 0.5 * fresh @ w.T + b
    nearest = weights.nearest(w, scales, bits)
    plain = 0.5 * fresh @ (nearest * scales[:, np.newaxis]).T + b
    compensated = 0.5 * fresh @ (found * scales[:, np.newaxis]).T + bias
    assert np.square(compensated - wanted).mean() < 0.5 * np.square(plain - wanted).mean()


@pytest.mark.parametrize("bits", [4, 8])
def test_zeros_and_limits_hold(bits):
    x, w, b = layer(300)
    top = weights.largest(bits)
    found, _ = rounding.compensated(
        w, weights.full_range(w, b, np.float32(1), bits), sums_of(x, x @ w.T + b), 1.0, top
    )
    assert not found[w == 0].any()
    assert np.abs(found).max() <= top
    assert np.array_equal(found, np.round(found))


def test_the_bias_makes_the_means_right():
    x, w, b = layer(500)
    wanted = x @ w.T + b + 3  # as where the layers before it shifted
    scales = weights.full_range(w, b, np.float32(1), 5)
    found, bias = rounding.compensated(w, scales, sums_of(x, wanted), 1.0, weights.largest(5))
    got = x @ (found * scales[:, np.newaxis]).T + bias
    assert np.allclose(got.mean(0), wanted.mean(0), rtol=0, atol=1e-3)


def test_weights_that_are_exact_stay_as_they_are():
    x, _, b = layer(400)
    kept = np.random.RandomState(3).randint(-7, 8, (OUT, TAPS)).astype(np.float32)
    kept[:, 0] = 7
    scales = np.ones(OUT, np.float32)
    found, bias = rounding.compensated(kept, scales, sums_of(x, x @ kept.T + b), 1.0, 7)
    assert np.array_equal(found, kept)
    assert np.allclose(bias, b, rtol=0, atol=1e-2)


def test_inputs_that_are_always_zero_leave_the_nearest_integer():
    _, w, b = layer(10)
    x = np.zeros((50, TAPS), np.float32)
    scales = weights.full_range(w, b, np.float32(1), 8)
    found, bias = rounding.compensated(w, scales, sums_of(x, x @ w.T + b), 1.0, 127)
    assert np.array_equal(found, weights.nearest(w, scales, 8))
    assert np.allclose(bias, b)


def test_scales_fit_the_largest_weight_and_the_bias():
    w = np.array([[0.5, -1.27], [0.0, 0.0], [1e-9, 0.0]], np.float32)
    b = np.array([0.0, 100.0, 100.0], np.float32)
    scales = weights.full_range(w, b, np.float32(1), 8)
    assert 0.01 <= scales[0] <= 0.01 * 2 ** (1 / 6)
    made = weights.integers(weights.nearest(w, scales, 8), scales, b, np.float32(1), np.float32(1))
    assert made.weights[0].tolist() == np.round(w[0] / scales[0]).tolist()
    assert -127 <= made.weights[0, 1] <= -113
    assert np.allclose(made.bias * scales.astype(np.float64), b, atol=1 / 32)


def test_scales_are_few_and_biases_end_with_zero_bits():
    rng = np.random.default_rng(0)
    w = rng.normal(0, 1, (1000, 9)).astype(np.float32)
    b = rng.normal(0, 1, 1000).astype(np.float32)
    scales = weights.full_range(w, b, np.float32(0.01), 8)
    assert len(np.unique(scales)) <= 32
    made = weights.integers(weights.nearest(w, scales, 8), scales, b, np.float32(0.01), np.float32(0.1))
    step = 0.01 * scales.astype(np.float64)
    assert not np.any(made.bias % 8)
    assert np.abs(made.bias * step - b).max() <= 0.1 / 32 + 1e-9
