"""Serializes a planned network into the engine's model (firmware_cpp/engine/format.h, field by field)."""

import hashlib
import struct
import zlib

from convert.encodings import stored_weights
from convert.network import Encoding, Kind, Layer, Network
from convert.plan import Plan
from convert.schedule import deepest_reader, stages_of

MAGIC = b"SQZ1"
VERSION = 2
CRC_START = 16
_HEADER = struct.Struct("<4sHHII32sIIHHIIHHHHfffII12x")
_BUFFER = struct.Struct("<HHHHIb3x")
_LAYER = struct.Struct("<BBBBBBBBHHHHHHbbBBIIIIIII6i")


def version_of(content: bytes) -> int | None:
    """The format version of an engine model; None where the bytes are not one."""
    if len(content) < _HEADER.size or content[:4] != MAGIC:
        return None
    return int.from_bytes(content[4:6], "little")


class _Data:
    """The blob's data part: pieces at 4-byte aligned offsets."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.content = bytearray()

    def add(self, piece: bytes) -> int:
        """Appends `piece`; returns its offset in the blob."""
        self.content.extend(b"\0" * (-(self.start + len(self.content)) % 4))
        offset = self.start + len(self.content)
        self.content.extend(piece)
        return offset


def _layer_record(layer: Layer, resume: int, data: _Data) -> bytes:
    offsets = [0, 0, 0, 0, 0]  # weights, its bytes, bias, multiplier, shift
    encoding = Encoding.NONE
    if layer.kind is Kind.CONV_2D:
        encoding = layer.encoding
        weights = stored_weights(layer)
        offsets = [
            data.add(weights),
            len(weights),
            data.add(layer.bias.astype("<i4").tobytes()),
            data.add(layer.multipliers.astype("<i4").tobytes()),
            data.add(layer.shifts.tobytes()),
        ]
    kernel = (1, 1) if layer.kind is Kind.MEAN else layer.kernel  # MEAN: the whole map, of any size
    inputs = [*layer.inputs, 0][:2]
    params = [*layer.params, 0, 0, 0, 0, 0, 0][:6]
    return _LAYER.pack(
        layer.kind, encoding, kernel[0], kernel[1], layer.stride[0], layer.stride[1],
        layer.pad_top, layer.pad_left, inputs[0], inputs[1], layer.output, layer.out_channel,
        layer.out_channels, resume, layer.act_min, layer.act_max, layer.conv_kernel,
        layer.batch_rows, *offsets, layer.scratch_offset,
        layer.scratch_bytes if layer.kind is Kind.CONV_2D else 0, *params,
    )  # fmt: skip


def serialize(network: Network, plan: Plan, labels: list[str]) -> bytes:
    """The engine's model of a network whose plan has been made."""
    buffers_offset = _HEADER.size
    layers_offset = buffers_offset + len(network.buffers) * _BUFFER.size
    data = _Data(layers_offset + len(network.layers) * _LAYER.size)
    stages = stages_of(network)
    first_layers = [stage.first_layer for stage in stages]
    layer_records = b"".join(
        _layer_record(layer, first_layers[stage.resume], data) for stage in stages for layer in stage.layers
    )
    buffer_records = b"".join(
        _BUFFER.pack(b.height, b.width, b.channels, b.ring_rows, b.offset, b.zero_point)
        for b in network.buffers
    )
    label_bytes = "\n".join(labels).encode()
    labels_offset = data.add(label_bytes)
    total = data.start + len(data.content)
    body = buffer_records + layer_records + bytes(data.content)
    start = deepest_reader(stages, network.input_buffer, 0)

    def header(crc: int) -> bytes:
        return _HEADER.pack(
            MAGIC, VERSION, _HEADER.size, total, crc, hashlib.sha256(network.source).digest(),
            plan.arena_bytes, plan.state_offset, len(network.buffers), len(network.layers),
            buffers_offset, layers_offset, network.input_buffer, network.logits_buffer,
            network.output_buffer, first_layers[start],
            network.buffers[network.input_buffer].scale, network.buffers[network.logits_buffer].scale,
            network.buffers[network.output_buffer].scale, labels_offset, len(label_bytes),
        )  # fmt: skip

    return header(zlib.crc32((header(0) + body)[CRC_START:])) + body
