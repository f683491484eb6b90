"""A convolution as a kernel sees it, and what is known of a kernel: scratch and cost."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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
    """One kernel with one encoding. `supports`: the shapes that it runs.

    `scratch`: bytes it needs at least; `useful_scratch`: with more it is no faster. `cost`: instructions of
    one call, given its shape and scratch.
    """

    kernel: ConvKernel
    encoding: Encoding
    supports: Callable[[Shape], bool]
    scratch: Callable[[Shape], int]
    useful_scratch: Callable[[Shape], int]
    cost: Callable[[Shape, int], float]


def supports_any(_shape: Shape) -> bool:
    return True


def up(n: int, unit: int) -> int:
    return -(-n // unit) * unit
