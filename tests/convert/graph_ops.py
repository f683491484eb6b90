"""Operators that RandomGraph has not, as networks from elsewhere have them: an operator a function."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

OPERATORS, OPTIONS, TYPES = schema.BuiltinOperator, schema.BuiltinOptions, schema.TensorType
NO_OPTIONS = (0, None)
UNARY = {
    "RELU": NO_OPTIONS,
    "RELU6": NO_OPTIONS,
    "RELU_N1_TO_1": NO_OPTIONS,
    "RELU_0_TO_1": NO_OPTIONS,
    "LOGISTIC": NO_OPTIONS,
    "TANH": NO_OPTIONS,
    "ELU": NO_OPTIONS,
    "LEAKY_RELU": (OPTIONS.LeakyReluOptions, schema.LeakyReluOptionsT),
    "HARD_SWISH": (OPTIONS.HardSwishOptions, schema.HardSwishOptionsT),
    "GELU": (OPTIONS.GeluOptions, schema.GeluOptionsT),
    "EXP": (OPTIONS.ExpOptions, schema.ExpOptionsT),
    "LOG": NO_OPTIONS,
    "ABS": (OPTIONS.AbsOptions, schema.AbsOptionsT),
    "NEG": (OPTIONS.NegOptions, schema.NegOptionsT),
}
OF_TWO = {
    "ADD": (OPTIONS.AddOptions, schema.AddOptionsT),
    "MUL": (OPTIONS.MulOptions, schema.MulOptionsT),
    "SUB": (OPTIONS.SubOptions, schema.SubOptionsT),
    "MAXIMUM": (OPTIONS.MaximumMinimumOptions, schema.MaximumMinimumOptionsT),
    "MINIMUM": (OPTIONS.MaximumMinimumOptions, schema.MaximumMinimumOptionsT),
}
# LiteRT takes no others for int8.
FIXED_OUTPUT = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}


def shape_of(g: RandomGraph, x: int) -> list[int]:
    return [int(side) for side in g.graph.tensors[x].shape]


def zero_point_of(g: RandomGraph, x: int) -> int:
    return int(g.graph.tensors[x].quantization.zeroPoint[0])


def operator(g: RandomGraph, name: str, kind: int, options: object, inputs: list[int], out: int) -> int:
    """An operator in its first version, which all have."""
    code = getattr(OPERATORS, name)
    g.add(code, kind, options, inputs, out)
    entry = g.model.operatorCodes[g.codes[code]]
    entry.version, entry.deprecatedBuiltinCode = 1, min(code, 127)  # a byte
    return out


def unary(g: RandomGraph, name: str, x: int, scale: float | None = None, zero_point: int = 0) -> int:
    """An operator of one input. `scale`, `zero_point`: of its output, where it has a choice."""
    if scale is None:
        scale, zero_point = g.scale(x), zero_point_of(g, x)
    scale, zero_point = FIXED_OUTPUT.get(name, (scale, zero_point))
    out = g.map(f"{name.lower()}{len(g.graph.tensors)}", shape_of(g, x), scale, zero_point)
    kind, make = UNARY[name]
    options = make() if make else None
    if name == "LEAKY_RELU":
        options.alpha = 0.1
    return operator(g, name, kind, options, [x], out)


def of_two(g: RandomGraph, name: str, one: int, other: int, scale: float, zero_point: int = 0) -> int:
    """ADD, MUL, SUB, MAXIMUM or MINIMUM of two maps."""
    out = g.map(f"{name.lower()}{len(g.graph.tensors)}", shape_of(g, one), scale, zero_point)
    kind, make = OF_TWO[name]
    return g.add(getattr(OPERATORS, name), kind, make(), [one, other], out)


def by_constant(
    g: RandomGraph, name: str, x: int, values: np.ndarray, scale: float, zero_point: int = 0,
    constant_scale: float = 1 / 64, constant_zero_point: int = -3, relu: bool = False, first: bool = False,
) -> int:  # fmt: skip
    """ADD, MUL or SUB of an int8 constant, MAXIMUM or MINIMUM. `first`: the constant comes first."""
    constant = g.tensor(
        f"{name.lower()}_constant{len(g.graph.tensors)}", list(values.shape), TYPES.INT8, [constant_scale],
        constant_zero_point, values.astype(np.int8),
    )  # fmt: skip
    out = g.map(f"{name.lower()}{len(g.graph.tensors)}", shape_of(g, x), scale, zero_point)
    kind, make = OF_TWO[name]
    options = make()
    if relu:
        options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    return g.add(getattr(OPERATORS, name), kind, options, [constant, x] if first else [x, constant], out)


def depthwise(
    g: RandomGraph, x: int, kernel: int = 3, stride: int = 1, multiplier: int = 1, same: bool = True,
    bias: bool = True, scale: float | None = None,
) -> int:  # fmt: skip
    """DEPTHWISE_CONV_2D with a ReLU6, a scale for each channel."""
    _, height, width, channels = shape_of(g, x)
    outputs = channels * multiplier
    weights = g.random.randint(-127, 128, (1, kernel, kernel, outputs)).astype(np.int8)
    scales = g.random.uniform(0.004, 0.012, outputs).tolist()
    w = g.tensor(
        f"depthwise{len(g.graph.tensors)}/weights", list(weights.shape), TYPES.INT8, scales, 0, weights
    )
    g.graph.tensors[w].quantization.quantizedDimension = 3
    inputs = [x, w]
    if bias:
        values = g.random.randint(-2000, 2000, outputs).astype(np.int32)
        inputs.append(
            g.tensor(f"bias{w}", [outputs], TYPES.INT32, [g.scale(x) * s for s in scales], 0, values)
        )
    options = schema.DepthwiseConv2DOptionsT()
    options.padding = schema.Padding.SAME if same else schema.Padding.VALID
    options.strideH = options.strideW = stride
    options.dilationHFactor = options.dilationWFactor = 1
    options.depthMultiplier = multiplier
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    size = [-(-n // stride) if same else (n - kernel) // stride + 1 for n in (height, width)]
    out = g.map(f"depthwise{w}", [1, *size, outputs], scale or g.scale(x) * kernel / 3)
    return g.add(OPERATORS.DEPTHWISE_CONV_2D, OPTIONS.DepthwiseConv2DOptions, options, inputs, out)


def dense(g: RandomGraph, x: int, outputs: int, per_channel: bool = False, relu: bool = False) -> int:
    """FULLY_CONNECTED to all values of `x`."""
    values = int(np.prod(shape_of(g, x)))
    weights = g.random.randint(-127, 128, (outputs, values)).astype(np.int8)
    scales = g.random.uniform(0.004, 0.012, outputs if per_channel else 1).tolist()
    name = f"dense{len(g.graph.tensors)}"
    w = g.tensor(f"{name}/MatMul", [outputs, values], TYPES.INT8, scales, 0, weights)
    g.graph.tensors[w].quantization.quantizedDimension = 0
    bias = g.random.randint(-3000, 3000, outputs).astype(np.int32)
    b = g.tensor(f"{name}/bias", [outputs], TYPES.INT32, [g.scale(x) * s for s in scales], 0, bias)
    out = g.map(name, [1, outputs], g.scale(x) * 0.6 * float(np.sqrt(values)), 7)
    options = schema.FullyConnectedOptionsT()
    if relu:
        options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    return g.add(OPERATORS.FULLY_CONNECTED, OPTIONS.FullyConnectedOptions, options, [x, w, b], out)


def reshape(g: RandomGraph, x: int, shape: list[int]) -> int:
    """RESHAPE."""
    to = g.tensor(f"shape{x}", [len(shape)], TYPES.INT32, [], 0, np.array(shape, np.int32))
    out = g.map(f"reshaped{x}", shape, g.scale(x), zero_point_of(g, x))
    return operator(g, "RESHAPE", OPTIONS.ReshapeOptions, schema.ReshapeOptionsT(), [x, to], out)


def transpose(g: RandomGraph, x: int, axes: list[int]) -> int:
    """TRANSPOSE."""
    by = g.tensor(f"axes{x}", [len(axes)], TYPES.INT32, [], 0, np.array(axes, np.int32))
    shape = shape_of(g, x)
    out = g.map(f"transposed{x}", [shape[a] for a in axes], g.scale(x), zero_point_of(g, x))
    return operator(g, "TRANSPOSE", OPTIONS.TransposeOptions, schema.TransposeOptionsT(), [x, by], out)


def reduce_max(g: RandomGraph, x: int) -> int:
    """REDUCE_MAX over height and width."""
    axes = g.tensor(f"axes{x}", [2], TYPES.INT32, [], 0, np.array([1, 2], np.int32))
    out = g.map(f"max{x}", [1, shape_of(g, x)[3]], g.scale(x), zero_point_of(g, x))
    return operator(g, "REDUCE_MAX", OPTIONS.ReducerOptions, schema.ReducerOptionsT(), [x, axes], out)


def requantize(g: RandomGraph, x: int, scale: float, zero_point: int = -128) -> int:
    """QUANTIZE of int8 to int8."""
    out = g.map(f"requantized{x}", shape_of(g, x), scale, zero_point)
    return g.add(OPERATORS.QUANTIZE, OPTIONS.QuantizeOptions, schema.QuantizeOptionsT(), [x], out)
