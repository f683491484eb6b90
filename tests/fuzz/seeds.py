"""Sound inputs for each target, beside the committed corpus: what runs begin with."""

import hashlib
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


def _watched(what: int) -> bytes:
    """An image of which something is watched, and asked for (docs/inspect.md)."""
    watch = _record(0x06, struct.pack("<BHHI", what, 0, 1, 0))
    whole = _image(0, [(0, 12)])
    return whole[:1] + watch + whole[1:] + _record(0x07, struct.pack("<IH", _IMAGE, 0))


def _upload(golden: int) -> bytes:
    """A model that is sent in two pieces, one of them copied (docs/update.md); `golden`: 0: it is taken."""
    copied, sent = bytes([1, 2, 3]) + bytes(97), bytes(range(200))
    digest = hashlib.sha256(copied + sent).digest()
    sizes = struct.pack("<4I4H2I", 1, len(copied + sent), 0, 1000, 4, 4, 1, 10, 0xFFFFFFFF, golden)
    id_ = digest[:4]
    return bytes([_RECORDS | _HELLO]) + b"".join(
        (
            _record(0x10),
            _record(0x10, bytes([0]), sizes, digest, bytes(32 + 64)),
            _record(0x11, struct.pack("<HI", 64, 0)),
            _record(0x12, id_, _u32(0), struct.pack("<IIH", len(copied), 0, 0)),
            _record(0x13, id_, _u32(len(copied)), sent),
            _record(0x13, id_),
            _record(0x14, id_),
            _record(0x15, id_),
        )
    )


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
    for baud in (921_600, 921_601):  # one that the device can have; a cable cannot: then nothing sound comes
        fast = bytes([_RECORDS | _HELLO]) + _record(Request.SPEED, _u32(baud))
        made += [fast + _image(0, [(0, 12)])[1:], fast + _record(_NOISE, bytes(range(1, 80)))]
    long = bytes(1 + i % 255 for i in range(_LONGEST_BODY + 100))
    made += [
        b"\0" + cobs.encode(long) + b"\0\0",
        bytes([_RECORDS]) + _record(_NOISE, cobs.encode(long), b"\0"),
    ]
    return made


def handlers() -> list[bytes]:
    """For fuzz_handlers: the same, images that are watched, and uploads."""
    return [*link(), *(_watched(what) for what in range(6)), *(_upload(golden) for golden in (0, 1))]


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


OF = {"link": link, "model": model, "commands": commands, "handlers": handlers}
