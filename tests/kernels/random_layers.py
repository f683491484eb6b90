"""Random small networks as convert.network holds them: every shape, range and value that kernels must take.

Each one is a seed's: the same network and image in any order of tests.
"""

from dataclasses import dataclass

import numpy as np

from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.network import Buffer, Kind, Layer, Network

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


class _Draw:
    """Random numbers with an eye for the edges."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def between(self, low: int, high: int) -> int:
        """Uniform, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def size(self, low: int, high: int, known: tuple[int, ...] = ()) -> int:
        """Small ones more often; many near a multiple of 4, 8 or 16, where kernels change over; `known`."""
        if known and self.chance(0.2):
            return int(self.rng.choice(known))
        small = self.chance(0.7)
        value = (
            round(np.exp(self.rng.uniform(np.log(low), np.log(high + 0.49))))
            if small
            else self.between(low, high)
        )
        if self.chance(0.4):
            block = int(self.rng.choice([4, 8, 16]))
            value = round(value / block) * block + self.between(-1, 1)
        return min(max(value, low), high)

    def zero_point(self) -> int:
        return int(self.rng.choice([-128, 127, 0, self.between(-128, 127)], p=[0.4, 0.1, 0.1, 0.4]))

    def limits(self, zero_point: int) -> tuple[int, int]:
        """act_min and act_max: a ReLU, none, a ReLU6, or anything."""
        kind = self.rng.choice(4, p=[0.5, 0.2, 0.1, 0.2])
        if kind == 0:
            return zero_point, 127
        if kind == 1:
            return -128, 127
        if kind == 2:
            return zero_point, self.between(zero_point, 127)
        low = self.between(-128, 127)
        return low, self.between(low, 127)

    def values(self, shape: tuple[int, ...], zero_point: int = 0) -> np.ndarray:
        """int8 of a map or of weights."""
        kind = self.rng.choice(5, p=[0.45, 0.25, 0.1, 0.1, 0.1])
        if kind == 0:
            return self.rng.integers(-128, 128, shape, np.int8)
        if kind == 1:
            return np.clip(np.rint(self.rng.normal(zero_point, 24, shape)), -128, 127).astype(np.int8)
        if kind == 2:
            return self.rng.choice(np.array([-128, 127], np.int8), shape)
        return np.full(shape, (-128, 127)[int(kind) - 3], np.int8)

    def weights(self, shape: tuple[int, int, int, int]) -> np.ndarray:
        """int8 OHWI: dense or sparse, some channels all zero, some saturated, all alike or not."""
        weights = self.values(shape)
        if self.chance(0.6):
            density = self.rng.choice([0.0, 0.02, 0.05, 0.2, 0.33, 0.6], p=[0.05, 0.15, 0.2, 0.2, 0.2, 0.2])
            weights = np.where(self.rng.random(shape) < density, weights, 0).astype(np.int8)
        for channel in range(shape[0]):
            kind = self.rng.random()
            if kind < 0.06:
                weights[channel] = 0
            elif kind < 0.12:
                weights[channel] = self.rng.choice([-128, -127, 127])
            elif kind < 0.15:
                weights[channel] = self.rng.choice(np.array([-128, 127], np.int8), shape[1:])
        weights >>= self.rng.choice(
            np.arange(5, dtype=np.int8), p=[0.4, 0.2, 0.2, 0.1, 0.1]
        )  # of 8 to 4 bits
        if self.chance(0.25):  # channels unlike each other, as in a network
            each = (shape[0], 1, 1, 1)
            weights = np.trunc(weights * self.rng.choice([1, 0.4, 0.15, 0.05], each)).astype(np.int8)
            weights[self.rng.random(shape) > self.rng.choice([1, 0.5, 0.2, 0.05], each)] = 0
        return weights


