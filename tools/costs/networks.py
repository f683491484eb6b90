"""Random networks whose layers are measured: of shapes that SqueezeNets and others have, in few rows."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.lowering.tflite_file import parse
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.host_tools.bench import imagenet_net, small_net
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import graph_ops

_CHANNELS = (4, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
_DENSITIES = (1.0, 1.0, 0.97, 0.6, 0.5, 0.33, 0.3, 0.2)
_LAYERS = 9
_KINDS = (
    "fire", "fire", "fire", "fire", "one", "one", "three", "limited", "stride", "pool", "add", "add", "large",
    "average", "depthwise", "table", "constant", "requantize", "heavy",
)  # fmt: skip
_OUT_SCALE = 0.05
_SMALLEST = 5  # map that is made smaller
_RELU6 = schema.ActivationFunctionType.RELU6
_MANY = 64  # channels


class _Maker:
    """One network. `macs`: about the most of a layer."""

    def __init__(self, seed: int, macs: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.graph = RandomGraph(seed, "layers to be measured")
        self.most = macs
        self.count = 0

    def _channels(self, x: int, kernel: int) -> int:
        _, height, width, channels = self.graph.graph.tensors[x].shape
        each = height * width * channels * kernel * kernel
        fitting = [c for c in _CHANNELS if c * each <= self.most]
        return int(self.rng.choice(fitting or _CHANNELS[:1]))

    def _name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def conv(
        self, x: int, filters: int, kernel: int, stride: int = 1, relu: bool = True, same: bool = True,
        heavy: bool = False,
    ) -> int:  # fmt: skip
        """A convolution of Laplacian weights, as trained ones nearly are, some of them zero.

        heavy: of uniform weights, whose sums are too large for the lanes of sparse_list.h.
        """
        channels = self.graph.graph.tensors[x].shape[3]
        shape = (filters, kernel, kernel, channels)
        values = self.rng.laplace(size=shape) * self.rng.uniform(0.5, 1.5, (filters, 1, 1, 1))
        density = 1.0 if heavy else float(self.rng.choice(_DENSITIES))
        values[np.abs(values) < np.quantile(np.abs(values), 1 - density)] = 0
        if heavy:
            values = self.rng.uniform(-1, 1, shape)
        bits = int(self.rng.choice((8, 8, 7, 6)))
        most = np.maximum(np.abs(values).reshape(filters, -1).max(axis=1), 1e-9)[:, None, None, None]
        weights = np.rint(values / most * ((1 << (bits - 1)) - 1)).astype(np.int8)
        bias = self.rng.integers(-2000, 2000, filters).astype(np.int32)
        scale = _OUT_SCALE / (40 * np.sqrt(density * kernel * kernel * channels))
        return self.graph.conv_of(
            self._name("conv"), x, weights, [scale] * filters, bias, _OUT_SCALE, stride, same, relu
        )

    def layer(self, x: int) -> int:
        """One or a few layers more."""
        what = str(self.rng.choice(_KINDS))
        _, height, width, channels = self.graph.graph.tensors[x].shape
        if what in ("pool", "average", "stride") and min(height, width) < _SMALLEST:
            return x
        if what in ("depthwise", "large") and channels > _MANY:
            return x
        made: int = getattr(self, f"_{what}")(x)
        return made

    def _pool(self, x: int) -> int:
        if self.rng.integers(3) == 0:
            x = self.conv(x, int(self.rng.choice((6, 10, 13, 40))), 1)
        return self.graph.pool(self._name("pool"), x, same=bool(self.rng.integers(2)))

    def _stride(self, x: int) -> int:
        kernel = int(self.rng.choice((1, 3)))
        return self.conv(x, self._channels(x, kernel), kernel, 2)

    def _depthwise(self, x: int) -> int:
        return graph_ops.depthwise(self.graph, x, scale=_OUT_SCALE)

    def _table(self, x: int) -> int:
        return graph_ops.unary(self.graph, "HARD_SWISH", x, _OUT_SCALE, -128)

    def _constant(self, x: int) -> int:
        values = self.rng.integers(-100, 100, self.graph.graph.tensors[x].shape[3])
        name = str(self.rng.choice(("MUL", "ADD")))
        return graph_ops.by_constant(self.graph, name, x, values, _OUT_SCALE, -128, relu=True)

    def _heavy(self, x: int) -> int:
        return self.conv(self.conv(x, 64, 1), 16, 3, heavy=True)

    def _requantize(self, x: int) -> int:
        return graph_ops.requantize(self.graph, x, _OUT_SCALE)

    def _fire(self, x: int) -> int:
        squeezed = self.conv(x, self._channels(x, 1), 1)
        expand = self._channels(squeezed, 3)
        left, right = self.conv(squeezed, expand, 1), self.conv(squeezed, expand, 3)
        return self.graph.concat(self._name("concat"), left, right)

    def _large(self, x: int) -> int:
        return self.conv(x, self._channels(x, 5), 5)

    def _limited(self, x: int) -> int:
        out = self.conv(x, self._channels(x, 3), int(self.rng.choice((1, 3))))
        self.graph.graph.operators[-1].builtinOptions.fusedActivationFunction = _RELU6
        return out

    def _add(self, x: int) -> int:
        channels = self.graph.graph.tensors[x].shape[3]
        kernel = 3 if self.graph.graph.tensors[x].shape[1] * channels < self.most else 1
        left, right = (self.conv(x, channels, k, relu=False) for k in (1, kernel))
        for out in (left, right)[: int(self.rng.integers(1, 3))]:
            self.graph.graph.tensors[out].quantization.zeroPoint[:] = 3
        self.graph.graph.tensors[right].quantization.scale[:] = 0.75 * _OUT_SCALE
        out = graph_ops.of_two(self.graph, "ADD", left, right, 2 * _OUT_SCALE, -128)
        if self.rng.integers(2):
            self.graph.graph.operators[-1].builtinOptions.fusedActivationFunction = _RELU6
        return out

    def _three(self, x: int) -> int:
        return self.conv(x, self._channels(x, 3), 3, same=bool(self.rng.integers(4)))

    def _one(self, x: int) -> int:
        return self.conv(x, self._channels(x, 1), 1)

    def _average(self, x: int) -> int:
        _, height, width, channels = self.graph.graph.tensors[x].shape
        options = schema.Pool2DOptionsT()
        options.padding, options.strideH, options.strideW = schema.Padding.SAME, 2, 2
        options.filterHeight = options.filterWidth = int(self.rng.choice((2, 3)))
        out = self.graph.map(
            self._name("average"), [1, (height + 1) // 2, (width + 1) // 2, channels], self.graph.scale(x)
        )
        code, kind = schema.BuiltinOperator.AVERAGE_POOL_2D, schema.BuiltinOptions.Pool2DOptions
        return self.graph.add(code, kind, options, [x], out)

    def strided(self) -> bytes:
        """The .tflite of a network of 3x3 convolutions of stride 2, two side by side."""
        width = int(self.rng.choice((24, 28, 32, 33, 40, 47, 56)))
        height = int(self.rng.integers(16, 33))
        image = self.graph.map("image", [1, height, width, 3], 1 / 255)
        x = self.conv(image, int(self.rng.choice((8, 10, 16, 24, 32))), 3)
        for _ in range(3):
            same, zero_point = bool(self.rng.integers(4)), int(self.rng.choice((-128, -128, 3)))
            sides = [self._side(x, same, zero_point) for _ in range(2)]
            x = self.graph.concat(self._name("concat"), *sides)
            self.graph.graph.tensors[x].quantization.zeroPoint[:] = zero_point
            if self.rng.integers(2):
                x = self.conv(x, int(self.rng.choice((12, 13, 16, 32, 48))), 1)
        return self.graph.packed(image, self.graph.softmax(self.graph.mean(self.conv(x, 10, 1))))

    def _side(self, x: int, same: bool, zero_point: int) -> int:
        out = self.conv(x, int(self.rng.choice((7, 8, 16, 24, 32, 64))), 3, 2, relu=False, same=same)
        if self.rng.integers(6) == 0:
            self.graph.graph.operators[-1].builtinOptions.fusedActivationFunction = _RELU6
        self.graph.graph.tensors[out].quantization.zeroPoint[:] = zero_point
        return out

    def made(self) -> bytes:
        """The .tflite."""
        width = int(self.rng.choice((24, 28, 32, 32, 40, 48, 56, 64, 96, 112, 128, 160, 224, 227)))
        height = int(self.rng.integers(12, 20)) if width > 64 else width // 2
        image = self.graph.map("image", [1, height, width, int(self.rng.choice((1, 3, 3, 3)))], 1 / 255)
        kernel, stride = (int(self.rng.choice(n)) for n in ((3, 3, 5, 7), (1, 2)))
        filters = int(self.rng.choice((8, 16, 24, 32, 64, 96)))
        x = self.conv(image, filters, kernel, stride, same=bool(self.rng.integers(2)))
        for _ in range(_LAYERS):
            x = self.layer(x)
        classes = int(self.rng.choice((10, 43, 100, 250)))
        if self.rng.integers(2):
            x = self.graph.pad(self._name("pad"), x, 1)
        if self.rng.integers(3) == 0 and np.prod(graph_ops.shape_of(self.graph, x)) * classes <= self.most:
            return self.graph.packed(image, self.graph.softmax(graph_ops.dense(self.graph, x, classes)))
        x = self.conv(x, classes, 1)
        return self.graph.packed(image, self.graph.softmax(self.graph.mean(x)))


def made(seed: int, macs: int, strided: bool = False) -> Network:
    """A network by its seed: every eighth one a SqueezeNet, the others random. `macs`: of a layer, about.

    strided: of 3x3 convolutions of stride 2, of which the others have few.
    """
    special = {
        0: lambda: imagenet_net.tflite("v1.0", 7, 67),
        1: lambda: imagenet_net.tflite("v1.1", 8, 64),
        2: small_net.tflite,
    }
    number, rest = divmod(seed, 8)
    if strided:
        content = _Maker(seed, macs).strided()
    else:
        content = special[number % 3]() if rest == 7 else _Maker(seed, macs).made()
    network = lower(parse(content))
    split(network)
    return network
