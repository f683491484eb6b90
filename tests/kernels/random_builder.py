"""Random numbers and layers with an eye for the edges, for random_layers.py and random_others.py."""

import numpy as np

from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.network import Buffer, Kind, Layer, Network


class Draw:
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


class Builder:
    """Adds layers; the last buffer is the one to read next."""

    def __init__(self, draw: Draw, height: int, width: int, channels: int) -> None:
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
        bias, multipliers, shifts = self.scaling(weights, x.zero_point)
        low, high = draw.limits(out.zero_point)
        macs = out.height * out.width * weights.size
        self.macs += macs
        self.add(
            Kind.CONV_2D, source, output, channels, out_channel=out_channel, kernel=kernel, stride=stride,
            pad_top=pad[0], pad_left=pad[1], act_min=low, act_max=high, weights=weights, bias=bias,
            multipliers=multipliers, shifts=shifts, macs=macs,
        )  # fmt: skip

    def scaling(self, weights: np.ndarray, zero_point: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
