"""Serializes a planned network into the engine's model (firmware_cpp/engine/format.h, field by field)."""

import hashlib
import struct
import zlib
from collections.abc import Sequence

from squeezenet_mcu.convert.encode.weights import aligned, placed_bytes, stored_params, stored_weights
from squeezenet_mcu.convert.network import WHOLE_MAP, Encoding, Kind, Layer, Network
from squeezenet_mcu.convert.schedule.arena import Plan
from squeezenet_mcu.convert.schedule.rows import deepest_reader, stages_of

MAGIC = b"SQZ1"
VERSION = 3
CRC_START = 16
_HEADER = struct.Struct("<4sHHII32sIIHHIIHHHHfffIIII4x")
_BUFFER = struct.Struct("<HHHHIb3x")
_LAYER = struct.Struct("<BBBBBBBBHHHHHHbbBBHHIIII6i")
SECOND_SCRATCH = 3  # of a CONV_2D's params
_OVERRUN = 4  # bytes behind a coded stream that its reader may load (kPeekOverrun)


def version_of(content: bytes) -> int | None:
    """The format version of an engine model; None where the bytes are not one."""
    if len(content) < _HEADER.size or content[:4] != MAGIC:
        return None
    return int.from_bytes(content[4:6], "little")


def fixed_bytes(network: Network) -> int:
    """What an engine's model takes beside its convolutions' weights, parameters and codes, and labels."""
    records = len(network.buffers) * _BUFFER.size + len(network.layers) * _LAYER.size
    others = sum(placed_bytes(layer) for layer in network.layers if layer.kind is not Kind.CONV_2D)
    return _HEADER.size + records + others


def codes_bytes(network: Network) -> int:
    """What the codes take that Huffman-coded layers share, and what a decoder reads beyond them.

    Without such a layer they are left out.
    """
    return aligned(len(network.codes)) + _OVERRUN


def labels_bytes(labels: Sequence[str]) -> int:
    """What the classes' names take."""
    return aligned(len(_joined(labels)))


def _joined(labels: Sequence[str]) -> bytes:
    return "\n".join(labels).encode()


class _Data:
    """The blob's data part: pieces at 4-byte aligned offsets."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.content = bytearray()

    def add(self, piece: bytes, alignment: int = 4) -> int:
        """Appends `piece`; returns its offset in the blob."""
        self.content.extend(b"\0" * (-(self.start + len(self.content)) % alignment))
        offset = self.start + len(self.content)
        self.content.extend(piece)
        return offset


def _layer_record(layer: Layer, resume: int, data: _Data) -> bytes:
    weights, offset = stored_weights(layer), 0
    params = list(layer.params)
    if weights:
        offset = data.add(weights)
    if layer.weights is not None:
        parameters = stored_params(layer)
        if layer.encoding is Encoding.HUFFMAN:
            params = [data.add(parameters[0], 1), len(parameters[0])]
        else:
            params = [data.add(part) for part in parameters]
    kernel = (1, 1) if layer.kind in WHOLE_MAP else layer.kernel
    inputs = [*layer.inputs, 0][:2]
    params = [*params, 0, 0, 0, 0, 0, 0][:6]
    if layer.kind is Kind.CONV_2D:
        params[SECOND_SCRATCH] = layer.second_scratch
    encoding = layer.encoding if layer.kind is Kind.CONV_2D else Encoding.NONE  # others: one form alone
    return _LAYER.pack(
        layer.kind, encoding, kernel[0], kernel[1], layer.stride[0], layer.stride[1],
        layer.pad_top, layer.pad_left, inputs[0], inputs[1], layer.output, layer.out_channel,
        layer.out_channels, resume, layer.act_min, layer.act_max, layer.conv_kernel,
        layer.batch_rows, layer.defer_rows, layer.shared, offset, len(weights), layer.scratch_offset,
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
    coded = any(layer.encoding is Encoding.HUFFMAN for layer in network.layers if layer.kind is Kind.CONV_2D)
    codes = network.codes if coded else b""
    codes_offset = data.add(codes)
    label_bytes = _joined(labels)
    labels_offset = data.add(label_bytes)
    if coded:
        data.add(b"\0" * _OVERRUN)
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
            codes_offset, len(codes),
        )  # fmt: skip

    return header(zlib.crc32((header(0) + body)[CRC_START:])) + body
