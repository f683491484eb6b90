"""Reads the header, the buffers and the layers of an engine's model, as firmware_cpp/engine/format.h says.

Written apart from convert/encode, whose mistakes it is to find.
"""

import struct
from dataclasses import dataclass

# Places of firmware_cpp/engine/format.h: in Header, BufferRecord and LayerRecord.
_COUNTS, _OFFSETS, _ENDS, _SCALES, _CODES = 56, 60, 68, 76, 96
_BUFFER_BYTES, _ZERO_POINT = 16, 12
_LAYER_BYTES, _INPUTS, _LIMITS, _WEIGHTS, _PARAMS = 68, 8, 20, 28, 44


@dataclass(frozen=True)
class Record:
    """One layer as it is stored."""

    kind: int
    encoding: int
    kernel: tuple[int, int]  # height, width; so are stride and padding
    stride: tuple[int, int]
    padding: tuple[int, int]  # above and left
    inputs: tuple[int, int]  # buffers; the second only for ADD
    output: int
    out_channel: int
    out_channels: int
    limits: tuple[int, int]  # act_min, act_max
    weights: bytes
    params: tuple[int, ...]


class Model:
    """An engine's model, read record by record.

    Attributes:
        content: all of it.
        codes: of the layers that are Huffman-coded.
        layer_count: how many layers it has.
        ends: the buffers of the input, the logits and the output.
        scales: of the input, the logits and the output.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        _, self.layer_count = struct.unpack_from("<HH", content, _COUNTS)
        self._buffers, self._layers = struct.unpack_from("<II", content, _OFFSETS)
        self.ends: tuple[int, int, int] = struct.unpack_from("<HHH", content, _ENDS)
        self.scales: tuple[float, float, float] = struct.unpack_from("<fff", content, _SCALES)
        begin, size = struct.unpack_from("<II", content, _CODES)
        self.codes = content[begin : begin + size]

    def zero_point(self, buffer: int) -> int:
        """The zero point of a buffer's values."""
        (found,) = struct.unpack_from(
            "<b", self.content, self._buffers + buffer * _BUFFER_BYTES + _ZERO_POINT
        )
        return int(found)

    def layer(self, index: int) -> Record:
        """The record of layer `index`."""
        at = self._layers + index * _LAYER_BYTES
        kind, encoding, *window = struct.unpack_from("<8B", self.content, at)
        first, second, output, channel, channels = struct.unpack_from("<5H", self.content, at + _INPUTS)
        low, high = struct.unpack_from("<bb", self.content, at + _LIMITS)
        begin, size = struct.unpack_from("<II", self.content, at + _WEIGHTS)
        return Record(
            kind, encoding,
            kernel=(window[0], window[1]), stride=(window[2], window[3]), padding=(window[4], window[5]),
            inputs=(first, second), output=output, out_channel=channel, out_channels=channels,
            limits=(low, high), weights=self.content[begin : begin + size],
            params=struct.unpack_from("<6i", self.content, at + _PARAMS),
        )  # fmt: skip
