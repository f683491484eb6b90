"""Huffman-coded streams, codes and parameters read back as firmware_cpp/engine/huffman*.h describe them."""

import heapq
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeezenet_mcu.convert.encode import channel_params, entropy
from squeezenet_mcu.convert.encode.bits import Reader
from squeezenet_mcu.convert.encode.huffman import canonical_codes, code_lengths
from squeezenet_mcu.convert.network import Buffer, Kind, Layer, Network

SEEDS = st.integers(0, 2**32 - 1)


def network_of(weights: list[np.ndarray], zero_point: int = -128) -> Network:
    """A network of convolutions beside each other, with streams and codes."""
    buffers = [Buffer("in", 1, 1, w.shape[3], 1.0, zero_point) for w in weights]
    layers = []
    for i, w in enumerate(weights):
        buffers.append(Buffer("out", 1, 1, len(w), 1.0, 0))
        ones = np.ones(len(w), np.int32)
        scaling = {"bias": 0 * ones, "multipliers": ones << 30, "shifts": (-ones).astype(np.int8)}
        layers.append(
            Layer(f"conv{i}", Kind.CONV_2D, i, [i], len(weights) + i, len(w), kernel=w.shape[1:3],
                  weights=w, **scaling)
        )  # fmt: skip
    network = Network(b"", buffers, layers, 0, len(buffers) - 1, len(buffers) - 1, {}, 0, 0)
    entropy.code(network)
    return network


