"""A network with the operators and the shapes of MLPerf Tiny's ResNet-8, with random weights."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

_SEED = 8
_CLASSES = 10
_SCALE = 1 / 16
_WEIGHT_SCALE = 1 / 512


def _conv(g: RandomGraph, name: str, x: int, filters: int, kernel: int, stride: int, relu: bool) -> int:
    shape = (filters, kernel, kernel, g.graph.tensors[x].shape[3])
    weights = g.random.randint(-127, 128, shape).astype(np.int8)
    bias = g.random.randint(-5000, 5001, filters).astype(np.int32)
    return g.conv_of(name, x, weights, [_WEIGHT_SCALE] * filters, bias, _SCALE, stride, relu=relu)


def _add(g: RandomGraph, name: str, one: int, other: int) -> int:
    options = schema.AddOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    out = g.map(name, g.graph.tensors[one].shape, _SCALE)
    return g.add(schema.BuiltinOperator.ADD, schema.BuiltinOptions.AddOptions, options, [one, other], out)


def _average(g: RandomGraph, x: int) -> int:
    side = g.side(x)
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.filterHeight = options.filterWidth = side
    out = g.map("average", [1, 1, 1, g.graph.tensors[x].shape[3]], _SCALE)
    code, kind = schema.BuiltinOperator.AVERAGE_POOL_2D, schema.BuiltinOptions.Pool2DOptions
    return g.add(code, kind, options, [x], out)


def _flat(g: RandomGraph, x: int) -> int:
    shape = [1, g.graph.tensors[x].shape[3]]
    options = schema.ReshapeOptionsT()
    options.newShape = shape
    wanted = g.tensor("flat/shape", [2], schema.TensorType.INT32, [], 0, np.array(shape, np.int32))
    code, kind = schema.BuiltinOperator.RESHAPE, schema.BuiltinOptions.ReshapeOptions
    return g.add(code, kind, options, [x, wanted], g.map("flat", shape, _SCALE))


def _dense(g: RandomGraph, x: int) -> int:
    features = g.graph.tensors[x].shape[1]
    weights = g.random.randint(-127, 128, (_CLASSES, features)).astype(np.int8)
    kinds = schema.TensorType
    w = g.tensor("dense/weights", list(weights.shape), kinds.INT8, [_WEIGHT_SCALE], 0, weights)
    bias = g.random.randint(-500, 501, _CLASSES).astype(np.int32)
    b = g.tensor("dense/bias", [_CLASSES], kinds.INT32, [_SCALE * _WEIGHT_SCALE], 0, bias)
    code, kind = schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOptions.FullyConnectedOptions
    options = schema.FullyConnectedOptionsT()
    return g.add(code, kind, options, [x, w, b], g.map("dense", [1, _CLASSES], _SCALE))


def tflite() -> bytes:
    """The .tflite: 32x32x3 int8 to 10 classes; its operator 14 is a FULLY_CONNECTED."""
    g = RandomGraph(_SEED, "ResNet-8 with random weights")
    image = g.map("image", [1, 32, 32, 3], 1.0)
    x = _conv(g, "first", image, 16, 3, 1, True)
    for block, (filters, stride) in enumerate([(16, 1), (32, 2), (64, 2)]):
        y = _conv(g, f"block{block}/one", x, filters, 3, stride, True)
        y = _conv(g, f"block{block}/two", y, filters, 3, 1, False)
        if stride > 1:
            x = _conv(g, f"block{block}/bypass", x, filters, 1, stride, False)
        x = _add(g, f"block{block}/sum", x, y)
    return g.packed(image, g.softmax(_dense(g, _flat(g, _average(g, x)))))
