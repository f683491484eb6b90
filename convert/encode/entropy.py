"""Entropy-coded weights: canonical Huffman codes shared by the layers (firmware_cpp/engine/huffman.h).

A weight of b bits is its `top` highest bits (5, or b where that is less), coded, and the others as they are:
they are all but uniform. Where the weights stand is told in one of three ways, whichever suits the layer:
    ALL    every weight has its value, zeros too, the last one first: for layers that are not sparse
    GAPS   before each non-zero weight the zeros skipped, 15 being "15 more and no weight"; a channel ends
           with the first that reaches its end, and it goes on in the next one: no counts are needed
    MASKS  3x3 kernels: for each input channel the 9 bits of its taps that are not zero, the first tap the
           highest bit, as one symbol
Channels differ in how wide their values spread and how dense they are, so each belongs to one of up to four
classes with codes of their own. The classes are found by expectation maximization over all layers that tell
positions alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.convert.encode import bits, channel_params
from squeezenet_mcu.convert.encode.huffman import canonical_codes, code_lengths
from squeezenet_mcu.convert.network import EntropyCoded, Kind, Network

Ints = npt.NDArray[np.int64]

MAX_CLASSES = 4  # as in firmware_cpp/engine/huffman.h, like all below
TOP_BITS = 5
SHORT_LIMIT = 8  # bits of a code of values or gaps at most
MASK_LIMIT = 13
MORE = 15  # the gap that no weight follows
_GAPS = 16
_MASKS = 512
_ROUNDS = 15
_MOST_CODES = 255
_NOT_SPARSE = 0.8


class Mode(IntEnum):
    """How a layer's stream tells positions."""

    ALL = 0
    GAPS = 1
    MASKS = 2


def _serialized(book: list[Ints]) -> bytes:
    """The codes of a model, each the bits of every symbol.

    uint16 count, uint16 offset of each code; of a code, uint16 symbols, then 4 bits a symbol.
    """
    parts = []
    for lengths in book:
        nibbles = np.append(lengths, 0) if len(lengths) % 2 else lengths
        packed = (nibbles[::2] | nibbles[1::2] << 4).astype(np.uint8).tobytes()
        parts.append(np.uint16(len(lengths)).tobytes() + packed + b"\0" * (len(packed) % 2))
    at, offsets = 2 + 2 * len(parts), []
    for part in parts:
        offsets.append(at)
        at += len(part)
    return np.array([len(parts), *offsets], "<u2").tobytes() + b"".join(parts)


def value_bits(weights: np.ndarray) -> int:
    """Bits that hold every weight: 4 to 8, of which -2^(bits-1) is never used by our own models."""
    low, high = int(weights.min(initial=0)), int(weights.max(initial=0))
    return next(b for b in (4, 5, 6, 7, 8) if -(1 << (b - 1)) <= low and high < 1 << (b - 1))


def mode_of(nonzeros: int, weights: int, kernel: tuple[int, int]) -> Mode:
    """How the stream of so many weights, of which some are not zero, tells positions."""
    if nonzeros > _NOT_SPARSE * weights:
        return Mode.ALL
    return Mode.MASKS if kernel == (3, 3) else Mode.GAPS


