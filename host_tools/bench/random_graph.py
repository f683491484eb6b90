"""Networks of random int8 weights as .tflite files, the same bytes every time.

The .tflite is written field by field, not converted from Keras, so that no rounding of a training framework
gets between the seed and the file.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.litert import objects

_ZERO_POINT = -128  # behind a ReLU
_SPREAD = 60.0  # of a layer's outputs before its ReLU, in steps
_WEIGHT_DEVIATION = 73.9  # of uniform int8
_WEIGHT_SCALE = 1 / 128


def _padding(same: bool) -> int:
    found: int = schema.Padding.SAME if same else schema.Padding.VALID
    return found


def _out_size(size: int, kernel: int, stride: int, same: bool) -> int:
    return -(-size // stride) if same else (size - kernel) // stride + 1


class RandomGraph:
    """Adds operators to a flat buffer's objects. Tensors are known by their index."""

    def __init__(self, seed: int, description: str) -> None:
        self.random = np.random.RandomState(seed)  # its stream is frozen, whatever the version of numpy
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = description.encode()
        self.model.buffers = [schema.BufferT()]  # the empty one of tensors without data
        self.model.operatorCodes = []
        self.codes: dict[int, int] = {}

    def tensor(
        self, name: str, shape: list[int], kind: int, scale: list[float], zero_point: int,
        data: np.ndarray | None = None,
    ) -> int:  # fmt: skip
        """A tensor with its data, if it is constant; one scale, one a channel, or none."""
        made = schema.TensorT()
        made.name, made.shape, made.type = name.encode(), shape, kind
        made.quantization = schema.QuantizationParametersT()
        if scale:
            made.quantization.scale = np.array(scale, np.float32)
            made.quantization.zeroPoint = np.full(len(scale), zero_point, np.int64)
        made.buffer = 0
        if data is not None:
            made.buffer = len(self.model.buffers)
            self.model.buffers.append(schema.BufferT())
            self.model.buffers[-1].data = np.frombuffer(data.tobytes(), np.uint8)
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def map(self, name: str, shape: list[int], scale: float, zero_point: int = _ZERO_POINT) -> int:
        """An int8 feature map."""
        return self.tensor(name, shape, schema.TensorType.INT8, [scale], zero_point)

    def scale(self, index: int) -> float:
        """Of a feature map."""
        return float(self.graph.tensors[index].quantization.scale[0])

    def side(self, index: int) -> int:
        """Height of a feature map."""
        found: int = self.graph.tensors[index].shape[1]
        return found

    def add(self, code: int, options_type: int, options: object, inputs: list[int], output: int) -> int:
        """An operator that writes `output`, which it returns."""
        if code not in self.codes:
            self.codes[code] = len(self.model.operatorCodes)
            entry = schema.OperatorCodeT()
            entry.builtinCode = entry.deprecatedBuiltinCode = code
            entry.version = 3 if code == schema.BuiltinOperator.CONV_2D else 2
            self.model.operatorCodes.append(entry)
        op = schema.OperatorT()
        op.opcodeIndex, op.inputs, op.outputs = self.codes[code], inputs, [output]
        op.builtinOptionsType, op.builtinOptions = options_type, options
        self.graph.operators.append(op)
        return output

    def conv(
        self, name: str, x: int, filters: int, kernel: int, scale: float | None = None, *,
        stride: int = 1, same: bool = True, density: float = 1.0,
    ) -> int:  # fmt: skip
        """CONV_2D with a ReLU; without `scale`, one that suits. `density`: share of weights kept."""
        channels = self.graph.tensors[x].shape[3]
        taps = kernel * kernel * channels
        multiplier = _SPREAD / (_WEIGHT_DEVIATION * _SPREAD * np.sqrt(taps))
        out_scale = scale or self.scale(x) * _WEIGHT_SCALE / multiplier
        weights = self.random.randint(-127, 128, (filters, kernel, kernel, channels)).astype(np.int8)
        if density < 1:
            weights[self.random.random_sample(weights.shape) >= density] = 0
        steps = self.random.randint(-40, 41, filters)  # of the output
        bias_scale = self.scale(x) * _WEIGHT_SCALE
        bias = np.rint(steps * out_scale / bias_scale).astype(np.int32)
        return self.conv_of(name, x, weights, [_WEIGHT_SCALE] * filters, bias, out_scale, stride, same)

    def conv_of(
        self, name: str, x: int, weights: np.ndarray, scales: list[float], bias: np.ndarray, out_scale: float,
        stride: int = 1, same: bool = True, relu: bool = True,
    ) -> int:  # fmt: skip
        """CONV_2D with these int8 OHWI weights, a scale for each of their filters, and this int32 bias."""
        _, height, width, _ = self.graph.tensors[x].shape
        filters, kernel = weights.shape[:2]
        kinds = schema.TensorType
        w = self.tensor(f"{name}/weights", list(weights.shape), kinds.INT8, scales, 0, weights)
        self.graph.tensors[w].quantization.quantizedDimension = 0
        bias_scales = [self.scale(x) * scale for scale in scales]
        b = self.tensor(f"{name}/bias", [filters], kinds.INT32, bias_scales, 0, bias)
        options = schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = _padding(same), stride, stride
        options.dilationHFactor = options.dilationWFactor = 1
        activations = schema.ActivationFunctionType
        options.fusedActivationFunction = activations.RELU if relu else activations.NONE
        size = [_out_size(n, kernel, stride, same) for n in (height, width)]
        out = self.map(name, [1, *size, filters], out_scale)
        code, kind = schema.BuiltinOperator.CONV_2D, schema.BuiltinOptions.Conv2DOptions
        return self.add(code, kind, options, [x, w, b], out)

    def pool(self, name: str, x: int, same: bool = False) -> int:
        """MAX_POOL_2D, 3x3, stride 2."""
        _, height, width, channels = self.graph.tensors[x].shape
        options = schema.Pool2DOptionsT()
        options.padding, options.strideH, options.strideW = _padding(same), 2, 2
        options.filterHeight = options.filterWidth = 3
        size = [_out_size(n, 3, 2, same) for n in (height, width)]
        out = self.map(name, [1, *size, channels], self.scale(x))
        code, kind = schema.BuiltinOperator.MAX_POOL_2D, schema.BuiltinOptions.Pool2DOptions
        return self.add(code, kind, options, [x], out)

    def pad(self, name: str, x: int, around: int) -> int:
        """PAD by `around` pixels on each side."""
        _, height, width, channels = self.graph.tensors[x].shape
        amounts = np.array([[0, 0], [around, around], [around, around], [0, 0]], np.int32)
        by = self.tensor(f"{name}/paddings", [4, 2], schema.TensorType.INT32, [], 0, amounts)
        out = self.map(name, [1, height + 2 * around, width + 2 * around, channels], self.scale(x))
        code, kind = schema.BuiltinOperator.PAD, schema.BuiltinOptions.PadOptions
        return self.add(code, kind, schema.PadOptionsT(), [x, by], out)

    def fire(self, name: str, x: int, squeeze: int, expand: int, density: float = 1.0) -> int:
        """A fire module whose expands have as many channels each."""
        squeezed = self.conv(f"{name}/squeeze1x1", x, squeeze, 1, density=density)
        left = self.conv(f"{name}/expand1x1", squeezed, expand, 1, density=density)
        right = self.conv(f"{name}/expand3x3", squeezed, expand, 3, self.scale(left), density=density)
        return self.concat(f"{name}/concat", left, right)

    def concat(self, name: str, left: int, right: int) -> int:
        """CONCATENATION of two maps' channels."""
        shapes = [self.graph.tensors[index].shape for index in (left, right)]
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        out = self.map(name, [*shapes[0][:3], shapes[0][3] + shapes[1][3]], self.scale(left))
        code, kind = schema.BuiltinOperator.CONCATENATION, schema.BuiltinOptions.ConcatenationOptions
        return self.add(code, kind, options, [left, right], out)

    def mean(self, x: int, scale: float | None = None) -> int:
        """MEAN over the whole map; without `scale`, with the map's own."""
        channels = self.graph.tensors[x].shape[3]
        axes = self.tensor("axes", [2], schema.TensorType.INT32, [], 0, np.array([1, 2], np.int32))
        out = self.map("pool10", [1, channels], scale or self.scale(x))
        code, kind = schema.BuiltinOperator.MEAN, schema.BuiltinOptions.ReducerOptions
        return self.add(code, kind, schema.ReducerOptionsT(), [x, axes], out)

    def softmax(self, x: int) -> int:
        """SOFTMAX."""
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        out = self.map("softmax", list(self.graph.tensors[x].shape), 1 / 256)
        code, kind = schema.BuiltinOperator.SOFTMAX, schema.BuiltinOptions.SoftmaxOptions
        return self.add(code, kind, options, [x], out)

    def packed(self, first: int, last: int) -> bytes:
        """The .tflite, from tensor `first` to tensor `last`."""
        self.graph.inputs, self.graph.outputs = [first], [last]
        self.model.subgraphs = [self.graph]
        return objects.packed(self.model)
