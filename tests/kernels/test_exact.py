"""Kernels compute what numpy computes, on emulated CPUs, while interrupts overwrite all that they may."""

import collections
import itertools

import numpy as np
import pytest

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.network import ConvKernel, Encoding, Kind, Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.verify.exactness import EngineTrace
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from tests.convert import sanitized
from tests.kernels import arithmetic, case_file, emulated_cases, random_layers, variants

FAMILIES: dict[str, Family] = {
    "mps2_an386": "dsp",
    "mps2_an500": "dsp",
    "mps2_an505": "dsp",
    "mps3_an547": "mve",
}
# Plain C++, on a CPU with few registers and interrupts that scribble.
PLAIN = "mps2_an386"
# An emulator that takes about half a second a case.
SLOW: dict[str, Family] = {"rp2040": "v6m"}
SAMPLE = 300
FEW = 8
SOME = 100
LONG_CHUNK = 1000
LONG_CHUNKS = 10


def serialized(network: Network) -> bytes:
    return blob.serialize(network, arena.plan(network), [])


def record(seed: int, family: Family) -> tuple[bytes, Network]:
    """The case of a seed, its convolutions forced through kernels of `family`."""
    case = random_layers.sample(seed)
    maps = arithmetic.maps_of(case.network, case.image)
    variants.force(case.network, family, seed)
    return case_file.record(serialized(case.network), case.image, maps), case.network


def check(board: str, first: int, count: int, family: Family | None = None) -> collections.Counter:
    """Runs cases [first, first + count) on `board`; how many convolutions each kernel ran."""
    family = family or (FAMILIES | SLOW)[board]
    used: collections.Counter = collections.Counter()

    def records():
        for seed in range(first, first + count):
            content, network = record(seed, family)
            used.update(layer.conv_kernel for layer in network.layers if layer.kind is Kind.CONV_2D)
            yield content

    outcome = emulated_cases.run(board, family, records(), first)
    if outcome.complaints:
        seed = int(outcome.complaints[0].split()[1])
        text = "\n".join(outcome.complaints[:10])
        pytest.fail(f"{board}: {outcome.failed} of {outcome.cases} cases\n{text}\ncase {seed}:\n"
                    f"{variants.describe(record(seed, family)[1])}")  # fmt: skip
    assert (outcome.cases, outcome.failed) == (count, 0)
    assert outcome.rows > 3 * count
    assert outcome.ticks > 50 * count, "interrupts came all along"
    return used


@pytest.mark.parametrize("board", ("mps2_an386", "mps3_an547"))
def test_random_layers(board):
    used = check(board, 0, SAMPLE)
    assert set(used) == {model.kernel for model in variants.kernels_of(FAMILIES[board])}


@pytest.mark.parametrize("board", ("mps2_an500", pytest.param("mps2_an505", marks=pytest.mark.long)))
def test_random_layers_on_cpus_with_the_kernels_of_another(board):
    check(board, 0, SOME)


def test_random_layers_through_the_portable_kernels():
    used = check(PLAIN, 0, SOME, "portable")
    assert set(used) == {model.kernel for model in variants.kernels_of("portable")}


@pytest.mark.parametrize("board", SLOW)
def test_a_few_random_layers(board):
    check(board, 0, FEW)


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(LONG_CHUNKS))
@pytest.mark.parametrize("board", FAMILIES | SLOW)
def test_many_random_layers(board, chunk):
    check(board, SAMPLE + chunk * LONG_CHUNK, LONG_CHUNK)


def on_the_host(network: Network, image: np.ndarray) -> list[np.ndarray]:
    trace = EngineTrace(HostEngine(serialized(network)), network)
    trace.infer(image)
    return [
        m.reshape(b.height, b.width, b.channels) for m, b in zip(trace.maps, network.buffers, strict=True)
    ]


@pytest.mark.parametrize("family", [None, "portable", "v6m", "dsp"])
def test_the_host_computes_the_same(family):
    """The plain kernels, and those that the host has of the others."""
    for seed in range(SAMPLE):
        case = random_layers.sample(seed)
        wanted = arithmetic.maps_of(case.network, case.image)
        if family:
            variants.force(case.network, family, seed)
        for i, (mine, right) in enumerate(zip(on_the_host(case.network, case.image), wanted, strict=True)):
            assert np.array_equal(mine, right), f"seed {seed}, buffer {i}\n{variants.describe(case.network)}"