class _Symbols:
    """A layer's channels as symbols: of positions, and of values with the bits that are not coded."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights
        self.mode = mode_of(int(np.count_nonzero(weights)), weights.size, weights.shape[1:3])
        self.bits = value_bits(weights)
        self.raw = max(self.bits - TOP_BITS, 0)
        self.value_symbols = 1 << (self.bits - self.raw)
        self.position_symbols = {Mode.ALL: 0, Mode.GAPS: _GAPS, Mode.MASKS: _MASKS}[self.mode]
        # Layers of like density have codes in common: steps of a factor of 1.4.
        density = max(int(np.count_nonzero(weights)), 1) / weights.size
        self.density = 0 if self.mode is Mode.ALL else round(2 * np.log2(density))
        # For each channel its position symbols; its values; how many of them stand before the first symbol,
        # and behind each one.
        self.channels: list[tuple[Ints, Ints, Ints]] = []
        {Mode.ALL: self._all, Mode.GAPS: self._gaps, Mode.MASKS: self._masks}[self.mode]()

    def _all(self) -> None:
        none = np.zeros(0, np.int64)
        for channel in self.weights.reshape(len(self.weights), -1).astype(np.int64):
            self.channels.append((none, channel[::-1], np.array([len(channel)])))

    def _gaps(self) -> None:
        flat = self.weights.reshape(len(self.weights), -1)
        taps = flat.shape[1]
        at, pending = 0, False  # next position that may be told; a weight whose gap the channel before told
        ends = [*np.flatnonzero(flat).tolist(), flat.size]  # and one behind the last
        following = 0  # index in `ends`
        for o, channel in enumerate(flat.tolist()):
            gaps: list[int] = []
            values: list[int] = []
            counts = [0]  # of values: before the first gap, and after each
            starts = at < taps  # the channel before may reach beyond
            if starts and pending:
                values.append(channel[at])
                counts[0] = 1
                at, pending = at + 1, False
                following += 1
            while starts:
                gap = ends[following] - (o * taps + at)
                if gap >= MORE:
                    gaps.append(MORE)
                    counts.append(0)
                    at += MORE
                    if at >= taps:
                        break
                    continue
                gaps.append(gap)
                at += gap
                if at >= taps:
                    pending = True
                    counts.append(0)
                    break
                values.append(channel[at])
                counts.append(1)
                at += 1
                following += 1
            at -= taps
            self.channels.append((np.array(gaps, np.int64), np.array(values, np.int64), np.array(counts)))

    def _masks(self) -> None:
        kernels = self.weights.astype(np.int64).reshape(len(self.weights), 9, -1).transpose(0, 2, 1)
        masks = ((kernels != 0) << np.arange(9)[::-1]).sum(axis=2)
        counts = np.pad((kernels != 0).sum(axis=2), ((0, 0), (1, 0)))
        for channel, symbols, held in zip(kernels, masks, counts, strict=True):
            self.channels.append((symbols, channel[channel != 0], held))

    def values(self, o: int) -> Ints:
        """All values of channel `o`, in order."""
        return self.channels[o][1]

    def histograms(self) -> tuple[Ints, Ints]:
        """Of the values' top bits and of the positions: int64 [channels, symbols] each."""
        tops, positions = [], []
        for o, (symbols, _, _) in enumerate(self.channels):
            tops.append(np.bincount(self.top(self.values(o)), minlength=1 << TOP_BITS))
            positions.append(np.bincount(symbols, minlength=max(self.position_symbols, 1)))
        return np.array(tops, np.int64), np.array(positions, np.int64)

    def top(self, values: Ints) -> Ints:
        return (values + (1 << (self.bits - 1))) >> self.raw


def _bits_of(counts: Ints) -> npt.NDArray[np.float64]:
    shares = counts + 0.02
    found: npt.NDArray[np.float64] = -np.log2(shares / shares.sum())
    return found


def _classes(parts: Sequence[Ints], count: int) -> Ints:
    """Class of each channel: those whose symbols the classes' own shares code shortest, int64 [channels].

    parts: histograms, int64 [channels, symbols] each.
    """
    values = parts[0]
    n = values.sum(axis=1)
    centers = np.arange(values.shape[1])
    mean = (values * centers).sum(axis=1) / np.maximum(n, 1)
    spread = (values * centers**2).sum(axis=1) / np.maximum(n, 1) - mean**2
    order = np.argsort(spread, kind="stable")
    shares = np.cumsum(n[order]) / max(n.sum(), 1)
    found = np.zeros(len(values), np.int64)
    found[order] = np.minimum((shares * count * 0.9999).astype(np.int64), count - 1)
    for _ in range(_ROUNDS):
        cost = np.stack(
            [sum(part @ _bits_of(part[found == k].sum(axis=0)) for part in parts) for k in range(count)],
            axis=1,
        )
        again = np.argmin(cost, axis=1)
        if (again == found).all():
            break
        found = again
    return found


def _best_classes(parts: Sequence[Ints]) -> tuple[Ints, int]:
    """Classes in the number (1, 2 or 4) that makes streams and codes smallest."""

    def size(found: Ints, count: int) -> float:
        total = len(found) * np.log2(count)
        for part in parts:
            for k in range(count):
                counts = part[found == k].sum(axis=0)
                total += (counts * _bits_of(counts)).sum() + 4 * part.shape[1] + 32
        return float(total)

    options = [(_classes(parts, count), count) for count in (1, 2, MAX_CLASSES)]
    return min(options, key=lambda option: size(*option))


@dataclass(frozen=True)
class _Group:
    """Layers with the same codes: each channel's class, and the codes' numbers by class."""

    classes: Ints
    count: int
    value_codes: list[int]
    position_codes: list[int]


