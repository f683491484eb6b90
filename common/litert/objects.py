"""A .tflite as objects of its schema, to be changed and written again."""

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def read(content: bytes) -> Any:
    """The ModelT of a .tflite. A damaged one makes the FlatBuffers reader raise whatever it meets."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def packed(model: Any) -> bytes:
    """The .tflite of a ModelT: the same bytes every time."""
    builder = flatbuffers.Builder(1 << 18)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
