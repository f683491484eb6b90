"""Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): any bytes become bytes without 0x00."""

_FULL = 254  # data bytes of the longest block


def encode(data: bytes) -> bytes:
    """`data` without its zeros, one byte longer for each 254 begun at most; empty data become one byte."""
    encoded = bytearray()
    pieces = data.split(b"\0")
    last = len(pieces) - 1
    for i, piece in enumerate(pieces):
        start = 0
        while len(piece) - start >= _FULL:
            encoded.append(_FULL + 1)
            encoded += piece[start : start + _FULL]
            start += _FULL
        # Right after a full block at the very end nothing is left to say.
        if start and start == len(piece) and i == last:
            break
        encoded.append(len(piece) - start + 1)
        encoded += piece[start:]
    return bytes(encoded)


def decode(encoded: bytes) -> bytes | None:
    """The bytes that `encode` was given; None where `encoded` (without delimiters) is not COBS."""
    data = bytearray()
    position, zero_pending = 0, False
    while position < len(encoded):
        if zero_pending:
            data.append(0)
        code = encoded[position]
        end = position + code
        if code == 0 or end > len(encoded) or 0 in encoded[position + 1 : end]:
            return None
        data += encoded[position + 1 : end]
        position, zero_pending = end, code != _FULL + 1
    return bytes(data)
