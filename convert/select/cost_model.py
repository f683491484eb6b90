"""The convolution kernels: what each takes, the scratch it wants, and what it costs.

Formulas of scratch mirror firmware_cpp/engine (conv_kernels.cc and the kernels' headers): the engine refuses
a model whose scratch is smaller. Costs are estimates in instructions, fitted to `make bench`; they decide
which kernel runs a layer, never what it computes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.encode.entropy import Mode, mode_of
from squeezenet_mcu.convert.network import Buffer, ConvKernel, Encoding, Layer


@dataclass(frozen=True)
class Shape:
    """A convolution as a kernel sees it (firmware_cpp/engine/conv_shape.h), and its non-zero weights."""

    in_width: int
    in_channels: int
    out_width: int
    out_channels: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    out_rows: int
    nonzeros: int
    relu: bool = True  # zero point -128 and no other bounds: requantization has a short way

    @property
    def taps(self) -> int:
        """Weights of one output channel."""
        return self.kernel_h * self.kernel_w * self.in_channels

    @property
    def pixels(self) -> int:
        """Output pixels of one call."""
        return self.out_width * self.out_rows

    @property
    def macs(self) -> int:
        """Dense multiplications of one call."""
        return self.pixels * self.out_channels * self.taps


def shape_of(layer: Layer, source: Buffer, out: Buffer, out_rows: int) -> Shape:
    """The shape of `layer`, `out_rows` rows a call."""
    relu = (layer.act_min, layer.act_max, out.zero_point) == (-128, 127, -128)
    return Shape(
        source.width, source.channels, out.width, layer.out_channels, *layer.kernel, *layer.stride, out_rows,
        int(np.count_nonzero(layer.conv.weights)), relu,
    )  # fmt: skip


@dataclass(frozen=True)
class KernelModel:
    """One kernel with one encoding. `useful`: more scratch than that is of no use.

    `cost`: instructions of one call, given its shape and scratch.
    """

    kernel: ConvKernel
    encoding: Encoding
    takes: Callable[[Shape], bool]
    scratch: Callable[[Shape], int]
    useful: Callable[[Shape], int]
    cost: Callable[[Shape, int], float]


def _any(_shape: Shape) -> bool:
    return True


def _plain_cost(s: Shape, _scratch: int) -> float:
    return 3.0 * s.macs + 40 * s.pixels * s.out_channels


# --- What coded weights take on top, whatever the kernel (firmware_cpp/engine/coded_layer.h).

_CODED_TABLES = 4128  # sizeof(CodedTables)
# Instructions of a call: to make the decoder's tables, of four classes; and a channel's parameters.
_CODED_CALL = {Mode.ALL: 4700.0, Mode.GAPS: 7800.0, Mode.MASKS: 28000.0}
_CODED_PARAMS = 28.0
# To decode: a stored weight, by lists and by bytes; a mask; a channel.
_CODED_WEIGHT = {Mode.ALL: (22.0, 9.0), Mode.GAPS: (19.8, 18.4), Mode.MASKS: (17.0, 16.8)}
_CODED_MASK = 10.7
_CODED_CHANNEL = (140.0, 110.0)


def _decoding(s: Shape, to_list: bool) -> float:
    """Instructions to decode all weights once."""
    weights = s.taps * s.out_channels
    mode = mode_of(s.nonzeros, weights, (s.kernel_h, s.kernel_w))
    sink = 0 if to_list else 1
    total = _CODED_CHANNEL[sink] * s.out_channels
    total += _CODED_WEIGHT[mode][sink] * (weights if mode is Mode.ALL else s.nonzeros)
    if mode is Mode.MASKS:
        total += _CODED_MASK * weights / 9
    if mode is not Mode.ALL and not to_list:
        total += 0.3 * weights  # zeros
    return total


def _making(s: Shape) -> float:
    """Instructions of a call before its kernel runs."""
    mode = mode_of(s.nonzeros, s.taps * s.out_channels, (s.kernel_h, s.kernel_w))
    return _CODED_CALL[mode] + _CODED_PARAMS * s.out_channels


def coded_front(s: Shape, kernel: ConvKernel) -> int:
    """Bytes of parameters, the decoder's tables and two channels' weights in front of a kernel's scratch."""
    rows = 0 if kernel in (ConvKernel.LIST, ConvKernel.PLAIN) else 2 * _up(s.taps, 4)
    return _up(_up(9 * s.out_channels, 4) + _CODED_TABLES + rows, 8)


