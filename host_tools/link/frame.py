"""Frames: 0x00, COBS(type u8, sequence number u16, payload, CRC-32 u32), 0x00; all little-endian."""

import struct
import zlib
from dataclasses import dataclass

from squeezenet_mcu.host_tools.link import cobs

MAX_FRAME = 1024  # bytes on the wire, both delimiters included
MAX_BODY = 1017  # the longest body that never needs more
_HEADER = struct.Struct("<BH")
_CRC = struct.Struct("<I")
OVERHEAD = _HEADER.size + _CRC.size  # body bytes that are not payload


@dataclass(frozen=True)
class Frame:
    """One frame: message type (0 to 255), sequence number (0 to 65535), payload (at most 1,010 bytes)."""

    type: int
    sequence: int
    payload: bytes

    def encode(self) -> bytes:
        """The bytes on the wire, delimiters included."""
        covered = _HEADER.pack(self.type, self.sequence) + self.payload
        return b"\0" + cobs.encode(covered + _CRC.pack(zlib.crc32(covered))) + b"\0"


def encoded_size(body: int) -> int:
    """Bytes on the wire, at worst, of a frame whose body has `body` bytes."""
    return body + (body + 253) // 254 + 2


def decode(encoded: bytes) -> Frame | None:
    """The frame in `encoded`, which has no delimiters; None where anything about it is wrong."""
    body = cobs.decode(encoded)
    if body is None or not OVERHEAD <= len(body) <= MAX_BODY:
        return None
    covered = body[: -_CRC.size]
    if zlib.crc32(covered) != _CRC.unpack(body[-_CRC.size :])[0]:
        return None
    kind, sequence = _HEADER.unpack_from(covered)
    return Frame(kind, sequence, covered[_HEADER.size :])


class FrameReader:
    """Finds the intact frames in a stream of received bytes, whatever else is in it."""

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order. Damaged ones are dropped: nobody knows whose."""
        *complete, rest = data.split(b"\0")
        frames = []
        for piece in complete:
            self._partial += piece
            frame = decode(bytes(self._partial)) if self._partial else None
            self._partial.clear()
            if frame:
                frames.append(frame)
        self._partial += rest
        # Garbage without a zero must not grow for ever; what is too long for a frame stays too long for one.
        del self._partial[2 * MAX_FRAME :]
        return frames
