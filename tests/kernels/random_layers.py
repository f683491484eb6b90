"""Random small networks as convert.network holds them: every shape, range and value that kernels must take.

Each one is a seed's: the same network and image in any order of tests.
"""

from dataclasses import dataclass

import numpy as np

from squeezenet_mcu.convert.network import Buffer, Kind, Layer, Network
from tests.kernels import random_others
from tests.kernels.random_builder import Builder, Draw

_MAX_MACS = 1_500_000  # of one network: some milliseconds in an emulator
_MAX_ROW = 112 * 70
# Of SqueezeNet itself.
_WIDTHS = (13, 16, 27, 28, 55, 56, 111, 112)
_CHANNELS = (8, 16, 32, 48, 64)


@dataclass(frozen=True)
class Sample:
    """A network whose kernels are yet to be chosen, and an image for it, int8 [height, width, channels]."""

    network: Network
    image: np.ndarray


def extent(draw: Draw, out: int, kernel: int, stride: int, most: int) -> tuple[int, int]:
    """An input's size and the padding before it that give `out` outputs, some with windows off the edge."""
    before = draw.between(0, kernel - 1) if draw.chance(0.7) else draw.between(0, 3)
    needed = (out - 1) * stride + kernel
    size = needed - before - draw.between(0, kernel - 1) + (draw.between(0, stride - 1))
    return min(max(size, 1), most), before


def _one_convolution(draw: Draw) -> Builder:
    """A convolution of any geometry, often into a slice of a wider buffer."""
    kind = draw.rng.choice(["first", "1x1", "3x3", "3x3/2", "any"], p=[0.15, 0.25, 0.35, 0.1, 0.15])
    height, width = draw.between(1, 6), draw.size(1, 112, _WIDTHS)
    channels, filters = draw.size(1, 70, _CHANNELS), draw.size(1, 70, _CHANNELS)
    kernel, stride = (3, 3), (1, 1)
    if kind == "first":
        side = int(draw.rng.choice([3, 5, 7]))
        kernel, stride, channels = (side, side), (2, 2), draw.between(1, 4)
        height = min(height, 4)
    elif kind == "1x1":
        kernel = (1, 1)
        if draw.chance(0.15):
            channels, width = draw.size(70, 520), draw.size(1, 14)
        elif draw.chance(0.15):  # fewer taps than a gap has zeros
            channels, filters, width = draw.between(1, 14), draw.size(70, 400), draw.size(1, 14)
    elif kind == "3x3/2":
        stride, width = (2, 2), min(width, 56)
    elif kind == "any":
        kernel = (draw.between(1, 7), draw.between(1, 7))
        stride = (draw.between(1, 2), draw.between(1, 2))
        width, channels = min(width, 56), min(channels, 16)
    if kind in ("1x1", "3x3") and draw.chance(0.8):  # as in a fire module: the map keeps its size
        in_height, in_width, pad = height, width, (kernel[0] // 2, kernel[1] // 2)
    else:
        (in_height, top), (in_width, left) = (
            extent(draw, out, k, s, 112 * s)
            for out, k, s in ((height, kernel[0], stride[0]), (width, kernel[1], stride[1]))
        )
        pad = (top, left)
    build = Builder(draw, in_height, in_width, channels)
    before = draw.between(0, 9) if draw.chance(0.3) else 0
    after = draw.between(0 if before else 1, 9) if draw.chance(0.3) else 0
    output = build.add_buffer(height, width, before + filters + after)
    at = 0
    for part in (
        before,
        filters,
        after,
    ):  # the others are 1x1 where they fit, and what they write is checked too
        if part:
            own = (
                (kernel, stride, pad)
                if part is filters or not _same_map(build, output)
                else ((1, 1), (1, 1), (0, 0))
            )
            build.convolution(0, output, part, at, *own)
        at += part
    return build


def _same_map(build: Builder, output: int) -> bool:
    a, b = build.buffers[0], build.buffers[output]
    return (a.height, a.width) == (b.height, b.width)


def _fire(draw: Draw) -> Builder:
    """Squeeze, both expands, perhaps a bypass, perhaps a pool: rings, batches and slices together."""
    height, width = draw.between(2, 9), draw.size(1, 40)
    build = Builder(draw, height, width, draw.size(1, 40))
    squeeze = build.add_buffer(height, width, draw.size(1, 24))
    build.convolution(0, squeeze, build.buffers[squeeze].channels, 0, (1, 1), (1, 1), (0, 0))
    one, three = draw.size(1, 24), draw.size(1, 24)
    expand = build.add_buffer(height, width, one + three)
    build.convolution(squeeze, expand, one, 0, (1, 1), (1, 1), (0, 0))
    build.convolution(squeeze, expand, three, one, (3, 3), (1, 1), (1, 1))
    if draw.chance(0.3):
        way = build.add_buffer(height, width, one + three)
        build.convolution(0, way, one + three, 0, (1, 1), (1, 1), (0, 0))
        expand = random_others.sum_of(build, expand, way)
    if draw.chance(0.6):
        random_others.pool(build, expand, (3, 3), (2, 2), (draw.between(0, 1), draw.between(0, 1)))
    return build


def fills_its_window(layer: Layer, x: Buffer, out: Buffer, batch: int) -> bool:
    """Whether some step of `batch` rows reads as many rows as its window has, or all, as the engine asks."""
    window = (batch - 1) * layer.stride[0] + layer.kernel[0]
    for row in range(0, out.height, batch):
        top = row * layer.stride[0] - layer.pad_top
        last = min(row + batch, out.height) - 1
        bottom = last * layer.stride[0] - layer.pad_top + layer.kernel[0]
        if min(bottom, x.height) - max(top, 0) >= min(window, x.height):
            return True
    return False


def _sound(build: Builder) -> bool:
    convolutions = [layer for layer in build.layers if layer.kind is Kind.CONV_2D]
    buffers = build.buffers
    return all(fills_its_window(la, buffers[la.inputs[0]], buffers[la.output], 1) for la in convolutions)


def sample(seed: int) -> Sample:
    """The random network and image of `seed`."""
    draw = Draw(seed)
    while True:
        make = draw.rng.choice([_one_convolution, _fire, random_others.other], p=[0.66, 0.16, 0.18])
        build = make(draw)
        rows = max(b.row_bytes for b in build.buffers)
        if build.macs <= _MAX_MACS and rows <= _MAX_ROW and _sound(build):
            break
    source = build.buffers[0]
    shape = (source.height, source.width, source.channels)
    image = draw.values(shape, source.zero_point)
    return Sample(build.finish(), image)