class _Builder:
    """Adds layers; the last buffer is the one to read next."""

    def __init__(self, draw: _Draw, height: int, width: int, channels: int) -> None:
        self.draw = draw
        self.layers: list[Layer] = []
        self.buffers = [self._buffer(height, width, channels)]
        self.macs = 0

    def _buffer(self, height: int, width: int, channels: int, zero_point: int | None = None) -> Buffer:
        zero_point = self.draw.zero_point() if zero_point is None else zero_point
        return Buffer("map", height, width, channels, 1.0, zero_point)

    def add_buffer(self, height: int, width: int, channels: int, zero_point: int | None = None) -> int:
        self.buffers.append(self._buffer(height, width, channels, zero_point))
        return len(self.buffers) - 1

    def add(self, kind: Kind, source: int, output: int, channels: int, **more: object) -> Layer:
        name = f"{kind.name.lower()}{len(self.layers)}"
        self.layers.append(Layer(name, kind, len(self.layers), [source], output, channels, **more))
        return self.layers[-1]

    def convolution(
        self, source: int, output: int, channels: int, out_channel: int, kernel: tuple[int, int],
        stride: tuple[int, int], pad: tuple[int, int],
    ) -> None:  # fmt: skip
        """A convolution into channels [out_channel, +channels) of a buffer that is there already."""
        draw, x, out = self.draw, self.buffers[source], self.buffers[output]
        weights = draw.weights((channels, *kernel, x.channels))
        bias, multipliers, shifts = self._scaling(weights, x.zero_point)
        low, high = draw.limits(out.zero_point)
        macs = out.height * out.width * weights.size
        self.macs += macs
        self.add(
            Kind.CONV_2D, source, output, channels, out_channel=out_channel, kernel=kernel, stride=stride,
            pad_top=pad[0], pad_left=pad[1], act_min=low, act_max=high, weights=weights, bias=bias,
            multipliers=multipliers, shifts=shifts, macs=macs,
        )  # fmt: skip

    def _scaling(self, weights: np.ndarray, zero_point: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bias, multipliers, shifts: mostly such that the outputs spread over the int8, else anything."""
        rng, flat = self.draw.rng, weights.reshape(len(weights), -1).astype(np.int64)
        n = len(flat)
        spread = np.sqrt((flat**2).sum(axis=1)) * 74 + 1
        bias = np.rint(rng.normal(0, spread)) - zero_point * flat.sum(axis=1)
        real = 60 / spread * rng.uniform(0.3, 3, n)
        fixed = [quant.quantize_multiplier(r) for r in real.tolist()]
        multipliers = np.array([f.multiplier for f in fixed], np.int64)
        shifts = np.array([f.shift for f in fixed], np.int64)
        style = rng.choice(4, p=[0.7, 0.1, 0.1, 0.1])
        if style == 1:  # left shifts, far and near
            shifts = rng.integers(-8, 9, n)
        elif style == 2:  # anything that the format holds
            shifts, multipliers = rng.integers(-31, 31, n), rng.integers(0, 1 << 31, n)
            multipliers[rng.random(n) < 0.2] = rng.choice([0, 1, (1 << 31) - 1])
        elif style == 3:  # biases as far out as the sums allow
            reach = (1 << 31) - 1 - 128 * np.abs(flat).sum(axis=1)
            bias = rng.choice([-1, 1], n) * reach
            if rng.random() < 0.5:
                shifts = np.full(n, -23)
        return bias.astype(np.int32), multipliers.astype(np.int32), shifts.astype(np.int8)

    def pool(
        self, source: int, kernel: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int]
    ) -> int:
        """A pool of either kind, its last windows hanging over the map or not."""
        draw, x = self.draw, self.buffers[source]
        sizes = []
        for size, k, s, p in zip((x.height, x.width), kernel, stride, pad, strict=True):
            fewest = max((size + p - k) // s + 1, 1)
            most = (size - 1 + p) // s + 1  # the last window holds at least one pixel
            sizes.append(min(fewest + draw.between(0, 1), most))
        output = self.add_buffer(*sizes, x.channels, x.zero_point)
        kind = Kind.MAX_POOL if draw.chance(0.7) else Kind.AVERAGE_POOL
        windows = min(-(-kernel[0] // stride[0]), sizes[0])
        scratch = 4 * windows * sizes[1] * x.channels if kind is Kind.AVERAGE_POOL else 0
        low, high = draw.limits(x.zero_point)
        self.add(
            kind, source, output, x.channels, kernel=kernel, stride=stride, pad_top=pad[0], pad_left=pad[1],
            act_min=low, act_max=high, params=[windows], scratch_bytes=scratch,
        )  # fmt: skip
        return output

    def sum_of(self, a: int, b: int) -> int:
        """ADD of two maps of one shape."""
        x = self.buffers[a]
        output = self.add_buffer(x.height, x.width, x.channels)
        reals = [*self.draw.rng.uniform(0.05, 0.5, 2), self.draw.rng.uniform(0.2, 4) / (1 << 20)]
        fixed = [quant.quantize_multiplier(r) for r in reals]
        low, high = self.draw.limits(self.buffers[output].zero_point)
        params = [f.multiplier for f in fixed] + [f.shift for f in fixed]
        layer = self.add(Kind.ADD, a, output, x.channels, act_min=low, act_max=high, params=params)
        layer.inputs = [a, b]
        return output

    def rescaled(self, source: int) -> int:
        """REQUANTIZE."""
        x = self.buffers[source]
        output = self.add_buffer(x.height, x.width, x.channels)
        fixed = quant.quantize_multiplier(float(self.draw.rng.uniform(0.05, 20)))
        self.add(Kind.REQUANTIZE, source, output, x.channels, params=[fixed.multiplier, fixed.shift])
        return output

    def padded(self, source: int) -> int:
        """PAD, which the engine runs by itself where no convolution takes it in."""
        x, draw = self.buffers[source], self.draw
        top, left = draw.between(0, 3), draw.between(0, 3)
        output = self.add_buffer(
            x.height + top + draw.between(0, 2), x.width + left + draw.between(0, 2), x.channels, x.zero_point
        )
        self.add(Kind.PAD, source, output, x.channels, pad_top=top, pad_left=left)
        return output

    def finish(self) -> Network:
        """The network, ended as the engine wants it: a vector of classes, with a SOFTMAX or without."""
        source = len(self.buffers) - 1
        x = self.buffers[source]
        logits = self.add_buffer(1, 1, x.channels)
        fixed = quant.mean_multiplier(float(self.draw.rng.uniform(0.3, 3)), x.height * x.width)
        self.add(
            Kind.MEAN, source, logits, x.channels, kernel=(x.height, x.width),
            params=[fixed.multiplier, fixed.shift], scratch_bytes=4 * x.channels,
        )  # fmt: skip
        output = logits
        if self.draw.chance(0.15):
            output = self.add_buffer(1, 1, x.channels, -128)
            params = quant.softmax_params(1.0, float(self.draw.rng.uniform(0.01, 0.5)))
            self.add(
                Kind.SOFTMAX, logits, output, x.channels,
                params=[params.multiplier, params.left_shift, params.diff_min],
            )  # fmt: skip
        return Network(b"", self.buffers, self.layers, 0, logits, output, {}, 0, 0)


def _extent(draw: _Draw, out: int, kernel: int, stride: int, most: int) -> tuple[int, int]:
    """An input's size and the padding before it that give `out` outputs, some with windows off the edge."""
    before = draw.between(0, kernel - 1) if draw.chance(0.7) else draw.between(0, 3)
    needed = (out - 1) * stride + kernel
    size = needed - before - draw.between(0, kernel - 1) + (draw.between(0, stride - 1))
    return min(max(size, 1), most), before


def _one_convolution(draw: _Draw) -> _Builder:
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
            _extent(draw, out, k, s, 112 * s)
            for out, k, s in ((height, kernel[0], stride[0]), (width, kernel[1], stride[1]))
        )
        pad = (top, left)
    build = _Builder(draw, in_height, in_width, channels)
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


