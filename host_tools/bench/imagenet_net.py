"""ImageNet's SqueezeNet v1.0 and v1.1 with random weights that behave like trained ones.

For clones that have no trained weights. Memory, kernels and encodings depend on a network's shapes, on how
many of its weights are zero and on how the others are spread; these are as in the trained networks:

- Weights have a Laplace distribution, as trained ones nearly have. The smallest of a layer are set to zero
  (as pruning does it) until the layer's density is reached; then each filter is scaled to the int8 range.
- The layers' outputs on two images choose the biases and the scales, as quantization after training does:
  about half of each filter's outputs survive its ReLU, and the largest output of a layer is int8's largest.

The same bytes every time: only integers and IEEE's exactly rounded operations (+, -, *, /) come in, and the
sums of products are integers below 2^53, which float64 holds exactly in any order.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from squeezenet_mcu.model.settings.architecture import Architecture, Fire, layout

Weights = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Kind:
    """What distinguishes the two networks.

    Attributes:
        side: of the input, in pixels.
        input_scale: of the input's int8 values.
        conv10_padding: pixels of zeros round conv10's input.
        densities: share of weights that are not zero: of conv1, of squeeze1x1, expand1x1 and expand3x3 of
            fire2 to fire9, of conv10.
        seed: of all random numbers.
    """

    side: int
    input_scale: float
    conv10_padding: int
    densities: tuple[float, ...]
    seed: int


# v1.0's densities are those of the int8 network made from the authors' compressed weights (Deep Compression,
# Han et al. 2016), counted layer by layer. v1.1 stands for torchvision's weights, none of which are pruned:
# int8 rounds some 2 % of these to zero, as it does here.
NETWORKS = {
    "v1.0": Kind(
        227, 1.0745, 1,
        (
            0.966,
            0.973, 0.974, 0.329,
            0.978, 0.991, 0.330,
            0.977, 0.979, 0.330,
            0.971, 0.981, 0.329,
            0.976, 0.499, 0.329,
            0.499, 0.979, 0.329,
            0.963, 0.499, 0.299,
            0.499, 0.990, 0.299,
            0.200,
        ),
        20_160_224,
    ),
    "v1.1": Kind(224, 0.01866, 0, (1.0,) * 26, 20_160_423),
}  # fmt: skip
CLASSES = 1000
_INPUT_ZERO_POINT = -14
_LARGEST = 255  # of a map behind a ReLU, in steps above its zero point
_LOGITS_SCALE = 0.17  # of the trained networks' MEAN, so that probabilities spread as theirs do
_LARGEST_MEAN = 200  # of the logits on the sample images, in steps: others may reach further
_MAP_SCALE = 16.0  # any: multipliers depend on ratios of scales only
_SAMPLE_SIDE = 99  # pixels of the two images that choose biases and scales: enough for fire9 to have 5 x 5
# Magnitudes with an exponential distribution, in 2^-16, by their place in it: chosen by a random integer.
_PLACES = 4096
_MAGNITUDES = np.array([round(-math.log((i + 0.5) / _PLACES) * 65536) for i in range(_PLACES)])


def _patches(x: np.ndarray, kernel: int, stride: int, pad: int) -> np.ndarray:
    """[n, out, out, kernel * kernel * channels] windows of a float64 [n, side, side, channels]."""
    if pad:
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    if kernel == stride == 1:
        return x
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(1, 2))
    windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(*windows.shape[:3], -1)


@dataclass(frozen=True)
class _Conv:
    """A convolution before its scales are chosen: `spreads` are its filters' relative weight scales."""

    weights: np.ndarray
    spreads: np.ndarray
    bias: np.ndarray
    outputs: np.ndarray  # on the sample images, of filter scale 1

    @property
    def largest(self) -> float:
        """Of the outputs, in units of the spreads."""
        return float(self.outputs.max())

    def steps(self, largest: float) -> np.ndarray:
        """The outputs as the int8 map holds them where `largest` is its largest."""
        return np.clip(np.rint(self.outputs * (_LARGEST / largest)), 0, _LARGEST)


