"""Winograd's method in words: at its bound, and over random layers of every width, under sanitizers."""

import numpy as np
import pytest

from squeezenet_mcu.convert.encode import entropy
from squeezenet_mcu.convert.network import ConvKernel, Encoding, Network
from squeezenet_mcu.convert.select.cost import winograd_words
from squeezenet_mcu.convert.select.cost.shape import shape_of
from squeezenet_mcu.convert.select.estimate import model_of
from tests.convert import sanitized
from tests.kernels import arithmetic, case_file, emulated_cases
from tests.kernels.random_builder import Builder, Draw
from tests.kernels.test_exact import on_the_host, serialized

ENCODINGS = (Encoding.DENSE, Encoding.SPARSE, Encoding.HUFFMAN)
RANDOM = 60
FEW = 30
# What makes the sums as large as they can be, or makes the largest terms cancel: weights and pixels.
EXTREMES = [(-128, -128), (-128, 127), (127, 127), (127, -128)]


def _through_words(build: Builder, output: int, encoding: Encoding, rows: int) -> Network:
    layer = build.layers[-1]
    layer.conv_kernel, layer.encoding, layer.batch_rows = ConvKernel.WINOGRAD_WORDS, encoding, rows
    shape = shape_of(layer, build.buffers[0], build.buffers[output], rows)
    model = model_of("v6m", layer.conv_kernel, encoding)
    assert model.supports(shape)
    layer.scratch_bytes = model.scratch(shape)
    network = build.finish()
    entropy.code(network)
    return network


def random_layer(seed: int) -> tuple[Network, np.ndarray]:
    """A 3x3 convolution of any width, channels, padding, rows at once and encoding."""
    draw = Draw(seed + 7000)
    height, width = draw.between(1, 9), draw.between(1, 21)
    top, left = draw.between(0, 2), draw.between(0, 4)
    in_height = max(height + 2 - top - draw.between(0, 2), 1)
    in_width = max(width + 2 - left - draw.between(0, 3), 1)
    build = Builder(draw, in_height, in_width, draw.size(1, 40))
    filters = draw.between(1, 9)
    output = build.add_buffer(height, width, filters)
    build.convolution(0, output, filters, 0, (3, 3), (1, 1), (top, left))
    rows = 1 if in_height < 4 else draw.between(1, min(height, in_height - 2, 8))
    network = _through_words(build, output, ENCODINGS[seed % 3], rows)
    source = build.buffers[0]
    return network, draw.values((in_height, in_width, source.channels), source.zero_point)


def extreme(channels: int, case: int) -> tuple[Network, np.ndarray]:
    """Two tiles whose sums lie at the bound, and others with signs that alternate in the window."""
    weight, pixel = EXTREMES[case % len(EXTREMES)]
    build = Builder(Draw(case), 4, 8, channels)
    build.buffers[0].zero_point = pixel
    output = build.add_buffer(2, 6, 4, 3)
    build.convolution(0, output, 4, 0, (3, 3), (1, 1), (0, 0))
    layer = build.layers[-1]
    layer.weights = np.full((4, 3, 3, channels), weight, np.int8)
    layer.weights[1, ::2] = -1 - weight  # rows by turns
    layer.weights[2, :, ::2] = -1 - weight  # columns by turns
    layer.weights[3, :, 1] = 0
    layer.bias = np.array([0, 5000, -5000, 1], np.int32)
    layer.multipliers = np.full(4, (1 << 30) + 12345, np.int32)
    layer.shifts = np.full(4, -int(np.ceil(np.log2(9 * channels * 128))) + 1, np.int8)
    layer.act_min, layer.act_max = -128, 127
    image = np.full((4, 8, channels), pixel, np.int8)
    if case >= len(EXTREMES):
        image[::2, 1::2] = -1 - pixel
        image[1::2, ::2] = -1 - pixel
    return _through_words(build, output, ENCODINGS[case % 2], 2), image


CASES = [(channels, case) for channels in (1, 2, 15, 16, 17, 64) for case in range(2 * len(EXTREMES))]


def _the_same(maps: list[np.ndarray], wanted: list[np.ndarray], where: object) -> None:
    for mine, right in zip(maps, wanted, strict=True):
        assert np.array_equal(mine.reshape(right.shape), right), where


@pytest.mark.parametrize("channels", [1, 64, winograd_words.MAX_CHANNELS])
def test_sums_at_their_bound(channels):
    for case in range(2 * len(EXTREMES)):
        network, image = extreme(channels, case)
        _the_same(on_the_host(network, image), arithmetic.maps_of(network, image), case)


def test_random_layers_under_sanitizers(tmp_path):
    """No sum of int32 overflows, nothing outside the scratch is read or written."""
    shapes = set()
    for seed in range(RANDOM):
        network, image = random_layer(seed)
        layer, out = network.layers[0], network.buffers[1]
        shapes.add((out.width % 4, layer.batch_rows % 2, network.buffers[0].channels % 2, layer.encoding))
        run = sanitized.run_model(serialized(network), image[None], tmp_path, network)
        _the_same(run.maps[0], arithmetic.maps_of(network, image), seed)
    assert len(shapes) > RANDOM // 4, "widths, rows and channels of all kinds"


def test_on_the_emulated_pico():
    made = [random_layer(seed) for seed in range(FEW)] + [extreme(*case) for case in CASES]
    records = [case_file.record(serialized(n), image, arithmetic.maps_of(n, image)) for n, image in made]
    outcome = emulated_cases.run("rp2040", "v6m", records)
    assert (outcome.cases, outcome.failed) == (len(made), 0), outcome.complaints[:5]
