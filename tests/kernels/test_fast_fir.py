"""The fast FIR algorithm on random 3x3 convolutions of stride 2."""

import numpy as np
import pytest

from tests.kernels import arithmetic, case_file, emulated_cases, variants
from tests.kernels.strided_layers import strided
from tests.kernels.test_exact import on_the_host, serialized

SAMPLE = 300
ON_BOARDS = 120


def test_on_the_host():
    for seed in range(SAMPLE):
        network, image = strided(seed)
        wanted = arithmetic.maps_of(network, image)
        for i, (mine, right) in enumerate(zip(on_the_host(network, image), wanted, strict=True)):
            assert np.array_equal(mine, right), f"seed {seed}, buffer {i}\n{variants.describe(network)}"


@pytest.mark.parametrize("board", ["mps2_an386", pytest.param("mps2_an505", marks=pytest.mark.long)])
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
