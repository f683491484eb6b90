"""Two workers make every row that one makes, under sanitizers, and no race is seen."""

import itertools

import pytest

from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.engine_model import Maker
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify import exactness
from tests.convert.workers import sharing

FAMILIES = tuple(FAMILY_KERNELS)
_AT_ONCE = 100  # networks of one process


def cases(count, seed):
    """`count` of them, that two workers share: of each family in turn, from `seed` on."""
    made = (sharing.random_case(n, FAMILIES[n % len(FAMILIES)]) for n in itertools.count(seed))
    return list(itertools.islice((case for case in made if case is not None), count))


def check(count, folder, seed=0, program=None):
    for start in range(0, count, _AT_ONCE):
        some = cases(min(_AT_ONCE, count - start), seed + 10 * start)
        assert all(outcome.halves for outcome in sharing.run(some, folder, program))


def test_random_networks(tmp_path):
    check(40, tmp_path)


@pytest.mark.long
def test_a_thousand_random_networks(tmp_path):
    check(1000, tmp_path, seed=1000)


@pytest.mark.long
def test_no_race_is_seen(tmp_path):
    check(100, tmp_path, seed=0, program=sharing.under_tsan())


@pytest.mark.parametrize("name", ["cifar10", "digits", "gtsrb"])
@pytest.mark.parametrize("family", FAMILIES)
def test_zoo(name, family, tmp_path):
    """As the converter makes it for two cores; without a worker LiteRT's in every int8, with one the same."""
    file = tflite_file.read(ZOO / name / "model.tflite")
    maker = Maker.of(file, [])
    one, two = (maker.prepare(Target(family, sram_limit=200_000, workers=n)) for n in (1, 2))
    engine_model.prove(file, two)
    assert any(layer.shared for layer in two.network.layers)
    assert not any(layer.shared for layer in one.network.layers)
    source = two.network.buffers[two.network.input_buffer]
    images = exactness.sample_images((source.height, source.width, source.channels), 3)
    outcomes = sharing.run([sharing.Case(one.content, two.content, image) for image in images], tmp_path)
    assert all(outcome.halves > 50 for outcome in outcomes)
