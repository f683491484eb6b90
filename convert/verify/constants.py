"""Reads an engine's model back: tables and constants of layers that multiply by no weights.

Written apart from convert/lowering, whose mistakes it is to find; but a LOOKUP's table is LiteRT's own.
"""

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import lookup
from squeezenet_mcu.convert.lowering.tflite_file import Op, TfliteFile
from squeezenet_mcu.convert.network import Kind, Network
from squeezenet_mcu.convert.verify import formulas, moved
from squeezenet_mcu.convert.verify.records import Model

_ADD_SHIFT = 20  # both inputs of ADD are raised by as many bits
_TYPES = {Kind.LOOKUP: "<i1", Kind.MUL_CONSTANT: "<i2", Kind.ADD_CONSTANT: "<i4"}


def _wanted(file: TfliteFile, network: Network, op: Op, kind: int) -> list[int]:
    if kind == Kind.LOOKUP:
        ops, _ = moved.looked_up(file, network, op)
        table: list[int] = lookup.table(file.content, *(other.index for other in ops)).tolist()
        return table
    a, b, out = (file.tensors[index] for index in (*op.inputs[:2], op.outputs[0]))
    constant = b if a.data is None else a
    assert constant.data is not None, "lowering takes one constant"
    less = [int(value) - constant.zero_point for value in constant.data.reshape(-1)]
    if kind == Kind.MUL_CONSTANT:
        return less
    fixed = formulas.add(float(a.scale[0]), float(b.scale[0]), float(out.scale[0]))[1 if constant is b else 0]
    signed = (-fixed[0] if op.name == "SUB" else fixed[0], fixed[1])
    return [formulas.rescaled(value << _ADD_SHIFT, signed) for value in less]


def check(file: TfliteFile, network: Network, model: Model) -> None:
    """UserError at the first table or constant that is not the operator's."""
    for index, layer in enumerate(network.layers):
        if layer.kind not in _TYPES:
            continue
        op = file.ops[layer.op_index]
        wanted = _wanted(file, network, op, layer.kind)
        stored = np.frombuffer(model.layer(index).weights, _TYPES[layer.kind]).tolist()
        if stored != wanted:
            raise UserError(
                f"{file.path}: layer {layer.name}: its constant in the engine's model is not that of op "
                f"{op.index} {op.name}: a bug of the converter; please report it with the .tflite"
            )
