"""Sound inputs for each target, beside the committed corpus: what runs begin with."""

import struct
from collections.abc import Iterable

from squeezenet_mcu.host_tools.link import cobs
from squeezenet_mcu.host_tools.link.messages import Request

# The settings of fuzz_link.cc.
_RECORDS, _HELLO, _SHAPE = 1, 2, 4
_NOISE = 0  # a record's type that stands for no request
_IMAGE = 77
_LONGEST_BODY = 1017
# Types that later versions have, or may have.
_TYPES = range(1, 0x30)


def _record(kind: int, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return struct.pack("<BH", kind, len(payload)) + payload


def _u32(value: int) -> bytes:
    return struct.pack("<I", value)


def _image(shape: int, pieces: Iterable[tuple[int, int]]) -> bytes:
    """A session in which an image is sent in `pieces` (offset, bytes), and all is asked for that there is."""
    image = _u32(_IMAGE)
    records = [_record(Request.BEGIN, image)]
    records += [_record(Request.ROWS, image, _u32(offset), bytes(size)) for offset, size in pieces]
    records += [_record(Request.RESULT, image)]
    for what in (0, 1, 2):
        records += [_record(Request.READ, image, bytes([what]), _u32(0), struct.pack("<H", 10))]
    return bytes([_RECORDS | _HELLO | _SHAPE * shape]) + b"".join(records)


def link() -> list[bytes]:
    """For fuzz_link: whole images, each type of request with some payloads, and lines as they come."""
    made = [
        _image(0, [(0, 6), (9, 3), (6, 6)]),  # with a gap, and bytes that come twice
        _image(1, [(0, 1002), (1002, 198)]),  # a row longer than a frame
        _image(2, [(0, 1)]),
        _image(3, [(0, 500), (500, 364)]),
    ]
    for kind in _TYPES:
        payloads = (b"", _u32(_IMAGE), _u32(_IMAGE) * 4, bytes(range(64)))
        records = b"".join(_record(kind, payload) for payload in payloads)
        made.append(bytes([_RECORDS | _HELLO]) + _record(Request.BEGIN, _u32(_IMAGE)) + records)
    long = bytes(1 + i % 255 for i in range(_LONGEST_BODY + 100))
    made += [
        b"\0" + cobs.encode(long) + b"\0\0",
        bytes([_RECORDS]) + _record(_NOISE, cobs.encode(long), b"\0"),
    ]
    return made


def model() -> list[bytes]:
    """For fuzz_model: models that together have every kernel, encoding and kind of layer."""
    from tests.convert import mutants  # loads the converter

    return [sound.content for sound in mutants.sound_models()]


def commands() -> list[bytes]:
    """For fuzz_commands: what the benchmark's runner sends, and what it does not."""
    load = b"db load 48%db " + b"0f" * 24 + b"%db " + b"Fe" * 30 + b"%"
    return [
        b"name%profile%timestamp%help%results%" + load + b"infer 2 1%results%db print 20 40%db print%",
        load + b"infer%infer 19 0%infer 0%infer 1 x%infer 99999999999 1%",
        b"db%db load%db load 7%db 00%db load 48%db 0%db 0g%infer 1 1%%  %" + b"x" * 90 + b"%\r\n\x1bname \n%",
    ]


OF = {"link": link, "model": model, "commands": commands}
