"""What operators of one int8 make of each of its 256 values, computed by LiteRT's own kernel.

It also stands in for an operator that LiteRT's reference kernels lack, which is ELU: CAST, ADD and GATHER
look each value up in the table that LiteRT's other kernel gives.
"""

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.litert import objects
from squeezenet_mcu.common.litert.apart import apart
from squeezenet_mcu.common.terminal import one_line

VALUES = np.arange(-128, 128, dtype=np.int8)
_LACKING = (schema.BuiltinOperator.ELU,)
_KINDS, _OPERATORS, _OPTIONS = schema.TensorType, schema.BuiltinOperator, schema.BuiltinOptions


def _code(model: Any, operator: Any) -> int:
    return objects.code(model.operatorCodes[operator.opcodeIndex])


def _is_constant(model: Any, index: int) -> bool:
    data = model.buffers[model.subgraphs[0].tensors[index].buffer].data
    return data is not None and len(data) > 0


def _alone(whole: Any, numbers: Sequence[int]) -> bytes:
    """A .tflite of operators `numbers` alone, on a vector of 256 values, which the first of them reads.

    Their constants, of one value, stay.
    """
    graph, model = schema.SubGraphT(), schema.ModelT()
    model.version, model.subgraphs = 3, [graph]
    model.buffers, model.operatorCodes = [schema.BufferT()], []
    graph.tensors, graph.operators = [], []
    places: dict[int, int] = {}

    def kept(index: int) -> int:
        if index in places:
            return places[index]
        tensor = copy.copy(whole.subgraphs[0].tensors[index])
        tensor.shapeSignature = None
        if _is_constant(whole, index):
            model.buffers.append(whole.buffers[tensor.buffer])
            tensor.shape, tensor.buffer = [1], len(model.buffers) - 1
        else:
            tensor.shape, tensor.buffer = [1, len(VALUES)], 0
        graph.tensors.append(tensor)
        places[index] = len(graph.tensors) - 1
        return places[index]

    for number in numbers:
        operator = copy.copy(whole.subgraphs[0].operators[number])
        model.operatorCodes.append(whole.operatorCodes[operator.opcodeIndex])
        operator.inputs = [kept(int(index)) for index in operator.inputs]
        operator.outputs = [kept(int(operator.outputs[0]))]
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.intermediates = None
        graph.operators.append(operator)
    # Once, where an operator reads it twice, as x * x.
    given = dict.fromkeys(int(index) for index in whole.subgraphs[0].operators[numbers[0]].inputs)
    graph.inputs = [places[index] for index in given if not _is_constant(whole, index)]
    graph.outputs = graph.operators[-1].outputs
    return objects.packed(model)


def _computed(alone: bytes, lacking: bool) -> bytes:
    """Of a .tflite as _alone makes it."""
    import ai_edge_litert.interpreter as lite  # before the fork: a child of TensorFlow's crashes over it

    def work() -> bytes:
        kinds = lite.OpResolverType
        kind = kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES if lacking else kinds.BUILTIN_REF
        try:
            runs = lite.Interpreter(model_content=alone, experimental_op_resolver_type=kind)
            runs.allocate_tensors()
            runs.set_tensor(runs.get_input_details()[0]["index"], VALUES.reshape(1, -1))
            runs.invoke()
        except (ValueError, RuntimeError) as error:
            return b"refused " + one_line(str(error)).encode()
        found: bytes = runs.get_tensor(runs.get_output_details()[0]["index"]).tobytes()
        return b"table   " + found

    answer = apart(work)
    if answer is None:
        raise ValueError("LiteRT crashes on it")
    if not answer.startswith(b"table"):
        raise ValueError(f"LiteRT refuses it ({answer[8:].decode(errors='replace')})")
    return answer[8:]


def _table(whole: Any, numbers: Sequence[int]) -> np.ndarray:
    lacking = any(_code(whole, whole.subgraphs[0].operators[number]) in _LACKING for number in numbers)
    found = np.frombuffer(_computed(_alone(whole, numbers), lacking), np.int8)
    if len(found) != len(VALUES):
        raise ValueError(f"it makes {len(found)} values of {len(VALUES)}")
    return found


@lru_cache(1024)  # lowering asks, and so do its proofs
def table(content: bytes, *operators: int) -> np.ndarray:
    """int8 [256]: what operators of the .tflite `content`, in its order, make of -128 to 127.

    All their maps come from the one map that the first reads; their constants are of one value. ValueError:
    LiteRT refuses them.
    """
    return _table(objects.read(content), operators)


def table_of(model: Any, operator: int) -> np.ndarray:
    """As `table`, of an operator of a .tflite as objects of the schema."""
    return _table(model, [operator])


def _lacks_any(content: bytes) -> bool:
    """Whether a .tflite has such an operator; read without making objects of its weights."""
    try:
        return any(code in _LACKING for code in objects.codes(schema.Model.GetRootAs(content, 0)))
    except Exception:  # the FlatBuffers reader raises whatever a damaged file makes it meet
        return False  # LiteRT says what is wrong


def for_reference(content: bytes) -> bytes:
    """`content`, or a file that does the same without operators that the reference kernels lack.

    Tensors keep their numbers.
    """
    if not _lacks_any(content):
        return content
    model = objects.read(content)
    graph = model.subgraphs[0]
    operators: list[Any] = []
    for number, operator in enumerate(graph.operators):
        operators += _looked_up(model, number) if _code(model, operator) in _LACKING else [operator]
    graph.operators = operators
    for code in model.operatorCodes:  # LiteRT wants to know all of them, even those without an operator
        if objects.code(code) in _LACKING:
            code.builtinCode = code.deprecatedBuiltinCode = _OPERATORS.CAST
            code.version = 1
    return objects.packed(model)


def _looked_up(model: Any, number: int) -> list[Any]:
    """CAST to int32, ADD of 128, GATHER from the table: in place of an operator."""
    graph = model.subgraphs[0]
    operator = graph.operators[number]
    x, out = int(operator.inputs[0]), int(operator.outputs[0])
    shape = graph.tensors[x].shape
    values = _table(model, [number])

    def tensor(kind: int, shape_: Any, data: np.ndarray | None = None) -> int:
        made = schema.TensorT()
        made.name, made.type, made.shape, made.buffer = f"lookup{len(graph.tensors)}", kind, shape_, 0
        made.quantization = copy.copy(graph.tensors[out].quantization) if kind == _KINDS.INT8 else None
        if data is not None:
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = np.frombuffer(data.tobytes(), np.uint8)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def made(code: int, options_type: int, options: Any, inputs: list[int], output: int) -> Any:
        entry, op = schema.OperatorCodeT(), schema.OperatorT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 1
        model.operatorCodes.append(entry)
        op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes) - 1, inputs, [output]
        op.builtinOptionsType, op.builtinOptions = options_type, options
        return op

    wide, place = tensor(_KINDS.INT32, shape), tensor(_KINDS.INT32, shape)
    middle = tensor(_KINDS.INT32, [1], np.array([128], np.int32))
    stored = tensor(_KINDS.INT8, [len(VALUES)], values)
    return [
        made(_OPERATORS.CAST, _OPTIONS.CastOptions, schema.CastOptionsT(), [x], wide),
        made(_OPERATORS.ADD, _OPTIONS.AddOptions, schema.AddOptionsT(), [wide, middle], place),
        made(_OPERATORS.GATHER, _OPTIONS.GatherOptions, schema.GatherOptionsT(), [stored, place], out),
    ]
