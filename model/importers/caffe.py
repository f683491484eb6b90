"""Caffe's .caffemodel: a NetParameter message of protocol buffers, its layers of today or of 2014 ("V1").

Source: src/caffe/proto/caffe.proto of github.com/BVLC/caffe. Only the fields that hold names and weights are
declared; protobuf skips the others.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown
from squeezenet_mcu.model.importers.checks import Arrays, Shapes, layer_name

_Field = descriptor_pb2.FieldDescriptorProto
# message -> (field, number, type, repeated, packed). Names are bytes: a damaged file's need not be UTF-8.
_MESSAGES: dict[str, tuple[tuple[str, int, int | str, bool, bool], ...]] = {
    "BlobShape": (("dim", 1, _Field.TYPE_INT64, True, True),),
    "BlobProto": (
        ("num", 1, _Field.TYPE_INT32, False, False),
        ("channels", 2, _Field.TYPE_INT32, False, False),
        ("height", 3, _Field.TYPE_INT32, False, False),
        ("width", 4, _Field.TYPE_INT32, False, False),
        ("data", 5, _Field.TYPE_FLOAT, True, True),
        ("shape", 7, "BlobShape", False, False),
    ),
    "LayerParameter": (
        ("name", 1, _Field.TYPE_BYTES, False, False),
        ("blobs", 7, "BlobProto", True, False),
    ),
    "V1LayerParameter": (
        ("name", 4, _Field.TYPE_BYTES, False, False),
        ("blobs", 6, "BlobProto", True, False),
    ),
    "NetParameter": (
        ("name", 1, _Field.TYPE_BYTES, False, False),
        ("layers", 2, "V1LayerParameter", True, False),
        ("layer", 100, "LayerParameter", True, False),
    ),
}


def _net_parameter() -> Any:
    """The class of NetParameter, made of _MESSAGES."""
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for field, number, kind, repeated, packed in fields:
            label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            added = described.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _Field.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                added.type = cast(Any, kind)  # one of _Field.TYPE_...
            if packed:
                added.options.packed = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))


NetParameter = _net_parameter()


def load(path: Path, shapes: Shapes) -> dict[str, Arrays]:
    """Kernels (HWIO) and biases of the layers that have any; fire2/squeeze1x1 becomes fire2_squeeze1x1.

    Raises UserError.
    """
    net = NetParameter()
    try:
        net.ParseFromString(path.read_bytes())
    except message.DecodeError as error:
        raise UserError(
            f"{path}: not a .caffemodel, or cut off (protobuf: {error}); want a NetParameter of Caffe's"
        ) from error
    found: dict[str, Arrays] = {}
    for layer in _layers(net):
        text = bytes(layer.name).decode("utf-8", "replace")
        name = layer_name(text)
        if name not in shapes:
            raise UserError(
                f"{path}: layer {shown(text)} has weights and is not the network's; want the {len(shapes)} "
                f"layers {', '.join(shapes)}"
            )
        if name in found:
            raise UserError(f"{path}: layer {shown(text)} comes twice; want it once")
        if len(layer.blobs) != 2:
            raise UserError(f"{path}: {name}: {len(layer.blobs)} blobs; want 2, weights and bias")
        found[name] = _arrays(path, name, layer, shapes[name])
    return found


def _layers(net: Any) -> Iterator[Any]:
    """The layers with weights; those without (data, ReLU, pooling) do not matter."""
    for layer in (*net.layer, *net.layers):
        if layer.blobs:
            yield layer


def _arrays(path: Path, name: str, layer: Any, shape: tuple[int, int, int, int]) -> Arrays:
    """Kernel HWIO and bias of a layer whose blobs are OIHW and one value an output."""
    height, width, inputs, outputs = shape
    weights = _values(path, f"{name}: weights", layer.blobs[0], (outputs, inputs, height, width))
    bias = _values(path, f"{name}: bias", layer.blobs[1], (outputs,))
    return np.ascontiguousarray(weights.transpose(2, 3, 1, 0)), bias


def _values(path: Path, what: str, blob: Any, wanted: tuple[int, ...]) -> np.ndarray:
    """The float32 values of `blob`, which must be of shape `wanted`. V1 writes a bias as [1, 1, 1, out]."""
    if blob.HasField("shape"):
        seen = tuple(blob.shape.dim)
    else:
        seen = (blob.num, blob.channels, blob.height, blob.width)
    if seen != wanted and seen != (1,) * (4 - len(wanted)) + wanted:
        raise UserError(
            f"{path}: {what} of shape {_short(seen)}, want {list(wanted)} (out, in, height, width): "
            "another network's?"
        )
    if len(blob.data) != math.prod(wanted):
        raise UserError(
            f"{path}: {what}: {len(blob.data)} values; want {math.prod(wanted)}, as its shape says"
        )
    return np.array(blob.data, np.float32).reshape(wanted)


def _short(dims: tuple[int, ...]) -> str:
    return str(list(dims)) if len(dims) <= 8 else f"of {len(dims)} dimensions"
