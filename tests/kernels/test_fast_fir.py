"""The fast FIR algorithm on 3x3 convolutions of stride 2, of which random_layers.py makes few."""

import numpy as np
import pytest

from squeezenet_mcu.convert.network import ConvKernel, Encoding, Network
from squeezenet_mcu.convert.select.cost.shape import shape_of
from squeezenet_mcu.convert.select.estimate import model_of
from tests.kernels import arithmetic, case_file, emulated_cases, variants
from tests.kernels.random_builder import Builder, Draw
from tests.kernels.random_layers import _extent, fills_its_window
from tests.kernels.test_exact import on_the_host, serialized

SAMPLE = 300
ON_BOARDS = 120
_MAX_MACS = 1_000_000
_MAX_BATCH = 8
# An inner row and column of a tile's differences are of pixels that are two apart.
_FAR_APART = np.array([-128, -128, 127, 127], np.int8)


def strided(seed: int) -> tuple[Network, np.ndarray]:
    """One or two such convolutions side by side, with random scratch and rows at once, and an image."""
    draw = Draw(seed)
    while True:
        build, batch = _layers(draw)
        x, out = build.buffers
        if build.macs <= _MAX_MACS and all(fills_its_window(la, x, out, batch) for la in build.layers):
            break
    for layer in build.layers:
        shape = shape_of(layer, x, out, batch)
        model = model_of("dsp", ConvKernel.FAST_FIR, Encoding.FAST_FIR)
        assert model.supports(shape)
        least, most = model.scratch(shape), model.useful_scratch(shape)
        layer.conv_kernel, layer.encoding, layer.batch_rows = model.kernel, model.encoding, batch
        layer.scratch_bytes = int(draw.rng.choice([least, most, draw.between(least, most)]))
    image = draw.values((x.height, x.width, x.channels), x.zero_point)
    if draw.chance(0.2):
        image[:] = np.resize(_FAR_APART, x.width)[:, None]
        image[np.resize(_FAR_APART, x.height) > 0] ^= -1
    return build.finish(), image


def _layers(draw: Draw) -> tuple[Builder, int]:
    height, width = draw.between(1, 12), draw.size(1, 28, (8, 16))
    channels, parts = draw.size(8, 70, (8, 16, 32, 64)), [draw.size(1, 40, (8, 16, 32))]
    if draw.chance(0.3):
        parts.append(draw.between(1, 9))
    (in_height, top), (in_width, left) = (_extent(draw, out, 3, 2, 112) for out in (height, width))
    build = Builder(draw, in_height, in_width, channels)
    output = build.add_buffer(height, width, sum(parts))
    for part, at in zip(parts, (0, parts[0]), strict=False):
        build.convolution(0, output, part, at, (3, 3), (2, 2), (top, left))
    return build, draw.between(1, min(_MAX_BATCH, height))


def test_on_the_host():
    for seed in range(SAMPLE):
        network, image = strided(seed)
        wanted = arithmetic.maps_of(network, image)
        for i, (mine, right) in enumerate(zip(on_the_host(network, image), wanted, strict=True)):
            assert np.array_equal(mine, right), f"seed {seed}, buffer {i}\n{variants.describe(network)}"


@pytest.mark.parametrize("board", ["mps2_an386", "mps2_an505"])
def test_on_emulated_cpus(board):
    records = []
    for seed in range(ON_BOARDS):
        network, image = strided(seed)
        records.append(case_file.record(serialized(network), image, arithmetic.maps_of(network, image)))
    outcome = emulated_cases.run(board, "dsp", records)
    assert (outcome.cases, outcome.failed) == (ON_BOARDS, 0), outcome.complaints[:5]


def test_the_sample_has_the_edges():
    found = [strided(seed) for seed in range(SAMPLE)]
    layers = [
        (network.buffers[0], la, network.buffers[1]) for network, _ in found for la in network.layers[:1]
    ]
    assert {0, 1, 2, 3} <= {la.pad_left for _, la, _ in layers}
    assert {1, 2, 3, 8} <= {out.width for *_, out in layers}
    assert {0, 1, 2, 3} == {x.channels % 4 for x, *_ in layers}
    assert {0, 1} == {la.out_channels % 2 for _, la, _ in layers}
    assert {1, 2, 3, 4, 5, 6, 7, 8} == {la.batch_rows for _, la, _ in layers}
    assert any((la.weights == -128).all(axis=(1, 2, 3)).any() for _, la, _ in layers)
    differences = [int(np.abs(np.diff(image[::2].astype(int), axis=0)).max(initial=0)) for _, image in found]
    assert 255 in differences
