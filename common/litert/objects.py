"""A .tflite as objects of its schema, to be changed and written again."""

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def read(content: bytes) -> Any:
    """The ModelT of a .tflite. A damaged one makes the FlatBuffers reader raise whatever it meets."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def code(entry: Any) -> int:
    """The operator that an OperatorCodeT stands for: new kinds have the one field, old files the other."""
    return max(int(entry.builtinCode), int(entry.deprecatedBuiltinCode))


def codes(model: schema.Model) -> list[int]:
    """The same of all of a file's, read without making objects of its weights."""
    entries = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    return [max(entry.BuiltinCode(), entry.DeprecatedBuiltinCode()) for entry in entries]


def packed(model: Any) -> bytes:
    """The .tflite of a ModelT: the same bytes every time."""
    builder = flatbuffers.Builder(1 << 18)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