def test_the_portable_kernels_compute_the_same_under_sanitizers(tmp_path):
    """Nothing undefined: no sum of int32 overflows, nothing outside a buffer is read."""
    used = set()
    for seed in range(SOME):
        case = random_layers.sample(seed)
        wanted = arithmetic.maps_of(case.network, case.image)
        variants.force(case.network, "portable", seed)
        used |= {layer.conv_kernel for layer in case.network.layers if layer.kind is Kind.CONV_2D}
        run = sanitized.run_model(serialized(case.network), case.image[None], tmp_path, case.network)
        for mine, right in zip(run.maps[0], wanted, strict=True):
            assert np.array_equal(mine.reshape(right.shape), right), f"seed {seed}"
    assert used == {model.kernel for model in variants.kernels_of("portable")}


def test_the_sample_has_the_edges():
    convolutions = [
        (case.network.buffers[layer.inputs[0]], layer, case.network.buffers[layer.output])
        for case in map(random_layers.sample, range(SAMPLE))
        for layer in case.network.layers
        if layer.kind is Kind.CONV_2D
    ]
    kernels = {(layer.kernel, layer.stride) for _, layer, _ in convolutions}
    assert {((1, 1), (1, 1)), ((3, 3), (1, 1)), ((3, 3), (2, 2)), ((7, 7), (2, 2))} <= kernels
    widths = {out.width for _, _, out in convolutions}
    assert {1, 2, 3, 13, 55, 111, 112} <= widths
    assert {1, 70} <= {x.channels for x, _, _ in convolutions} | {y.channels for *_, y in convolutions}
    assert {-128, 127} <= {x.zero_point for x, *_ in convolutions}
    assert any((layer.shifts > 0).any() for _, layer, _ in convolutions)
    assert any((layer.act_min, layer.act_max) == (-128, 127) for _, layer, _ in convolutions)
    assert any(layer.act_min > out.zero_point for _, layer, out in convolutions)
    assert any(not layer.weights[0].any() for _, layer, _ in convolutions)
    assert any((layer.weights == -128).all() for _, layer, _ in convolutions)
    assert any(layer.pad_left >= layer.kernel[1] for _, layer, _ in convolutions)
    assert any(layer.out_channel and layer.out_channels < out.channels for _, layer, out in convolutions)


def test_the_sample_has_every_kind_of_code():
    streams = []
    for seed in range(SAMPLE):
        network = random_layers.sample(seed).network
        variants.force(network, "dsp", seed)
        streams += [
            (layer.conv_kernel, layer.entropy_coded.stream)
            for layer in network.layers
            if layer.kind is Kind.CONV_2D and layer.encoding is Encoding.HUFFMAN
        ]
    coded = {model.kernel for model in variants.kernels_of("dsp") if model.encoding is Encoding.HUFFMAN}
    assert {kernel for kernel, _ in streams} == coded
    lists = {(s[0], max(s[1] - 5, 0)) for kernel, s in streams if kernel is ConvKernel.SPARSE_LIST}
    others = {(s[0], max(s[1] - 5, 0)) for kernel, s in streams if kernel is not ConvKernel.SPARSE_LIST}
    assert lists == others == set(itertools.product((0, 1, 2), (0, 1, 2, 3)))  # modes, bits not coded
    assert {s[1] for _, s in streams} == {4, 5, 6, 7, 8}
    assert {(s[0], s[2]) for _, s in streams} == {
        (mode, classes) for mode in (0, 1, 2) for classes in (1, 2, 4)
    }


def test_what_is_wrong_is_noticed():
    """The harness can fail: a wrong byte in each map, a model that the engine refuses."""
    board = "mps2_an386"
    case = random_layers.sample(3)
    right = arithmetic.maps_of(case.network, case.image)
    content = serialized(case.network)
    records = []
    for i, _ in enumerate(right):
        maps = [m.copy() for m in right]
        maps[i].flat[-1] ^= 1
        records.append(case_file.record(content, case.image, maps))
    records.append(case_file.record(content[:-4] + b"\0\0\0\1", case.image, right))
    records.append(case_file.record(content, case.image, right))
    outcome = emulated_cases.run(board, "dsp", records, 40)
    assert (outcome.cases, outcome.failed) == (len(records), len(records) - 1)
    for i, (line, m) in enumerate(zip(outcome.complaints, right, strict=False)):
        row, at = m.shape[0] - 1, m[0].size - 1
        got = int(m.flat[-1]) + 128
        assert line == f"differs {40 + i} {i} {row} {at} {got} {got ^ 1}"
    assert outcome.complaints[-1] == f"refused {40 + len(right)} 5"