def _same_map(build: _Builder, output: int) -> bool:
    a, b = build.buffers[0], build.buffers[output]
    return (a.height, a.width) == (b.height, b.width)


def _fire(draw: _Draw) -> _Builder:
    """Squeeze, both expands, perhaps a bypass, perhaps a pool: rings, batches and slices together."""
    height, width = draw.between(2, 9), draw.size(1, 40)
    build = _Builder(draw, height, width, draw.size(1, 40))
    squeeze = build.add_buffer(height, width, draw.size(1, 24))
    build.convolution(0, squeeze, build.buffers[squeeze].channels, 0, (1, 1), (1, 1), (0, 0))
    one, three = draw.size(1, 24), draw.size(1, 24)
    expand = build.add_buffer(height, width, one + three)
    build.convolution(squeeze, expand, one, 0, (1, 1), (1, 1), (0, 0))
    build.convolution(squeeze, expand, three, one, (3, 3), (1, 1), (1, 1))
    if draw.chance(0.3):
        way = build.add_buffer(height, width, one + three)
        build.convolution(0, way, one + three, 0, (1, 1), (1, 1), (0, 0))
        expand = build.sum_of(expand, way)
    if draw.chance(0.6):
        build.pool(expand, (3, 3), (2, 2), (draw.between(0, 1), draw.between(0, 1)))
    return build


def _other(draw: _Draw) -> _Builder:
    """Pools of any window, ADD, REQUANTIZE, PAD."""
    build = _Builder(draw, draw.between(1, 9), draw.size(1, 80), draw.size(1, 70))
    kind = draw.rng.choice(["pool", "add", "requantize", "pad"], p=[0.55, 0.2, 0.1, 0.15])
    if kind == "pool":
        kernel = (draw.between(1, 5), draw.between(1, 5))
        stride = (draw.between(1, 3), draw.between(1, 3))
        build.pool(0, kernel, stride, (draw.between(0, kernel[0] - 1), draw.between(0, kernel[1] - 1)))
    elif kind == "add":
        build.sum_of(0, build.rescaled(0))
    elif kind == "requantize":
        build.rescaled(0)
    else:
        build.padded(0)
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


def _sound(build: _Builder) -> bool:
    convolutions = [layer for layer in build.layers if layer.kind is Kind.CONV_2D]
    buffers = build.buffers
    return all(fills_its_window(la, buffers[la.inputs[0]], buffers[la.output], 1) for la in convolutions)


def sample(seed: int) -> Sample:
    """The random network and image of `seed`."""
    draw = _Draw(seed)
    while True:
        make = draw.rng.choice([_one_convolution, _fire, _other], p=[0.7, 0.18, 0.12])
        build = make(draw)
        rows = max(b.row_bytes for b in build.buffers)
        if build.macs <= _MAX_MACS and rows <= _MAX_ROW and _sound(build):
            break
    source = build.buffers[0]
    shape = (source.height, source.width, source.channels)
    image = draw.values(shape, source.zero_point)
    return Sample(build.finish(), image)
