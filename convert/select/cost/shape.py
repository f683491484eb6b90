"""A convolution as a kernel sees it, and what is known of a kernel: scratch and work."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from squeezenet_mcu.convert.encode.entropy import value_bits
from squeezenet_mcu.convert.network import Buffer, ConvKernel, Encoding, Layer
from squeezenet_mcu.convert.schedule.workers import rows_of_one

Rounding = Literal["relu", "linear", "exact"]
# How often each part of a kernel runs, by the part's name (coefficients.json); fractions are averages.
Work = dict[str, float]
Coefficients = Mapping[str, float]

_USUAL_BIAS = 1 << 22  # dsp/gemm_small.cc
LIST_TAPS = 255  # up to so many entries of a channel, any weights keep within the lanes of sparse_list.h
_LIST_WEIGHTS = 32767  # and so does this sum of |w|


@dataclass(frozen=True)
class Weights:
    """What costs depend on in a layer's weights.

    Attributes:
        nonzeros: weights that are not zero.
        long: of these, the ones in channels of more than LIST_TAPS.
        wide: of these, the ones in channels that are too large for the lanes of sparse_list.h.
        bits: of a weight.
        usual: whether biases and shifts are such as the shortest ways of rounding take.
        magnitude: the sum of all |weight|.
    """

    nonzeros: int
    long: int
    wide: int
    bits: int
    usual: bool
    magnitude: int = 0


@dataclass(frozen=True)
class Shape:
    """A convolution as a kernel sees it (firmware_cpp/engine/conv_shape.h), and its weights."""

    in_width: int
    in_channels: int
    out_width: int
    out_channels: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    out_rows: int
    pad_left: int
    absent: float  # share of the windows' rows that lie above or below the map
    rounding: Rounding  # how accumulators become outputs: linear is longer than relu, exact the longest
    weights: Weights

    @property
    def nonzeros(self) -> int:
        """Weights that are not zero."""
        return self.weights.nonzeros

    @property
    def taps(self) -> int:
        """Weights of one output channel."""
        return self.kernel_h * self.kernel_w * self.in_channels

    @property
    def pixels(self) -> int:
        """Output pixels of one call."""
        return self.out_width * self.out_rows

    @property
    def pairs(self) -> int:
        """Pairs of output channels."""
        return -(-self.out_channels // 2)

    @property
    def inside(self) -> int:
        """Output pixels of a row whose windows lie between the row's ends."""
        begin = min(up(self.pad_left, self.stride_w) // self.stride_w, self.out_width)
        last = self.in_width + self.pad_left - self.kernel_w
        end = 0 if last < 0 else min(last // self.stride_w + 1, self.out_width)
        return max(end - begin, 0)


def weights_of(layer: Layer) -> Weights:
    """Counts the weights of a CONV_2D."""
    arrays = layer.conv
    rows = np.abs(arrays.weights.reshape(layer.out_channels, -1).astype(np.int32))
    counts = np.count_nonzero(rows, axis=1)
    long = counts > LIST_TAPS
    wide = long & (rows.sum(axis=1) > _LIST_WEIGHTS)
    shifts_usual = int(arrays.shifts.min()) >= -16 and int(arrays.shifts.max()) <= -1
    usual = shifts_usual and int(np.abs(arrays.bias.astype(np.int64)).max()) < _USUAL_BIAS
    return Weights(
        int(counts.sum()),
        int(counts[long].sum()),
        int(counts[wide].sum()),
        value_bits(arrays.weights),
        usual,
        int(rows.sum()),
    )


def shape_of(
    layer: Layer, source: Buffer, out: Buffer, out_rows: int, weights: Weights | None = None
) -> Shape:
    """The shape of `layer`, `out_rows` rows a call; `weights`: where they have been counted before."""
    return Shape(
        source.width, source.channels, out.width, layer.out_channels, *layer.kernel, *layer.stride, out_rows,
        layer.pad_left, _absent(layer, source, out), _rounding(layer, out), weights or weights_of(layer),
    )  # fmt: skip


def calls_of(
    layer: Layer, source: Buffer, out: Buffer, batch: int, weights: Weights | None = None
) -> list[tuple[Shape, int]]:
    """The calls that run `layer` for an image, `batch` rows at once: shapes, and how many of each.

    Of a layer that two workers share, the caller's.
    """
    calls, rest = divmod(out.height, batch)
    rows = rows_of_one if layer.shared else int
    found = [(shape_of(layer, source, out, rows(batch), weights), calls)]
    if rest:
        found.append((replace(found[0][0], out_rows=rows(rest)), 1))
    return found


def _rounding(layer: Layer, out: Buffer) -> Rounding:
    if (layer.act_min, layer.act_max) != (-128, 127):
        return "exact"
    return "relu" if out.zero_point == -128 else "linear"


def _absent(layer: Layer, source: Buffer, out: Buffer) -> float:
    kernel, stride = layer.kernel[0], layer.stride[0]
    above = below = 0
    for row in range(min(up(layer.pad_top, stride) // stride, out.height)):
        above += min(layer.pad_top - row * stride, kernel)
    for row in reversed(range(out.height)):
        missing = row * stride - layer.pad_top + kernel - source.height
        if missing <= 0:
            break
        below += min(missing, kernel)
    return (above + below) / (out.height * kernel)


@dataclass(frozen=True)
class KernelModel:
    """One kernel with one encoding. `supports`: the shapes that it runs.

    `scratch`: bytes it needs at least; `useful_scratch`: with more it is no faster. `work`: of one call,
    given its shape and scratch.
    """

    kernel: ConvKernel
    encoding: Encoding
    supports: Callable[[Shape], bool]
    scratch: Callable[[Shape], int]
    useful_scratch: Callable[[Shape], int]
    work: Callable[[Shape, int], Work]

    def cost(self, shape: Shape, scratch: int, coefficients: Coefficients) -> float:
        """Of one call, in the coefficients' unit."""
        return priced(self.work(shape, scratch), coefficients)


def work_of_calls(model: KernelModel, calls: Iterable[tuple[Shape, int]], scratch: int) -> Work:
    """Of all these calls together."""
    total: Work = {}
    for shape, count in calls:
        for part, times in model.work(shape, scratch).items():
            total[part] = total.get(part, 0.0) + count * times
    return total


def priced(work: Work, coefficients: Coefficients) -> float:
    """What `work` takes, in the coefficients' unit."""
    return sum(count * coefficients[part] for part, count in work.items())


def supports_any(_shape: Shape) -> bool:
    return True


def up(n: int, unit: int) -> int:
    return -(-n // unit) * unit
