"""SOFTMAX over many classes, on which LiteRT may end the program.

LiteRT's int8 SOFTMAX, and TFLite Micro's, adds up exp(x - largest) in fixed point and takes the reciprocal of
the sum, which it can do below 512 only: beyond, a check calls abort(). So it ends on an image whose classes,
512 or more, are nearly equally likely, as those of an untrained network are.
"""

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import objects

LIMIT = 512
_MARGIN = 0.01  # of the sum: float64 against LiteRT's fixed point, over some thousand classes
_SOFTMAX = schema.BuiltinOperator.SOFTMAX


@dataclass(frozen=True)
class Parts:
    """A .tflite in two, whose tensors keep their numbers.

    Attributes:
        head: it without SOFTMAX and what follows; its output is the logits.
        tail: SOFTMAX and what follows; its input is the logits.
        made: the tensors that `tail` makes.
        logits: number of the logits' tensor.
        scale: what a step of the logits stands for, times SOFTMAX's beta.
    """

    head: bytes
    tail: bytes
    made: frozenset[int]
    logits: int
    scale: float

    def check(self, logits: np.ndarray) -> None:
        """UserError where SOFTMAX of these int8 logits would end the program."""
        rows = logits.reshape(-1, logits.shape[-1]).astype(np.float64)
        total = np.exp((rows - rows.max(axis=1, keepdims=True)) * self.scale).sum(axis=1).max()
        if total >= LIMIT - _MARGIN:
            raise UserError(
                "LiteRT cannot compute this network's SOFTMAX for one of the images, and ends the program: "
                f"of its {logits.shape[-1]:,} classes too many are equally likely (their probabilities add "
                f"up to {total:,.0f} times the largest; want less than {LIMIT}); want a trained network, "
                "other images, or a network that ends in its logits"
            )


def _has_one(content: bytes) -> bool:
    """Whether there is a SOFTMAX of so many classes; read without making objects of the weights."""
    try:
        model = schema.Model.GetRootAs(content, 0)
        codes, graph = objects.codes(model), model.Subgraphs(0)
        operators = [graph.Operators(i) for i in range(graph.OperatorsLength())]
        found = [op for op in operators if codes[op.OpcodeIndex()] == _SOFTMAX]
        tensors = [graph.Tensors(op.Inputs(0)) for op in found]
        return any(t.Type() == schema.TensorType.INT8 and t.ShapeAsNumpy()[-1] >= LIMIT for t in tensors)
    except Exception:  # the FlatBuffers reader raises whatever a damaged file makes it meet
        return False  # LiteRT says what is wrong


def parts(content: bytes) -> Parts | None:
    """The two parts of a .tflite that ends in such a SOFTMAX, or in operators behind it; None for others."""
    if not _has_one(content):
        return None
    model = objects.read(content)
    graph = model.subgraphs[0]
    codes = [objects.code(entry) for entry in model.operatorCodes]
    places = [i for i, op in enumerate(graph.operators) if codes[op.opcodeIndex] == _SOFTMAX]
    first, last = places[0], graph.operators[places[0] :]
    softmax = graph.operators[first]
    logits = int(softmax.inputs[0])
    made = {int(t) for op in last for t in op.outputs}
    constants = {i for i, t in enumerate(graph.tensors) if len(_data(model, t)) > 0}
    read = {int(t) for op in last for t in op.inputs} - made - constants
    if len(places) != 1 or read != {logits} or not set(map(int, graph.outputs)) <= made:
        return None
    operators, outputs = graph.operators, graph.outputs
    scale = float(graph.tensors[logits].quantization.scale[0]) * float(softmax.builtinOptions.beta)
    model.signatureDefs = []
    graph.operators, graph.outputs = operators[:first], np.array([logits], np.int32)
    head = objects.packed(model)
    graph.operators, graph.inputs, graph.outputs = last, np.array([logits], np.int32), outputs
    return Parts(head, objects.packed(model), frozenset(made), logits, scale)


def _data(model: schema.ModelT, tensor: schema.TensorT) -> np.ndarray | list[int]:
    found = model.buffers[tensor.buffer].data
    return [] if found is None else found
