"""Shapes of convolutions within the engine's limits: all kernels and strides, both small and large maps."""

import numpy as np

from squeezenet_mcu.convert.select.cost.shape import Shape, Weights
from tests import cpp_facts

SEED = 20261129
_ROUNDINGS = ("relu", "linear", "exact")


def _sizes(rng, most, count):
    """Whole numbers from 1 to `most`, small ones as often as large ones."""
    return np.exp(rng.uniform(0, np.log(most + 1), count)).astype(int).clip(1, most)


def shapes(count):
    """So many, the same ones every time."""
    rng = np.random.default_rng(SEED)
    n = 4 * count  # enough, without those of too many taps
    square = rng.random(n) < 0.7
    kernel = np.where(square, rng.choice([1, 3, 3, 5, 7], n), rng.integers(1, 8, (2, n)))
    stride = np.where(square, rng.choice([1, 1, 2], n), rng.integers(1, 3, (2, n)))
    # Beside any number of channels, those around which kernels stop: 910 of Winograd's, 63 of lanes.
    in_channels = np.where(
        rng.random(n) < 0.5, _sizes(rng, 4096, n), rng.choice([3, 16, 63, 64, 910, 911], n)
    )
    in_width, out_width, out_channels = (_sizes(rng, most, n) for most in (600, 300, 2048))
    out_rows = rng.integers(1, 5, n)
    taps = kernel[0] * kernel[1] * in_channels
    nonzeros = rng.integers(0, taps * out_channels + 1)
    most_taps = cpp_facts.host()["constants"]["kMaxTaps"]
    columns = (in_width, in_channels, out_width, out_channels, *kernel, *stride, out_rows, nonzeros)
    rows = np.stack(columns, axis=1)[taps <= most_taps][:count].tolist()
    assert len(rows) == count
    made = []
    for i, row in enumerate(rows):
        nonzeros = row[9]
        weights = Weights(nonzeros, nonzeros // 2, nonzeros // 3, 4 + i % 5, i % 2 == 0)
        made.append(Shape(*row[:9], row[5] // 2, 0.1 * (i % 3), _ROUNDINGS[i % 3], weights))
    return made