def _coded(model: KernelModel, passes: Callable[[Shape, int], int], known: float = 0.0) -> KernelModel:
    """`model`, of dense or sparse weights, with coded ones.

    passes: how often a call decodes them all, given its scratch; known: what `model` has for it already,
    instructions a stored weight.
    """
    to_list = model.kernel is ConvKernel.LIST

    def cost(s: Shape, scratch: int) -> float:
        own = scratch - coded_front(s, model.kernel)
        once = _decoding(s, to_list) - known * s.nonzeros
        return model.cost(s, own) + passes(s, own) * once + _making(s)

    return KernelModel(
        model.kernel,
        Encoding.CODED,
        model.takes,
        lambda s: coded_front(s, model.kernel) + model.scratch(s),
        lambda s: coded_front(s, model.kernel) + model.useful(s),
        cost,
    )


_PLAIN = [
    KernelModel(ConvKernel.PLAIN, Encoding.DENSE, _any, lambda s: 0, lambda s: 0, _plain_cost),
    KernelModel(
        ConvKernel.PLAIN, Encoding.SPARSE, _any, lambda s: 2 * s.taps, lambda s: 2 * s.taps,
        lambda s, scratch: _plain_cost(s, scratch) + 5 * s.nonzeros + 0.3 * s.taps * s.out_channels,
    ),
]  # fmt: skip
_PLAIN.append(_coded(_PLAIN[1], lambda s, scratch: 1, 5))