def _codes_for(tops: Ints, positions: Ints, book: list[Ints], masks: bool) -> _Group:
    parts = [tops] if masks or not positions.shape[1] > 1 else [tops, positions]
    classes, count = _best_classes(parts)

    def add(counts: Ints, limit: int) -> int:
        book.append(code_lengths(counts, limit))
        return len(book) - 1

    value_codes = [add(tops[classes == k].sum(axis=0), SHORT_LIMIT) for k in range(count)]
    if masks:  # 512 symbols: one code for all
        position_codes = [add(positions.sum(axis=0), MASK_LIMIT)] * count
    elif positions.shape[1] > 1:
        position_codes = [add(positions[classes == k].sum(axis=0), SHORT_LIMIT) for k in range(count)]
    else:
        position_codes = [0] * count
    return _Group(classes, count, value_codes, position_codes)


def _limit_groups(symbols: list[_Symbols]) -> None:
    """Codes are numbered in a byte: where layers are too different, their density no longer parts them."""
    groups = {(s.mode, s.value_symbols, s.density) for s in symbols}
    if 2 * MAX_CLASSES * len(groups) > _MOST_CODES:
        for s in symbols:
            s.density = 0


def code(network: Network) -> None:
    """Sets `network.codes`, and `entropy_coded` of every convolution, as if it were to be stored so."""
    symbols = {
        i: _Symbols(layer.conv.weights)
        for i, layer in enumerate(network.layers)
        if layer.kind is Kind.CONV_2D
    }
    _limit_groups(list(symbols.values()))
    book: list[Ints] = []
    # Weights of less than 5 bits have fewer symbols, so codes of their own.
    for key in sorted({(s.mode, s.value_symbols, s.density) for s in symbols.values()}):
        members = [i for i, s in symbols.items() if (s.mode, s.value_symbols, s.density) == key]
        histograms = [symbols[i].histograms() for i in members]
        tops = np.concatenate([h[0] for h in histograms])[:, : key[1]]
        positions = np.concatenate([h[1] for h in histograms])
        group = _codes_for(tops, positions, book, key[0] is Mode.MASKS)
        first = 0
        for i in members:
            channels = network.layers[i].out_channels
            layer = network.layers[i]
            stream = _stream(symbols[i], group, group.classes[first : first + channels], book)
            zero_point = network.buffers[layer.inputs[0]].zero_point
            layer.entropy_coded = EntropyCoded(stream, channel_params.pack(layer, zero_point))
            first += channels
    network.codes = _serialized(book)


def _stream(s: _Symbols, group: _Group, classes: Ints, book: list[Ints]) -> bytes:
    numbers: list[Ints] = []
    widths: list[Ints] = []

    def put(values: Ints, sizes: Ints) -> None:
        numbers.append(values)
        widths.append(sizes)

    class_bits = group.count.bit_length() - 1
    tables = [
        (canonical_codes(book[v]), book[v], canonical_codes(book[p]), book[p])
        for v, p in zip(group.value_codes, group.position_codes, strict=True)
    ]
    for o, k in enumerate(classes.tolist()):
        codes, lengths, position_codes, position_lengths = tables[k]
        positions, flat, counts = s.channels[o]
        put(np.array([k]), np.array([class_bits]))
        tops, rest = s.top(flat), (flat + (1 << (s.bits - 1))) & ((1 << s.raw) - 1)
        words, sizes = rest | codes[tops] << s.raw, lengths[tops] + s.raw
        if s.mode is Mode.ALL:
            put(words, sizes)
            continue
        # Each position symbol is followed by its values.
        slots = np.arange(1, len(counts)) + np.cumsum(counts)[:-1] - 1  # where position symbols stand
        merged = np.zeros(len(positions) + len(flat), np.int64)
        merged_sizes = np.zeros_like(merged)
        is_value = np.ones(len(merged), bool)
        is_value[slots] = False
        merged[is_value], merged_sizes[is_value] = words, sizes
        merged[slots], merged_sizes[slots] = position_codes[positions], position_lengths[positions]
        put(merged, merged_sizes)
    header = bytes([s.mode, s.bits, group.count, 0])
    header += bytes((group.value_codes + [0] * MAX_CLASSES)[:MAX_CLASSES])
    header += bytes((group.position_codes + [0] * MAX_CLASSES)[:MAX_CLASSES])
    return header + bits.pack(np.concatenate(numbers), np.concatenate(widths))
