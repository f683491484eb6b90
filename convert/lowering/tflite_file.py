"""Reads a .tflite file (schema version 3, FlatBuffers) into plain Python: tensors and operators."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import MOST_TFLITE
from squeezenet_mcu.common.terminal import shown

# More than any network for a microcontroller has. Unpacking takes a second for so many.
_MOST_OPERATORS, _MOST_TENSORS = 5_000, 20_000
_OP_NAMES = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.INT16: np.int16,
}
_TYPE_NAMES = {v: k for k, v in vars(schema.TensorType).items() if isinstance(v, int)}


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file. `scale` is float32 [1] or [channels]; `data` is None unless it is a constant."""

    index: int
    name: str
    shape: tuple[int, ...]
    type_name: str
    scale: np.ndarray
    zero_point: int
    data: np.ndarray | None

    def __str__(self) -> str:
        return f"tensor {self.index} '{self.name}' {list(self.shape)} {self.type_name}"

    @property
    def hwc(self) -> tuple[int, int, int]:
        """Height, width, channels; a vector [1, n] counts as 1x1 pixel of n channels, a scalar of one."""
        if len(self.shape) == 4:
            return self.shape[1], self.shape[2], self.shape[3]
        return 1, 1, self.shape[-1] if self.shape else 1


@dataclass(frozen=True)
class Op:
    """An operator: its place in the file, its name (CONV_2D, ...), tensor indices, options (may be empty)."""

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


class OperatorError(UserError):
    """An operator that cannot be lowered. `reason`: the message without where it is."""

    def __init__(self, path: str, op: Op, tensor: Tensor | None, reason: str) -> None:
        where = f", {tensor}" if tensor is not None else ""
        super().__init__(f"{path}: op {op.index} {op.name}{where}: {reason}")
        self.op = op
        self.tensor = tensor
        self.reason = reason


@dataclass(frozen=True)
class TfliteFile:
    """One sub-graph of a .tflite file, with the bytes it came from."""

    path: str
    content: bytes
    tensors: list[Tensor]
    ops: list[Op]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def input_type(self) -> str:
        """Of the values that the file takes: "int8", "uint8", "float32", ..."""
        return self.tensors[self.inputs[0]].type_name.lower()

    def op_error(self, op: Op, tensor: Tensor | None, message: str) -> OperatorError:
        """A one-line error that names the operator, its index and the tensor."""
        return OperatorError(self.path, op, tensor, message)


def _tensor(model: Any, index: int, raw: Any) -> Tensor:
    dtype = _DTYPES.get(raw.type)
    content = model.buffers[raw.buffer].data
    shape = tuple(int(d) for d in raw.shape) if raw.shape is not None else ()
    data = None
    if content is not None and len(content) and dtype is not None:
        data = np.frombuffer(np.asarray(content, np.uint8).tobytes(), dtype).reshape(shape)
    quantization = raw.quantization
    scale = np.zeros(0, np.float32)
    zero_point = 0
    if quantization is not None and quantization.scale is not None and len(quantization.scale):
        scale = np.asarray(quantization.scale, np.float32)
        points = quantization.zeroPoint
        if points is not None and len(points):
            if np.any(np.asarray(points) != points[0]):
                raise UserError(f"tensor {index}: zero points differ between channels; wanted one value")
            zero_point = int(points[0])
    name = raw.name.decode(errors="replace") if raw.name else ""
    return Tensor(index, name, shape, _TYPE_NAMES.get(raw.type, str(raw.type)), scale, zero_point, data)


def _numbers(found: Any, count: int, absent: bool = False) -> tuple[int, ...]:
    """Numbers of tensors. `absent`: the last may be -1, as of a convolution without a bias."""
    numbers = [int(number) for number in found]
    while absent and numbers and numbers[-1] == -1:
        numbers.pop()
    for number in numbers:
        if not 0 <= number < count:
            raise UserError(f"tensor {number}; the file has 0 to {count - 1}")
    return tuple(numbers)


def _check_counts(root: Any, path: str) -> None:
    for number in range(root.SubgraphsLength()):
        graph = root.Subgraphs(number)
        for what, count, most in (
            ("operators", graph.OperatorsLength(), _MOST_OPERATORS),
            ("tensors", graph.TensorsLength(), _MOST_TENSORS),
        ):
            if count > most:
                raise UserError(f"{path}: {count:,} {what}; want at most {most:,}")


def parse(content: bytes, path: str = "model") -> TfliteFile:
    """Parses `content`. Raises UserError (naming `path`) when it is not a one-graph .tflite."""
    if len(content) < 8:
        raise UserError(f"{path}: not a .tflite file: it has {len(content)} bytes; want a whole one")
    if content[4:8] != b"TFL3":
        seen = shown(content[4:8].decode("latin-1"))
        raise UserError(f'{path}: not a .tflite file: its fifth to eighth byte are {seen}; want "TFL3"')
    try:
        root = schema.Model.GetRootAs(content, 0)
        _check_counts(root, path)  # before each is unpacked
        model = schema.ModelT.InitFromObj(root)
        if len(model.subgraphs) != 1:
            raise UserError(f"{path}: {len(model.subgraphs)} sub-graphs; wanted 1")
        graph = model.subgraphs[0]
        tensors = [_tensor(model, i, t) for i, t in enumerate(graph.tensors)]
        ops = []
        for i, op in enumerate(graph.operators):
            code = model.operatorCodes[op.opcodeIndex]
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            ops.append(
                Op(
                    i,
                    _OP_NAMES.get(number, f"BUILTIN_{number}"),
                    _numbers(op.inputs, len(tensors), absent=True),
                    _numbers(op.outputs, len(tensors)),
                    op.builtinOptions or SimpleNamespace(),
                )
            )
        inputs = _numbers(graph.inputs, len(tensors))
        outputs = _numbers(graph.outputs, len(tensors))
    except UserError as error:
        raise UserError(f"{path}: {error}" if not str(error).startswith(path) else str(error)) from None
    except Exception as error:  # the FlatBuffers reader raises whatever a damaged file makes it meet
        raise UserError(f"{path}: damaged .tflite; want a whole one") from error
    return TfliteFile(path, content, tensors, ops, inputs, outputs)


def read(path: Path) -> TfliteFile:
    """Reads and parses the file at `path`."""
    return parse(files.read_input(path, MOST_TFLITE, "give the path of an int8 .tflite"), str(path))
