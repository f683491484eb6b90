"""Small .tflite files with all operators that are lowered, and damage to what their fields say.

Damaged bytes mostly end in the reader of flatbuffers; a file whose fields are others is a flatbuffer still.
"""

from random import Random
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import every_kind
from tests.convert import graph_ops as ops

_SCALES = (0.0, -1.0, 1e-30, 1e-8, 1e-3, 0.5, 1.0, 300.0, 1e30, float("nan"), float("inf"))
_WHOLE = (-(1 << 31), -129, -128, -1, 0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 65_535, 65_536, 1 << 30)


def _heads(seed: int) -> bytes:
    """Batch norms behind ReLUs, a flattened map in PyTorch's order, two dense layers, a sigmoid."""
    g = RandomGraph(seed, "heads")
    image = g.map("image", [1, 8, 8, 3], 1 / 255)
    x = g.conv("conv1", image, 6, 3, stride=2)
    x = ops.by_constant(g, "MUL", x, np.arange(-60, 60, 20), g.scale(x), -5)
    x = ops.by_constant(g, "SUB", x, np.arange(-60, 60, 20), g.scale(x) * 1.2, -7, 1 / 90)
    x = ops.by_constant(g, "MUL", x, np.array([55]), g.scale(x), 3)
    x = ops.reshape(g, ops.transpose(g, x, [0, 3, 1, 2]), [1, 96])
    x = ops.dense(g, ops.dense(g, x, 7, per_channel=True, relu=True), 3)
    return g.packed(image, ops.unary(g, "LOGISTIC", x))


def _mobile(seed: int) -> bytes:
    """Depthwise convolutions of several kinds and activations of their own."""
    g = RandomGraph(seed, "mobile")
    image = g.map("image", [1, 3, 9, 9], 1 / 255)
    x = g.conv("conv1", ops.transpose(g, image, [0, 2, 3, 1]), 4, 3)
    x = ops.depthwise(g, g.pad("pad", x, 1), 3, 2, same=False, bias=False)
    for name in ("HARD_SWISH", "LEAKY_RELU", "ELU", "TANH"):
        x = ops.unary(g, name, x, g.scale(x), -10)
    return g.packed(image, g.softmax(ops.dense(g, ops.reduce_max(g, ops.depthwise(g, x, 5)), 4)))


def sound() -> list[tuple[str, bytes]]:
    """Five files."""
    graphs = [every_kind.tflite(), _heads(1), _heads(2), _mobile(1), _mobile(2)]
    return [(f"{number}.tflite", content) for number, content in enumerate(graphs)]


def _in_tensor(random: Random, model: Any) -> None:
    tensor = random.choice(model.subgraphs[0].tensors)
    quantization = tensor.quantization
    what = random.randrange(8)
    if what < 3 and quantization is not None and quantization.scale is not None:
        scales = np.array(quantization.scale, np.float32)
        scales[random.randrange(len(scales)) :] = random.choice(_SCALES)
        quantization.scale = scales
    elif what == 3 and quantization is not None and quantization.zeroPoint is not None:
        quantization.zeroPoint = np.full(len(quantization.zeroPoint), random.choice(_WHOLE), np.int64)
    elif what < 6 and tensor.shape is not None and len(tensor.shape):
        shape = [int(side) for side in tensor.shape]
        shape[random.randrange(len(shape))] = random.choice(_WHOLE)
        tensor.shape = random.choice((shape, shape[1:], [*shape, 1], shape[::-1]))
    elif what == 6:
        tensor.type = random.randrange(20)
    else:
        tensor.buffer = random.randrange(len(model.buffers))


def _in_operator(random: Random, model: Any) -> None:
    graph = model.subgraphs[0]
    number = random.randrange(len(graph.operators))
    operator = graph.operators[number]
    fields = sorted(vars(operator.builtinOptions)) if operator.builtinOptions is not None else []
    what = random.randrange(8)
    if what < 3 and fields:
        name = random.choice(fields)
        old = getattr(operator.builtinOptions, name)
        if isinstance(old, float):
            setattr(operator.builtinOptions, name, random.choice(_SCALES))
        elif isinstance(old, bool):
            setattr(operator.builtinOptions, name, not old)
        elif isinstance(old, int):
            setattr(operator.builtinOptions, name, random.choice((0, 1, 2, 3, 4, 5)))
    elif what == 3:
        inputs = [int(index) for index in operator.inputs]
        inputs[random.randrange(len(inputs))] = random.randrange(-1, len(graph.tensors) + 1)
        operator.inputs = random.choice((inputs, inputs[:-1], [*inputs, inputs[0]]))
    elif what == 4:
        operator.outputs = [random.randrange(len(graph.tensors))]
    elif what == 5:
        operator.opcodeIndex = random.randrange(len(model.operatorCodes))
    elif what == 6:
        graph.operators.insert(random.randrange(len(graph.operators)), operator)
    else:
        del graph.operators[number]


def _in_constant(random: Random, model: Any) -> None:
    buffer = random.choice([b for b in model.buffers if b.data is not None and len(b.data)])
    data = np.array(buffer.data, np.uint8)
    what = random.randrange(3)
    if what == 0:
        data[random.randrange(len(data))] = random.randrange(256)
    elif what == 1:
        data = data[: random.randrange(len(data))]
    else:
        words = data[: len(data) // 4 * 4].view("<i4")
        if len(words):
            words[random.randrange(len(words))] = random.choice(_WHOLE)
    buffer.data = data


def damage(random: Random, content: bytes) -> bytes:
    """One to three fields of a .tflite are others."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    for _ in range(random.choice((1, 1, 2, 3))):
        random.choice((_in_tensor, _in_tensor, _in_operator, _in_operator, _in_constant))(random, model)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