def _up(n: int, unit: int) -> int:
    return -(-n // unit) * unit


# --- GEMM (dsp/gemm.h): windows widened to int16, 2 channels by 3 pixels.


def _gemm_scratch(s: Shape, pixels: int) -> int:
    padded = _up(s.taps, 4)
    return 4 * padded + max(pixels, 3) * (2 * padded + 8)


_GEMM_SMALL_TAPS = 64  # up to so many sums and requantization are fused (dsp/gemm_small.h)


def _gemm_chunks(s: Shape, scratch: int) -> int:
    padded = _up(s.taps, 4)
    return -(-s.pixels // ((scratch - 4 * padded) // (2 * padded + 8)))


def _gemm_cost(s: Shape, scratch: int, per_weight: float) -> float:
    padded = _up(s.taps, 4)
    chunks = _gemm_chunks(s, scratch)
    pixels = s.pixels + chunks * 0.5  # some of the last group is for nothing
    if s.taps <= _GEMM_SMALL_TAPS and s.out_channels % 2 == 0 and s.relu:
        sums = (4 * padded + 30) / 6 * pixels * s.out_channels
        pairs = 50 * chunks * s.out_channels
    else:
        sums = (0.68 * padded + 7) * pixels * s.out_channels
        pairs = 110 * chunks * s.out_channels
    windows = (1.5 if s.kernel_h * s.kernel_w == 1 else 3.5) * padded * s.pixels
    return sums + pairs + windows + chunks * per_weight * s.taps * s.out_channels


def _sparse_per_weight(s: Shape) -> float:
    """Instructions a dense weight to unpack a sparse channel: 6 a non-zero, and the zeros."""
    return 0.3 + 6.0 * s.nonzeros / (s.taps * s.out_channels)


_GEMM = [
    KernelModel(
        ConvKernel.GEMM, Encoding.DENSE, _any,
        lambda s: _gemm_scratch(s, 3), lambda s: _gemm_scratch(s, s.pixels),
        lambda s, scratch: _gemm_cost(s, scratch, 0.85),
    ),
    KernelModel(
        ConvKernel.GEMM, Encoding.SPARSE, _any,
        lambda s: _gemm_scratch(s, 3), lambda s: _gemm_scratch(s, s.pixels),
        lambda s, scratch: _gemm_cost(s, scratch, _sparse_per_weight(s)),
    ),
]  # fmt: skip
_GEMM.append(_coded(_GEMM[0], _gemm_chunks))

# --- Winograd (dsp/winograd.h): 3x3, stride 1, tiles of 2 rows by 4 columns.

_WINOGRAD_MAX_CHANNELS = 910  # |acc| < 2^27


def _takes_winograd(s: Shape) -> bool:
    same = (s.kernel_h, s.kernel_w, s.stride_h, s.stride_w) == (3, 3, 1, 1)
    return same and s.in_channels <= _WINOGRAD_MAX_CHANNELS


def _winograd_tiles(s: Shape) -> int:
    return -(-s.out_width // 4) * -(-s.out_rows // 2)


def _winograd_scratch(s: Shape, tiles: int, stored: bool) -> int:
    padded, tiles = _up(s.in_channels, 4), max(tiles, 3)
    weights = 24 * padded + 192 if stored else 108 * padded
    return weights + tiles * (48 * padded + 36) + 288 * -(-tiles // 3)


def _winograd_chunks(s: Shape, scratch: int, stored: bool = False) -> int:
    tiles = max(_winograd_tiles(s), 2)  # a single one goes as two
    room = max((t for t in range(3, tiles + 1) if _winograd_scratch(s, t, stored) <= scratch), default=3)
    return -(-tiles // room)


def _winograd_cost(s: Shape, scratch: int, stored: bool, unpack: float) -> float:
    """`unpack`: instructions a dense weight to decode it, before the transform."""
    padded = _up(s.in_channels, 4)
    tiles = max(_winograd_tiles(s), 2)
    chunks = _winograd_chunks(s, scratch, stored)
    positions = 24
    transform = 0 if stored else 55 / 9 + unpack
    return (
        positions * (0.69 * padded + (0.7 if padded <= 32 else 1.6)) * tiles * s.out_channels
        + chunks * (transform * s.taps + 200) * s.out_channels
        + 3 * positions * padded * tiles
        + 120 * tiles * s.out_channels
    )


def _winograd(encoding: Encoding, stored: bool, unpack: Callable[[Shape], float]) -> KernelModel:
    return KernelModel(
        ConvKernel.WINOGRAD,
        encoding,
        _takes_winograd,
        lambda s: _winograd_scratch(s, 3, stored),
        lambda s: _winograd_scratch(s, _winograd_tiles(s), stored),
        lambda s, scratch: _winograd_cost(s, scratch, stored, unpack(s)),
    )


_WINOGRAD = [
    _winograd(Encoding.DENSE, False, lambda s: 0.0),
    _winograd(Encoding.SPARSE, False, _sparse_per_weight),
    _winograd(Encoding.WINOGRAD, True, lambda s: 0.0),
]
_WINOGRAD.append(_coded(_WINOGRAD[0], _winograd_chunks))

# --- Lists (dsp/list.h): stride 1, two pixels a word, non-zero weights only.


def _takes_list(s: Shape) -> bool:
    if (s.stride_h, s.stride_w) != (1, 1):
        return False
    pointwise = s.kernel_h == s.kernel_w == 1
    return pointwise or s.kernel_h * s.in_channels * (s.kernel_w + 2) <= 65535


def _list_words(s: Shape) -> int:
    if s.kernel_h == s.kernel_w == 1:
        return (s.pixels + 2) // 2
    return s.out_width if s.out_rows % 2 == 0 else (s.out_width + 1) // 2


def _list_rows(s: Shape) -> int:
    if s.kernel_h == s.kernel_w == 1:
        return 1
    return s.out_rows - 1 + s.kernel_h - (1 if s.out_rows % 2 == 0 else 0)


def _list_scratch(s: Shape, words: int) -> int:
    offsets = 0 if s.taps == s.in_channels else _up(2 * s.taps, 8)
    packed = 4 * _list_rows(s) * s.in_channels * (words + s.kernel_w - 1)
    return _up(s.in_channels, 8) + offsets + 8 * (s.taps + 3) + 8 * words + packed


def _list_chunks(s: Shape, scratch: int) -> int:
    words = _list_words(s)
    room = max((w for w in range(3, words + 1) if _list_scratch(s, w) <= scratch), default=3)
    return -(-words // room)


def _list_cost(s: Shape, scratch: int) -> float:
    words = _list_words(s)
    chunks = _list_chunks(s, scratch)
    # Beyond 255 entries and sum|w| of 32,767 a channel is summed the slow way: dense layers go elsewhere.
    slow = 8.0 if s.nonzeros > 0.6 * s.taps * s.out_channels and s.taps > 255 else 1.0
    per_word = (5.5 if words % 3 == 0 else 5.5 + 1.2 * 3 / words) / 3 * slow
    pairs = s.out_rows // 2 if s.out_rows % 2 == 0 else s.out_rows
    passes = 1 if s.kernel_h == s.kernel_w == 1 else pairs
    return (
        s.nonzeros * per_word * words * passes
        + chunks * (6 * s.nonzeros + 150 * s.out_channels)
        + 9.5 * s.pixels * s.out_channels
        + 6 * _list_rows(s) * s.in_channels * (words + 2)
    )


_LIST = [
    KernelModel(
        ConvKernel.LIST, Encoding.SPARSE, _takes_list,
        lambda s: _list_scratch(s, 3), lambda s: _list_scratch(s, _list_words(s)), _list_cost,
    )
]  # fmt: skip
_LIST.append(_coded(_LIST[0], _list_chunks, 6))

# --- Lanes (dsp/lanes.h): few input channels, pixels and taps in 21-bit lanes.


def _takes_lanes(s: Shape) -> bool:
    return s.kernel_w <= 7 and s.in_channels <= 63 and s.kernel_w * s.in_channels <= 63


def _lanes_scratch(s: Shape, tiles: int) -> int:
    phases = (2 if s.kernel_w > 1 else 1) if s.stride_w == 2 else (s.kernel_w + 3) // 4
    planes, sums = (4, 3) if s.kernel_w > 2 * s.stride_w else (1, 1)
    units = _up(s.kernel_h * s.in_channels * phases, 3)
    rows = (s.out_rows - 1) * s.stride_h + s.kernel_h
    line = _up(s.in_channels * (s.stride_w * (2 * tiles * sums + 1) + 5), 8)
    return (
        4 * planes * units + line + 8 * tiles * (planes + sums + sums * s.out_rows)
        + 4 * planes * tiles * rows * s.in_channels * phases + 56
    )  # fmt: skip


def _lanes_tiles(s: Shape) -> int:
    sums = 3 if s.kernel_w > 2 * s.stride_w else 1
    tiles = s.out_width // 2 // sums + 1
    return tiles + 1 if tiles % 3 == 2 else max(tiles, 3)


def _lanes_chunks(s: Shape, scratch: int) -> int:
    tiles = _lanes_tiles(s)
    room = max((t for t in range(3, tiles + 1) if _lanes_scratch(s, t) <= scratch), default=3)
    return -(-tiles // room)


def _lanes_cost(s: Shape, scratch: int) -> float:
    chunks = _lanes_chunks(s, scratch)
    per_mac = 0.368 if s.kernel_w > 2 * s.stride_w else 0.6
    if s.stride_w == 1:
        per_mac = 1.5  # half empty lanes
    return (
        per_mac * s.macs
        + 8 * s.pixels * s.out_channels
        + (7 + 11 * (chunks - 1)) * s.taps * s.out_channels
        + 150 * s.out_channels
        + 10 * s.in_width * s.in_channels * ((s.out_rows - 1) * s.stride_h + s.kernel_h)
    )


_LANES = [
    KernelModel(
        ConvKernel.LANES, Encoding.DENSE, _takes_lanes,
        lambda s: _lanes_scratch(s, 3), lambda s: _lanes_scratch(s, _lanes_tiles(s)), _lanes_cost,
    )
]  # fmt: skip
_LANES.append(_coded(_LANES[0], _lanes_chunks))

# --- Slices (mve/slices.h): any shape, 16 taps by 7 pixels.


def _slices_windows(s: Shape) -> int:
    return 1 if s.kernel_h * s.kernel_w == 1 and s.in_channels % 16 == 0 else 7


def _slices_scratch(s: Shape, channels: int) -> int:
    return 200 + _slices_windows(s) * _up(s.taps, 16) + min(_up(s.out_channels, 4), channels) * 28


_SLICES_STORE = {7: 52, 6: 44, 4: 31, 2: 18}  # instructions to requantize four channels of a group


def _slices_cost(s: Shape, scratch: int) -> float:
    slices, channels = _up(s.taps, 16) // 16, _up(s.out_channels, 4)
    block = max((scratch - _slices_scratch(s, 0)) // 28, 1)
    groups, rest = divmod(s.pixels, 7)
    total = 250.0
    for n, count in ((7, groups), (6 if rest > 4 else 4 if rest > 2 else 2, 1 if rest else 0)):
        store = channels * (slices * (n + 3.25) - 1 + _SLICES_STORE[n] / 4)
        total += count * (100 + -(-channels // block) * 90 + slices * 16 + store)
    if _slices_windows(s) == 7:
        total += 8 * s.kernel_h * s.pixels
    return total


_SLICES = [
    KernelModel(
        ConvKernel.SLICES, Encoding.SLICES, _any,
        lambda s: _slices_scratch(s, 64), lambda s: _slices_scratch(s, s.out_channels + 3), _slices_cost,
    )
]  # fmt: skip

FAMILY_KERNELS: dict[Family, list[KernelModel]] = {
    "portable": _PLAIN,
    "dsp": _PLAIN + _GEMM + _WINOGRAD + _LANES + _LIST,
    "mve": _PLAIN + _SLICES,
}
