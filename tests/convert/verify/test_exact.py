"""The engine equals LiteRT in every int8 of every layer, under ASan and UBSan, in the planned SRAM."""

import numpy as np
import pytest

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.lowering import mend, tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.target import ANY_CPU, Target
from squeezenet_mcu.convert.verify import coverage, exactness, stored
from tests.convert import imagenet_nets, planned_sram, sanitized

# Every family of kernels as a host runs it, and the memory of a small chip with its sparse encodings.
TARGETS = {
    "any": ANY_CPU,
    "dsp": Target("dsp", sram_limit=120_000),
    "v6m": Target("v6m", sram_limit=120_000),
    "portable": Target("portable", sram_limit=120_000),
    "mve": Target("mve"),
    "flash": Target("dsp", "flash", sram_limit=120_000),
    "portable flash": Target("portable", "flash"),
    "two cores": Target("v6m", sram_limit=120_000, workers=2),
}


def check(content: bytes, images: int, folder, seed: int = 0, target: str = "any") -> None:
    """Converts `content` and compares every tensor of `images` synthetic images."""
    file = tflite_file.parse(content)
    made = engine_model.prepare(file, [], TARGETS[target])
    network = made.network
    stored.check(file, network, made.content)
    source = network.buffers[network.input_buffer]
    shape = (source.height, source.width, source.channels)
    x = exactness.sample_images(shape, images, seed)
    run = sanitized.run_model(made.content, x, folder, network)
    assert run.status == 0
    assert len(run.maps) == images
    assert run.arena == made.plan.arena_bytes
    planned_sram.check(network, run)
    reference = Reference(
        content, edge=(source.scale, source.zero_point), output_tensor=network.output_tensor
    )
    coverage.check(file, network)
    for maps, image in zip(run.maps, x, strict=True):
        reference.run(image)
        assert exactness.differing_tensors(network, maps, reference) == {}


@pytest.mark.parametrize(("name", "target"), [("v1_0", "dsp"), ("v1_1", "any"), ("v1_1", "mve")])
def test_imagenet_networks(name, target, tmp_path):
    check(imagenet_nets.content(name), 1, tmp_path, target=target)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["v1_0", "v1_1"])
def test_imagenet_networks_more_images(name, target, tmp_path):
    check(imagenet_nets.content(name), 10, tmp_path, seed=1, target=target)


@pytest.mark.parametrize("seed", range(6))
def test_random_networks(seed, tmp_path):
    from tests.convert.random_nets import random_tflite

    content = random_tflite(seed)
    for target in TARGETS:
        check(content, 2, tmp_path, seed, target)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6, 220))
def test_more_random_networks(seed, tmp_path):
    from tests.convert.random_nets import random_tflite

    content = random_tflite(seed)
    for target in TARGETS:
        check(content, 2, tmp_path, seed, target)


def check_foreign(seed: int, folder) -> None:
    """A network as people build them in Keras, on one family of kernels after the other."""
    from tests.convert.random_foreign_nets import random_tflite

    file = mend.mended(tflite_file.parse(random_tflite(seed), "x.tflite")).file
    check(file.content, 2, folder, seed, list(TARGETS)[seed % len(TARGETS)])


@pytest.mark.parametrize("seed", range(8))
def test_random_networks_from_elsewhere(seed, tmp_path):
    check_foreign(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8, 200))
def test_more_random_networks_from_elsewhere(seed, tmp_path):
    check_foreign(seed, tmp_path)


@pytest.mark.parametrize(
    "name", ["digits", *(pytest.param(name, marks=pytest.mark.long) for name in ("gtsrb", "cifar10"))]
)
def test_zoo(name, tmp_path):
    from squeezenet_mcu.model.network import to_tflite

    quantized = ZOO / name / "quantized.keras"
    content = to_tflite.to_int8_tflite(to_tflite.load_quantized(quantized))
    for target in TARGETS:
        check(content, 4, tmp_path, target=target)


def test_a_wrong_engine_model_is_noticed(tmp_path):
    """The comparison can fail: one weight changed by one is seen."""
    from tests.convert.random_nets import random_tflite

    network = lower(tflite_file.parse(random_tflite(0)))
    memory = arena.plan(network)
    conv = next(layer for layer in network.layers if layer.weights is not None)
    changed = conv.weights.copy()
    changed.flat[np.argmin(np.abs(changed))] += 64
    conv.weights = changed
    source = network.buffers[network.input_buffer]
    x = exactness.sample_images((source.height, source.width, source.channels), 2)
    run = sanitized.run_model(blob.serialize(network, memory, []), x, tmp_path, network)
    reference = Reference(network.source, edge=(source.scale, source.zero_point))
    reference.run(x[0])
    assert exactness.differing_tensors(network, run.maps[0], reference)
