"""Stored weights decode to the weights, whatever the encoding."""

import numpy as np
import pytest

from squeezenet_mcu.convert.encode import fast_fir, slices, winograd
from squeezenet_mcu.convert.encode import weights as encodings


def decoded_sparse(content, channels, taps):
    """By the format's description (firmware_cpp/engine/format.h)."""
    words = np.frombuffer(content, "<u2").tolist()
    weights = np.zeros((channels, taps), np.int8)
    at = 0
    for o in range(channels):
        count, position = words[at], -1
        for word in words[at + 1 : at + 1 + count]:
            position += 1 + (word & 0xFF)
            weights[o, position] = np.uint8(word >> 8).astype(np.int8)
        at += 1 + count
    assert at == len(words)
    return weights


def random_weights(shape, density, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, shape)
    return (weights * (rng.random(shape) < density)).astype(np.int8)


@pytest.mark.parametrize("density", [0.0, 0.002, 0.3, 1.0])
@pytest.mark.parametrize("shape", [(3, 1, 1, 700), (5, 3, 3, 64), (1, 7, 7, 3), (2, 1, 1, 1)])
def test_sparse(shape, density):
    weights = random_weights(shape, density)
    content = encodings.sparse(weights)
    taps = int(np.prod(shape[1:]))
    assert np.array_equal(decoded_sparse(content, shape[0], taps), weights.reshape(shape[0], taps))


@pytest.mark.parametrize("gap", [254, 255, 256, 511, 512, 513])
def test_sparse_bridges_long_gaps(gap):
    weights = np.zeros((1, 1, 1, 1000), np.int8)
    weights[0, 0, 0, [0, gap + 1]] = 5, -7
    assert np.array_equal(decoded_sparse(encodings.sparse(weights), 1, 1000), weights.reshape(1, 1000))


def test_sparse_of_a_layer_without_zeros_takes_two_bytes_a_weight():
    weights = np.ones((4, 1, 1, 16), np.int8)
    assert len(encodings.sparse(weights)) == 4 * (2 + 2 * 16)


def test_slices_hold_every_weight_in_order():
    weights = random_weights((6, 3, 3, 5), 1.0)
    content = np.frombuffer(slices.pack_slices(weights), np.int8).reshape(3, 8, 16)  # 45 taps -> 3 slices
    taps = content.transpose(1, 0, 2).reshape(8, 48)
    assert np.array_equal(taps[:6, :45], weights.reshape(6, 45))
    assert not taps[6:].any()
    assert not taps[:, 45:].any()


# Winograd's F(2, 3) and F(4, 3) from their definition: polynomials multiplied at points (infinity last).
POINTS_2 = (1, -1)  # then infinity, 0
POINTS_4 = (0, 1, -1, 2, -2)  # then infinity


def at_points(taps, points):
    """A polynomial with coefficients `taps` (constant first) at `points`."""
    return [sum(int(t) * p**i for i, t in enumerate(taps)) for p in points]


def test_winograd_weights_are_the_kernels_polynomial_at_the_points():
    weights = random_weights((3, 3, 3, 6), 1.0)
    words = np.frombuffer(winograd.transformed(weights), "<i2").reshape(2, 24, 2, 2, 2, 2)
    for o in range(3):
        for c in range(6):
            quad, word, half = c // 4, c % 2, c % 4 // 2
            got = words[o // 2, :, quad, word, o % 2, half]
            kernel = weights[o, :, :, c].astype(int)
            rows = [[*at_points(row, POINTS_4), row[2]] for row in kernel]  # along
            for column in range(6):
                down = [row[column] for row in rows]
                wanted = [*at_points(down, POINTS_2), down[2], down[0]]
                assert got[4 * column : 4 * column + 4].tolist() == wanted
    assert not words[1, :, :, :, 1].any()  # an odd last channel is paired with zeros
    assert not words[:, :, 1, :, :, 1].any()  # channels 6 and 7 are padding


def parts(g):
    """Of one direction's weights, those of what both outputs share, of output 0 and of output 1."""
    return [[g[0] + g[2], g[1]], [g[0], g[1]], [g[2]]]


def test_fast_fir_weights_are_the_parts_of_the_parts_doubled():
    weights = random_weights((3, 3, 3, 10), 1.0)
    words = np.frombuffer(fast_fir.transformed(weights), "<i2").reshape(2, 25, 3, 2, 2, 2)
    for o in range(3):
        for c in range(10):
            got = words[o // 2, :, c // 4, c % 2, o % 2, c % 4 // 2]
            wanted = []
            for columns in parts(2 * weights[o, :, :, c].astype(int).T):  # along, each a column of three
                rows = [parts(column) for column in columns]
                wanted += [column[k][i] for k in range(3) for i in range(2 - k // 2) for column in rows]
            assert got.tolist() == wanted
    assert not words[1, :, :, :, 1].any()  # an odd last channel is paired with zeros
    assert not words[:, :, 2, :, :, 1].any()  # channels 10 and 11 are padding
