"""ADD with the scales that TFLite gives it, which dsp takes four values a word; interrupts come all along."""

import dataclasses

import numpy as np
import pytest

from tests.convert import sanitized
from tests.kernels import arithmetic, case_file, emulated_cases, random_others
from tests.kernels.random_builder import Builder, Draw
from tests.kernels.random_layers import Sample
from tests.kernels.test_exact import serialized

SAMPLE = 200
FEW = 60
BOARDS = ["mps2_an386", "mps2_an500"]


def sum_of_maps(seed: int) -> Sample:
    """A map plus what REQUANTIZE makes of it: all zero points, often -128 as behind a ReLU, any width."""
    draw = Draw(seed)
    build = Builder(draw, draw.between(1, 5), draw.size(1, 60), draw.size(1, 40))
    other = random_others.rescaled(build, 0)
    output = random_others.sum_of(build, 0, other)
    for index in (0, other, output):
        if draw.chance(0.5):
            build.buffers[index] = dataclasses.replace(build.buffers[index], zero_point=-128)
    if draw.chance(0.8):
        build.layers[-1].act_min, build.layers[-1].act_max = -128, 127
    x = build.buffers[0]
    image = draw.rng.integers(-128, 128, (x.height, x.width, x.channels), np.int8)
    return Sample(build.finish(), image)


@pytest.mark.parametrize("board", BOARDS)
def test_sums_on_a_board(board):
    samples = [sum_of_maps(seed) for seed in range(SAMPLE)]
    records = (
        case_file.record(serialized(s.network), s.image, arithmetic.maps_of(s.network, s.image))
        for s in samples
    )
    outcome = emulated_cases.run(board, "dsp", records, 0)
    assert (outcome.cases, outcome.failed) == (SAMPLE, 0), outcome.complaints[:5]


def test_sums_on_the_host_under_sanitizers(tmp_path):
    """The same arithmetic in C++."""
    for seed in range(FEW):
        sample = sum_of_maps(seed)
        wanted = arithmetic.maps_of(sample.network, sample.image)
        done = sanitized.run_model(serialized(sample.network), sample.image[None], tmp_path, sample.network)
        for mine, right in zip(done.maps[0], wanted, strict=True):
            assert np.array_equal(mine, right.reshape(mine.shape)), seed
