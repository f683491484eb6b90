"""Pairs of pixels at their bound: chunks that fill the low half of a word, and weights that must be cut."""

import numpy as np
import pytest

from squeezenet_mcu.convert.encode import entropy
from squeezenet_mcu.convert.network import ConvKernel, Encoding, Kind, Network
from squeezenet_mcu.convert.select.cost.shape import shape_of
from squeezenet_mcu.convert.select.estimate import model_of
from tests.kernels import arithmetic, case_file, emulated_cases
from tests.kernels.random_builder import Builder, Draw
from tests.kernels.test_exact import on_the_host, serialized

CHANNELS = 40
ENCODINGS = (Encoding.DENSE, Encoding.SPARSE, Encoding.HUFFMAN)
# Of a channel: its weights that are not zero, one after the other.
WEIGHTS = (
    [-128, -127],  # 255 in a chunk: with pixels of -128 the sum is 32,640
    [-128, -128],  # 256: 32,768 would be -32,768 in 16 bits
    [-127, -127, -2],
    [-1] * 40,  # more than a chunk has entries
    [-15] * 17,  # both limits at once
    [-15] * 17 + [-1],
    [-15] * 18,
    [-64, -64, -64, -64],
    [-64, -64, -64, -63],
    [127, 127, 2],
    [127, 127, 1],
    [-128] * 40,
    [127] * 40,
    [-128, 127] * 20,
    [127, -128] * 20,
    [0] * 40,
    [-128],
)


def at_the_bound(width: int, rows: int, encoding: Encoding) -> tuple[Network, np.ndarray]:
    """A 1x1 convolution of WEIGHTS over pixels of -128 and 127, `rows` rows at once."""
    build = Builder(Draw(1), 8, width, CHANNELS)
    output = build.add_buffer(8, width, len(WEIGHTS), 3)
    build.convolution(0, output, len(WEIGHTS), 0, (1, 1), (1, 1), (0, 0))
    layer = build.layers[-1]
    layer.weights = np.array([w + [0] * (CHANNELS - len(w)) for w in WEIGHTS], np.int8)[:, None, None]
    layer.bias = np.zeros(len(WEIGHTS), np.int32)
    layer.multipliers = np.full(len(WEIGHTS), 1 << 30, np.int32)
    layer.shifts = np.full(len(WEIGHTS), -9, np.int8)  # 65,536 too much or too little is 64 in the output
    layer.act_min, layer.act_max = -128, 127
    layer.conv_kernel, layer.encoding, layer.batch_rows = ConvKernel.PIXEL_PAIRS, encoding, rows
    shape = shape_of(layer, build.buffers[0], build.buffers[output], rows)
    layer.scratch_bytes = model_of("v6m", layer.conv_kernel, encoding).scratch(shape)
    network = build.finish()
    entropy.code(network)
    low = np.random.default_rng(2).random((8, width, CHANNELS)) < 0.5
    low[:2], low[2:4], low[4:6, ::2] = True, False, True
    return network, np.where(low, -128, 127).astype(np.int8)


CASES = [(width, rows, encoding) for width in (7, 8, 9) for rows in (1, 2, 8) for encoding in ENCODINGS]


@pytest.mark.parametrize(("width", "rows", "encoding"), CASES)
def test_chunks_at_their_bound(width, rows, encoding):
    network, image = at_the_bound(width, rows, encoding)
    wanted = arithmetic.maps_of(network, image)
    assert network.layers[0].kind is Kind.CONV_2D
    for mine, right in zip(on_the_host(network, image), wanted, strict=True):
        assert np.array_equal(mine, right)


@pytest.mark.parametrize(("board", "family"), [("rp2040", "v6m"), ("mps2_an386", "portable")])
def test_chunks_at_their_bound_on_emulated_boards(board, family):
    records = []
    for case in CASES:
        network, image = at_the_bound(*case)
        records.append(case_file.record(serialized(network), image, arithmetic.maps_of(network, image)))
    outcome = emulated_cases.run(board, family, records)
    assert (outcome.cases, outcome.failed) == (len(CASES), 0), outcome.complaints[:5]