class _Network:
    """Builds a network operator by operator, beside what the sample images become in it."""

    def __init__(self, version: str, side: int | None, bits: int) -> None:
        self.kind = NETWORKS[version]
        self.limit = (1 << (bits - 1)) - 1
        self.densities = iter(self.kind.densities)
        self.graph = RandomGraph(self.kind.seed, f"SqueezeNet {version} with random weights")
        self.weights: Weights = {}
        side = side or self.kind.side
        pixels = [1, side, side, 3]
        self.image = self.graph.map("image", pixels, self.kind.input_scale, _INPUT_ZERO_POINT)
        self.sample = self._sample_images()

    def _sample_images(self) -> np.ndarray:
        """One of coarse squares with a little noise, one of noise alone, in steps from the zero point."""
        shape = (_SAMPLE_SIDE, _SAMPLE_SIDE, 3)
        coarse = self.graph.random.randint(-96, 97, (10, 10, 3)).repeat(10, axis=0).repeat(10, axis=1)
        smooth = coarse[:_SAMPLE_SIDE, :_SAMPLE_SIDE] + self.graph.random.randint(-32, 32, shape)
        images = np.stack([smooth, self.graph.random.randint(-128, 128, shape)])
        return images.astype(np.float64) - _INPUT_ZERO_POINT

    def _random_weights(self, shape: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        """int8 OHWI and a spread for each filter."""
        random, density = self.graph.random, next(self.densities)
        signs = 2 * random.randint(0, 2, shape) - 1
        values = (signs * _MAGNITUDES[random.randint(0, _PLACES, shape)]).astype(np.float64)
        values *= (0.5 + random.random_sample(shape[0]))[:, None, None, None]
        sizes = np.sort(np.abs(values), axis=None)
        zeros = values.size - round(density * values.size)
        values[np.abs(values) < sizes[zeros]] = 0  # pruning: nothing where zeros is 0
        spreads = np.abs(values).reshape(shape[0], -1).max(axis=1) / self.limit
        spreads[spreads == 0] = 1.0
        return np.rint(values / spreads[:, None, None, None]).astype(np.int8), spreads

    def conv(self, x: np.ndarray, filters: int, kernel: int, stride: int = 1, pad: int = 0) -> _Conv:
        """A convolution of the sample images' maps `x`; its biases centre each filter's sums."""
        weights, spreads = self._random_weights((filters, kernel, kernel, x.shape[3]))
        # A sum of products of integers: exact whatever the order in which the library adds.
        sums = _patches(x, kernel, stride, pad) @ weights.reshape(filters, -1).T.astype(np.float64)
        places = sums.shape[0] * sums.shape[1] * sums.shape[2]
        bias = -np.floor_divide(sums.sum(axis=(0, 1, 2)), places)
        return _Conv(weights, spreads, bias.astype(np.int32), (sums + bias) * spreads)

    def write(
        self, name: str, x: int, conv: _Conv, largest: float, scale: float, stride: int = 1, same: bool = True
    ) -> int:
        """CONV_2D whose int8 map of `scale` has `largest` as its largest."""
        in_scale = self.graph.scale(x)
        scales = conv.spreads * (_LARGEST / largest * scale / in_scale)
        kernel = (conv.weights * scales[:, None, None, None]).transpose(1, 2, 3, 0)
        self.weights[name.replace("/", "_")] = (
            kernel.astype(np.float32),
            (conv.bias * scales * in_scale).astype(np.float32),
        )
        return self.graph.conv_of(name, x, conv.weights, scales.tolist(), conv.bias, scale, stride, same)

    def simple(self, name: str, x: int, filters: int, kernel: int, stride: int = 1) -> int:
        """A convolution without padding whose map has the usual scale."""
        made = self.conv(self.sample, filters, kernel, stride)
        self.sample = made.steps(made.largest)
        return self.write(name, x, made, made.largest, _MAP_SCALE, stride, same=False)

    def fire(self, name: str, x: int, squeeze: int, expand: int) -> int:
        """A fire module; its expands share a scale."""
        squeezed = self.simple(f"{name}/squeeze1x1", x, squeeze, 1)
        one, three = self.conv(self.sample, expand, 1), self.conv(self.sample, expand, 3, pad=1)
        largest = max(one.largest, three.largest)
        left = self.write(f"{name}/expand1x1", squeezed, one, largest, _MAP_SCALE, same=False)
        right = self.write(f"{name}/expand3x3", squeezed, three, largest, _MAP_SCALE)
        self.sample = np.concatenate([one.steps(largest), three.steps(largest)], axis=3)
        return self.graph.concat(f"{name}/concat", left, right)

    def pool(self, name: str, x: int) -> int:
        """MAX_POOL_2D, 3 x 3, stride 2, without padding."""
        windows = np.lib.stride_tricks.sliding_window_view(self.sample, (3, 3), axis=(1, 2))
        self.sample = windows[:, ::2, ::2].max(axis=(4, 5))
        return self.graph.pool(name, x)

    def logits(self, x: int) -> int:
        """conv10 and MEAN."""
        around = self.kind.conv10_padding
        if around:
            x = self.graph.pad("pad10", x, around)
            self.sample = np.pad(self.sample, ((0, 0), (around, around), (around, around), (0, 0)))
        made = self.conv(self.sample, CLASSES, 1)
        means = made.steps(made.largest).sum(axis=(1, 2)) / (self.sample.shape[1] * self.sample.shape[2])
        scale = _LOGITS_SCALE * _LARGEST_MEAN / float(means.max())
        x = self.write("conv10", x, made, made.largest, scale, same=False)
        return self.graph.mean(x, _LOGITS_SCALE)


@functools.lru_cache(maxsize=4)
def _made(version: str, bits: int, side: int | None) -> tuple[bytes, Weights]:
    net = _Network(version, side, bits)
    shape = layout(Architecture(version, CLASSES, "none", None, (), False, True))
    x = net.simple("conv1", net.image, shape.conv1.filters, shape.conv1.kernel, shape.conv1.stride)
    fire = 2
    for number, stage in enumerate(shape.stages):
        if isinstance(stage, Fire):
            x = net.fire(f"fire{fire}", x, stage.squeeze, stage.expand1x1)
            fire += 1
        else:
            x = net.pool(f"pool_{number}", x)
    last = net.graph.softmax(net.logits(x))
    return net.graph.packed(net.image, last), net.weights


def tflite(version: str, bits: int = 8, side: int | None = None) -> bytes:
    """The .tflite of "v1.0" or "v1.1": int8 in and out, 1000 classes, random weights.

    Args:
        version: of the network.
        bits: of the weights, which are at most 2^(bits-1) - 1.
        side: of the input, if not the usual one.
    """
    return _made(version, bits, side)[0]


def float_weights(version: str) -> Weights:
    """What the .tflite stands for, as if it had been trained: kernels HWIO and biases by layer, float32."""
    return _made(version, 8, None)[1]