def codes_of(content: bytes) -> list[list[int]]:
    """Bits of each code's symbols."""
    count, *offsets = np.frombuffer(content[: 2 + 2 * int.from_bytes(content[:2], "little")], "<u2").tolist()
    assert len(offsets) == count
    codes = []
    for offset in offsets:
        symbols = int.from_bytes(content[offset : offset + 2], "little")
        packed = content[offset + 2 : offset + 2 + (symbols + 1) // 2]
        codes.append([packed[i // 2] >> (i % 2 * 4) & 15 for i in range(symbols)])
    return codes


class Decoder:
    """Symbols of one code, bit by bit."""

    def __init__(self, lengths: list[int]) -> None:
        codes = canonical_codes(np.array(lengths, np.int64)).tolist()
        self.symbols = {(n, codes[s]): s for s, n in enumerate(lengths) if n}

    def read(self, stream: Reader) -> int:
        value = 0
        for i in range(15):
            value |= stream.read(1) << i
            if (i + 1, value) in self.symbols:
                return self.symbols[i + 1, value]
        raise AssertionError("no such code")


def decoded(content: bytes, codes: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """int8 weights of `shape` (OHWI) from a stream."""
    mode, value_bits, classes, zero = content[:4]
    assert zero == 0
    decoders = [Decoder(lengths) for lengths in codes_of(codes)]
    values = [decoders[i] for i in content[4 : 4 + classes]]
    positions = [decoders[i] for i in content[8 : 8 + classes]]
    stream, raw = Reader(content[12:]), max(value_bits - 5, 0)
    channels, taps, inputs = shape[0], int(np.prod(shape[1:])), shape[3]
    weights = np.zeros((channels, taps), np.int64)
    at, told = 0, False
    for o in range(channels):
        k = stream.read({1: 0, 2: 1, 4: 2}[classes])

        def value(decoder: Decoder = values[k]) -> int:
            rest = stream.read(raw)
            return (decoder.read(stream) << raw | rest) - (1 << (value_bits - 1))

        if mode == entropy.Mode.ALL:
            for i in reversed(range(taps)):
                weights[o, i] = value()
        elif mode == entropy.Mode.MASKS:
            for c in range(inputs):
                mask = positions[k].read(stream)
                for tap in np.flatnonzero([mask >> (8 - tap) & 1 for tap in range(9)]):
                    weights[o, tap * inputs + c] = value()
        else:
            reaches = at < taps
            while reaches:
                if told:
                    weights[o, at] = value()
                    at += 1
                gap = positions[k].read(stream)
                told = gap < entropy.MORE
                at += gap
                reaches = at < taps
            at -= taps
    assert 0 <= 8 * len(content[12:]) - stream.position < 8
    return weights.astype(np.int8).reshape(shape)


@st.composite
def layers(draw):
    """int8 weights of some layers: of 4 to 8 bits, empty to full, some of fewer taps than a gap has zeros."""
    rng = np.random.default_rng(draw(SEEDS))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        kernel = draw(st.sampled_from([1, 1, 2, 3, 3]))
        shape = (draw(st.integers(1, 60)), kernel, kernel, draw(st.integers(1, 20)))
        half = 1 << (draw(st.integers(4, 8)) - 1)
        spread = half * rng.choice([1, 0.3, 0.1], (shape[0], 1, 1, 1))
        weights = np.clip(np.rint(rng.normal(0, spread, shape)), -half, half - 1)
        kept = rng.random(shape) < rng.choice(
            [draw(st.sampled_from([0, 0.01, 0.1, 0.5, 1])), 0.3], spread.shape
        )
        found.append(np.where(kept, weights, 0).astype(np.int8))
    return found


@settings(max_examples=60, deadline=None)
@given(found=layers())
def test_streams_read_back(found):
    network = network_of(found)
    for layer, weights in zip(network.layers, found, strict=True):
        assert np.array_equal(decoded(layer.entropy_coded.stream, network.codes, weights.shape), weights)


@pytest.mark.parametrize("bits", [4, 5, 6, 7, 8])
@pytest.mark.parametrize("density", [0.0, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("kernel", [1, 3])
def test_every_mode_with_all_bits(kernel, density, bits):
    rng = np.random.default_rng(bits)
    shape = (40, kernel, kernel, 9)
    weights = (
        rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape) * (rng.random(shape) < density)
    ).astype(np.int8)
    weights[3] = 0
    if density:
        weights[0].flat[[0, -1]] = -(1 << (bits - 1))
    network = network_of([weights])
    stream = network.layers[0].entropy_coded.stream
    wanted = entropy.Mode.ALL if density == 1 else entropy.Mode.MASKS if kernel == 3 else entropy.Mode.GAPS
    assert (stream[0], stream[1]) == (wanted, bits if density else 4)
    assert np.array_equal(decoded(stream, network.codes, shape), weights)


def test_gaps_beyond_channels():
    """One tap a channel: every gap reaches further channels."""
    weights = np.zeros((200, 1, 1, 1), np.int8)
    weights[[0, 1, 17, 32, 33, 63, 150, 199]] = [[[[v]]] for v in (1, -128, 127, 3, 4, 5, -6, 7)]
    network = network_of([weights])
    assert np.array_equal(
        decoded(network.layers[0].entropy_coded.stream, network.codes, weights.shape), weights
    )


def unlimited(counts: np.ndarray) -> int:
    """Bits of all symbols by Huffman's own algorithm."""
    heap = [int(c) for c in counts if c]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        pair = heapq.heappop(heap) + heapq.heappop(heap)
        total += pair
        heapq.heappush(heap, pair)
    return total


@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 10_000), min_size=2, max_size=64), limit=st.integers(6, 15))
def test_codes_are_complete_and_short(counts, limit):
    counts = np.array(counts, np.int64)
    lengths = code_lengths(counts, limit)
    used = lengths > 0
    assert sum(2.0 ** -int(n) for n in lengths[used]) == 1
    assert lengths.max() <= limit
    assert (used | (counts == 0)).all()
    assert used.sum() == max((counts > 0).sum(), 2)
    if (counts > 0).sum() >= 2:
        best, free = int(counts @ lengths), code_lengths(counts, 40)
        assert int(counts @ free) == unlimited(counts)
        assert best >= unlimited(counts)
        assert best == unlimited(counts) or free.max() > limit


def test_a_limit_costs_as_little_as_it_can():
    """All complete codes of four symbols of up to two bits are the same one."""
    assert code_lengths(np.array([1000, 10, 1, 1]), 2).tolist() == [2, 2, 2, 2]
    assert code_lengths(np.array([1000, 100, 10, 1, 1]), 3).tolist() == [1, 3, 3, 3, 3]


def test_too_many_symbols_are_refused():
    with pytest.raises(ValueError, match="5 symbols do not fit codes of 2 bits"):
        code_lengths(np.ones(5, np.int64), 2)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, channels=st.integers(1, 40), scales=st.integers(1, 9), bias_bits=st.integers(0, 32))
def test_parameters_read_back(seed, channels, scales, bias_bits):
    rng = np.random.default_rng(seed)
    index = rng.integers(0, scales, channels)
    own = rng.integers(-(1 << bias_bits) // 2, max((1 << bias_bits) // 2, 1), channels) * rng.integers(
        0, 2, channels
    )
    weights = rng.integers(-1, 2, (channels, 1, 1, 5)).astype(np.int8)
    zero_point = int(rng.integers(-128, 128))
    folded = np.clip(own, -(2**31) + 640, 2**31 - 641) - zero_point * weights.reshape(channels, -1).sum(
        axis=1
    )
    layer = network_of([weights]).layers[0]
    layer = replace(
        layer,
        bias=folded.astype(np.int32),
        multipliers=rng.integers(0, 2**31, scales).astype(np.int32)[index],
        shifts=rng.integers(-31, 31, scales).astype(np.int8)[index],
    )
    content = channel_params.pack(layer, zero_point)
    count, own_bits = int.from_bytes(content[:2], "little"), content[3]
    bias_shift, index_bits = divmod(content[2], 32)
    multipliers = np.frombuffer(content, "<i4", count, 4)
    shifts = np.frombuffer(content, np.int8, count, 4 + 4 * count)
    stream = Reader(content[4 + 5 * count :])
    for o in range(channels):
        scale, bias = stream.read(index_bits), 0
        if own_bits and stream.read(1):
            bias = stream.read(own_bits)
            bias -= bias >> (own_bits - 1) << own_bits
            bias <<= bias_shift
        assert (multipliers[scale], shifts[scale]) == (layer.multipliers[o], layer.shifts[o])
        assert bias - zero_point * int(weights[o].sum()) == layer.bias[o]
    assert 0 <= 8 * len(content[4 + 5 * count :]) - stream.position < 8
