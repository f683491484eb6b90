"""A small network with every kind of layer, random weights, and scales that differ wherever they may."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import graph_ops

SIDE, CLASSES = 12, 5
_SEED = 16


def _add(g: RandomGraph, one: int, other: int, scale: float) -> int:
    options = schema.AddOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    out = g.map("sum", list(g.graph.tensors[one].shape), scale, -100)
    return g.add(schema.BuiltinOperator.ADD, schema.BuiltinOptions.AddOptions, options, [one, other], out)


def _average(g: RandomGraph, x: int) -> int:
    """3x3, stride 2, SAME: windows overlap."""
    _, height, width, channels = g.graph.tensors[x].shape
    options = schema.Pool2DOptionsT()
    options.padding, options.strideH, options.strideW = schema.Padding.SAME, 2, 2
    options.filterHeight = options.filterWidth = 3
    out = g.map("average", [1, (height + 1) // 2, (width + 1) // 2, channels], g.scale(x), -100)
    code, kind = schema.BuiltinOperator.AVERAGE_POOL_2D, schema.BuiltinOptions.Pool2DOptions
    return g.add(code, kind, options, [x], out)


def tflite() -> bytes:
    """The .tflite: 12x12x3 int8 to 5 classes."""
    g = RandomGraph(_SEED, "every kind of layer")
    image = g.map("image", [1, SIDE, SIDE, 3], 1 / 255)
    x = g.conv("conv1", graph_ops.requantize(g, image, 1 / 200), 8, 3)
    pooled = g.pool("pool", x, same=True)  # is not made in place: a copy
    strided = g.conv("conv2", x, 4, 3, g.scale(x), stride=2)
    x = g.concat("concat", pooled, strided)
    one, other = g.conv("conv3", x, 6, 1), g.conv("conv4", x, 6, 3, g.scale(x) * 3)
    x = _add(g, one, other, g.scale(x) * 1.7)
    x = _average(g, x)
    x = g.conv("conv5", x, 7, 1)
    x = graph_ops.depthwise(g, x)
    x = graph_ops.unary(g, "HARD_SWISH", x, g.scale(x) * 0.9, -90)
    x = graph_ops.by_constant(g, "MUL", x, np.arange(-30, 40, 10), g.scale(x) * 0.8, -20, relu=True)
    x = graph_ops.by_constant(g, "ADD", x, np.arange(-30, 40, 10), g.scale(x) * 1.3, -128, 1 / 200, relu=True)
    x = g.conv("conv6", g.pad("pad", x, 1), CLASSES, 3)  # SAME: reads the padding, does not do it itself
    x = graph_ops.dense(g, g.mean(x, g.scale(x) * 0.7), CLASSES)
    return g.packed(image, g.softmax(x))
