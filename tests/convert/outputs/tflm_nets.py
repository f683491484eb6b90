"""A network for TensorFlow Lite Micro alone: our engine takes no MUL of two different maps."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

SIDE, CHANNELS, CLASSES = 12, 3, 5
FEATURES = 8
# Of the 3x3 convolution, VALID, and of the FULLY_CONNECTED behind a MEAN.
MACS = (SIDE - 2) ** 2 * 9 * CHANNELS * FEATURES + FEATURES * CLASSES


def dense_tflite(seed: int = 0, scale: float = 1 / 255) -> bytes:
    """CONV_2D 3x3, LOGISTIC, MUL by its MEAN, MEAN, FULLY_CONNECTED, SOFTMAX; int8 [1, 12, 12, 3] to [1, 5].

    `scale`: of its input.
    """
    graph = RandomGraph(seed, "a dense layer at the end")
    first = graph.map("input", [1, SIDE, SIDE, CHANNELS], scale)
    x = graph.conv("conv1", first, FEATURES, 3, same=False)
    curved = graph.map("logistic", [1, SIDE - 2, SIDE - 2, FEATURES], 1 / 256)
    code, kind = schema.BuiltinOperator.LOGISTIC, schema.BuiltinOptions.NONE
    x = graph.add(code, kind, None, [x], curved)
    gated = graph.map("gated", [1, SIDE - 2, SIDE - 2, FEATURES], 1 / 256)
    code, kind = schema.BuiltinOperator.MUL, schema.BuiltinOptions.MulOptions
    x = graph.mean(graph.add(code, kind, schema.MulOptionsT(), [x, graph.mean(x)], gated))
    weights = graph.random.randint(-127, 128, [CLASSES, FEATURES]).astype(np.int8)
    bias = graph.random.randint(-500, 500, CLASSES).astype(np.int32)
    fine = 1 / 128
    w = graph.tensor("dense/weights", [CLASSES, FEATURES], schema.TensorType.INT8, [fine], 0, weights)
    b = graph.tensor("dense/bias", [CLASSES], schema.TensorType.INT32, [fine * graph.scale(x)], 0, bias)
    out = graph.map("dense", [1, CLASSES], graph.scale(x) * 2)
    options = schema.FullyConnectedOptionsT()
    code, kind = schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOptions.FullyConnectedOptions
    last = graph.softmax(graph.add(code, kind, options, [x, w, b], out))
    return graph.packed(first, last)
