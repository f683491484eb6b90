"""Random layers that are no convolutions, for random_layers.py."""

import numpy as np

from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.network import Kind
from tests.kernels.random_builder import Builder, Draw


def pool(
    build: Builder, source: int, kernel: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int]
) -> int:
    """A pool of either kind, its last windows hanging over the map or not."""
    draw, x = build.draw, build.buffers[source]
    sizes = []
    for size, k, s, p in zip((x.height, x.width), kernel, stride, pad, strict=True):
        fewest = max((size + p - k) // s + 1, 1)
        most = (size - 1 + p) // s + 1  # the last window holds at least one pixel
        sizes.append(min(fewest + draw.between(0, 1), most))
    output = build.add_buffer(*sizes, x.channels, x.zero_point)
    kind = Kind.MAX_POOL if draw.chance(0.7) else Kind.AVERAGE_POOL
    windows = min(-(-kernel[0] // stride[0]), sizes[0])
    scratch = 4 * windows * sizes[1] * x.channels if kind is Kind.AVERAGE_POOL else 0
    low, high = draw.limits(x.zero_point)
    build.add(
        kind, source, output, x.channels, kernel=kernel, stride=stride, pad_top=pad[0], pad_left=pad[1],
        act_min=low, act_max=high, params=[windows], scratch_bytes=scratch,
    )  # fmt: skip
    return output


def sum_of(build: Builder, a: int, b: int) -> int:
    """ADD of two maps of one shape."""
    x = build.buffers[a]
    output = build.add_buffer(x.height, x.width, x.channels)
    reals = [*build.draw.rng.uniform(0.05, 0.5, 2), build.draw.rng.uniform(0.2, 4) / (1 << 20)]
    if build.draw.chance(0.8):  # as TFLite makes them: 0.5 for the input of the larger scale
        reals[build.draw.between(0, 1)] = 0.5
    fixed = [quant.quantize_multiplier(r) for r in reals]
    low, high = build.draw.limits(build.buffers[output].zero_point)
    params = [f.multiplier for f in fixed] + [f.shift for f in fixed]
    layer = build.add(Kind.ADD, a, output, x.channels, act_min=low, act_max=high, params=params)
    layer.inputs = [a, b]
    return output


def rescaled(build: Builder, source: int) -> int:
    """REQUANTIZE."""
    x = build.buffers[source]
    output = build.add_buffer(x.height, x.width, x.channels)
    fixed = quant.quantize_multiplier(float(build.draw.rng.uniform(0.05, 20)))
    build.add(Kind.REQUANTIZE, source, output, x.channels, params=[fixed.multiplier, fixed.shift])
    return output


def padded(build: Builder, source: int) -> int:
    """PAD, which the engine runs by itself where no convolution takes it in."""
    x, draw = build.buffers[source], build.draw
    top, left = draw.between(0, 3), draw.between(0, 3)
    output = build.add_buffer(
        x.height + top + draw.between(0, 2), x.width + left + draw.between(0, 2), x.channels, x.zero_point
    )
    build.add(Kind.PAD, source, output, x.channels, pad_top=top, pad_left=left)
    return output


def by_constant(build: Builder, source: int, kind: Kind) -> int:
    """LOOKUP, MUL_CONSTANT or ADD_CONSTANT."""
    draw, x = build.draw, build.buffers[source]
    output = build.add_buffer(x.height, x.width, x.channels)
    if kind is Kind.LOOKUP:
        table = draw.rng.integers(-128, 128, 256, np.int8)
        build.add(kind, source, output, x.channels, constant=table)
        return output
    low, high = draw.limits(build.buffers[output].zero_point)
    if kind is Kind.MUL_CONSTANT:
        constant = draw.rng.integers(-255, 256, x.channels).astype(np.int16)
        fixed = [quant.quantize_multiplier(float(draw.rng.uniform(0.001, 2)))]
    else:
        reach = 1 << draw.between(8, 28)
        constant = draw.rng.integers(-reach, reach + 1, x.channels).astype(np.int32)
        reals = [draw.rng.uniform(0.05, 0.5), draw.rng.uniform(0.2, 4) / (1 << 20)]
        fixed = [quant.quantize_multiplier(float(r)) for r in reals]
    params = [f.multiplier for f in fixed] + [f.shift for f in fixed]
    build.add(
        kind, source, output, x.channels, act_min=low, act_max=high, constant=constant, params=params
    )  # fmt: skip
    return output


def depthwise(build: Builder, source: int) -> int:
    """DEPTHWISE, often into a slice of a wider buffer."""
    draw, x = build.draw, build.buffers[source]
    kernel = (draw.between(1, 7), draw.between(1, 7)) if draw.chance(0.3) else (3, 3)
    stride = (draw.between(1, 2), draw.between(1, 2))
    pad = (draw.between(0, kernel[0] - 1), draw.between(0, kernel[1] - 1))
    height, width = (
        (size + p - 1) // s + 1 - draw.between(0, 1) * ((size + p - 1) // s > 0)
        for size, p, s in zip((x.height, x.width), pad, stride, strict=True)
    )
    beside = draw.between(0, 5) if draw.chance(0.3) else 0
    output = build.add_buffer(height, width, beside + x.channels)
    if beside:  # the ring's other channels must be written too
        build.convolution(source, output, beside, 0, kernel, stride, pad)
    weights = draw.weights((x.channels, *kernel, 1))
    bias, multipliers, shifts = build.scaling(weights, x.zero_point)
    low, high = draw.limits(build.buffers[output].zero_point)
    macs = height * width * weights.size
    build.macs += macs
    build.add(
        Kind.DEPTHWISE, source, output, x.channels, out_channel=beside, kernel=kernel, stride=stride,
        pad_top=pad[0], pad_left=pad[1], act_min=low, act_max=high,
        weights=np.ascontiguousarray(weights[..., 0].transpose(1, 2, 0)), bias=bias, multipliers=multipliers,
        shifts=shifts, macs=macs,
    )  # fmt: skip
    return output


def dense(build: Builder, source: int) -> int:
    """DENSE, of a map of any size."""
    draw, x = build.draw, build.buffers[source]
    outputs = draw.size(1, 40)
    output = build.add_buffer(1, 1, outputs)
    weights = draw.weights((outputs, x.height, x.width, x.channels))
    bias, multipliers, shifts = build.scaling(weights, x.zero_point)
    low, high = draw.limits(build.buffers[output].zero_point)
    build.macs += weights.size
    build.add(
        Kind.DENSE, source, output, outputs, kernel=(x.height, x.width), act_min=low, act_max=high,
        weights=weights, bias=bias, multipliers=multipliers, shifts=shifts, scratch_bytes=4 * outputs,
        macs=weights.size,
    )  # fmt: skip
    return output


_MOST_DENSE = 4000  # values of its input


def other(draw: Draw) -> Builder:
    """Any layer but a convolution."""
    build = Builder(draw, draw.between(1, 9), draw.size(1, 80), draw.size(1, 70))
    x = build.buffers[0]
    kinds = ["pool", "add", "requantize", "pad", "lookup", "mul", "add constant", "depthwise", "dense"]
    kind = draw.rng.choice(kinds, p=[0.3, 0.1, 0.06, 0.1, 0.06, 0.08, 0.08, 0.14, 0.08])
    if kind == "pool":
        kernel = (draw.between(1, 5), draw.between(1, 5))
        stride = (draw.between(1, 3), draw.between(1, 3))
        pool(build, 0, kernel, stride, (draw.between(0, kernel[0] - 1), draw.between(0, kernel[1] - 1)))
    elif kind == "add":
        sum_of(build, 0, rescaled(build, 0))
    elif kind == "pad":
        padded(build, 0)
    elif kind == "lookup":
        by_constant(build, 0, Kind.LOOKUP)
    elif kind == "mul":
        by_constant(build, 0, Kind.MUL_CONSTANT)
    elif kind == "add constant":
        by_constant(build, 0, Kind.ADD_CONSTANT)
    elif kind == "depthwise":
        depthwise(build, 0)
    elif kind == "dense" and x.height * x.row_bytes <= _MOST_DENSE:
        dense(build, rescaled(build, 0))
    else:
        rescaled(build, 0)
    return build
