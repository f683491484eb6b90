"""The messages of the link, version 2: as in firmware_cpp/protocol/wire.h. docs/link.md says why."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from squeezenet_mcu.host_tools.link import faults, upload_messages, watch
from squeezenet_mcu.host_tools.link.faults import Fault
from squeezenet_mcu.host_tools.link.frame import MAX_BODY, MAX_FRAME, OVERHEAD, Frame, encoded_size
from squeezenet_mcu.host_tools.link.upload_messages import UploadMessage

VERSION = 2


class Request(IntEnum):
    """What the host sends."""

    HELLO = 0x01
    BEGIN = 0x02
    ROWS = 0x03
    RESULT = 0x04
    READ = 0x05
    WATCH = 0x06
    SEEN = 0x07
    COUNTS = 0x09
    SPEED = 0x0A
    LAST_FAULT = 0x0B


class State(IntEnum):
    """What the device does with the image."""

    IDLE = 0
    RECEIVING = 1
    DONE = 2
    FAILED = 3


class ErrorCode(IntEnum):
    """Why the device refused a request."""

    VERSION = 1
    UNKNOWN_TYPE = 2
    MALFORMED = 3
    NO_SESSION = 4
    WRONG_IMAGE = 5
    OUT_OF_RANGE = 6
    UNKNOWN_DATA = 7


class Data(IntEnum):
    """What READ can ask for: int8[classes] each."""

    LOGITS = 0
    PROBABILITIES = 1


MAX_NAME = 32  # bytes of the board's name
RESET_CAUSES = ("unknown", "power-on", "reset pin", "software", "watchdog", "fault")


class Feature(IntFlag):
    """What the firmware can do beside the image's requests."""

    LAYERS = 1 << 0
    PROFILE = 1 << 1
    UPLOAD = 1 << 2
    SPEED = 1 << 3
    SIGNED_MODELS_ONLY = 1 << 4


COUNTER_KINDS = ("instructions", "cycles", "microseconds")

_HELLO = struct.Struct("<BI")
_BEGIN = struct.Struct("<I")
_ROWS = struct.Struct("<II")
_READ = struct.Struct("<IBIH")
_INFO = struct.Struct("<BI32s4HHI5IBI8s32sBIB")
_STATUS = struct.Struct("<IIBBII")
_RESULT = struct.Struct("<IQII")
_DATA = struct.Struct("<IBI")
_COUNTS = struct.Struct("<III")
_SPEED = struct.Struct("<I")
_ERROR = struct.Struct("<BI")


def hello(session: int) -> bytes:
    """Payload of HELLO. `session`: the host's number for this conversation, not 0."""
    return _HELLO.pack(VERSION, session)


def begin(image: int) -> bytes:
    """Payload of BEGIN, and of RESULT."""
    return _BEGIN.pack(image)


def rows(image: int, offset: int, data: bytes) -> bytes:
    """Payload of ROWS: `data` belong at byte `offset` of the image."""
    return _ROWS.pack(image, offset) + data


def read(image: int, what: Data, offset: int, length: int) -> bytes:
    """Payload of READ."""
    return _READ.pack(image, what, offset, length)


def speed(baud: int) -> bytes:
    """Payload of SPEED."""
    return _SPEED.pack(baud)


def max_row_data(max_frame: int) -> int:
    """Image bytes that fit into one ROWS of at most `max_frame` bytes on the wire."""
    return max_payload(max_frame) - _ROWS.size


def max_read_data(max_frame: int) -> int:
    """Bytes that fit into one DATA of at most `max_frame` bytes on the wire."""
    return max_payload(max_frame) - _DATA.size


def max_payload(max_frame: int) -> int:
    """Bytes of payload in a frame of at most `max_frame` bytes on the wire."""
    body = min(MAX_BODY, max_frame)
    while encoded_size(body) > max_frame:
        body -= 1
    return body - OVERHEAD


@dataclass(frozen=True)
class Info:
    """INFO: what the device is. Sizes in bytes; counter_hz: ticks of its counter in a second."""

    version: int
    session: int
    model_sha256: str  # of the source .tflite, in hexadecimal
    height: int
    width: int
    channels: int
    classes: int
    max_frame: int
    window_bytes: int  # on the wire, unanswered, that the device has room for
    arena_bytes: int
    static_sram_bytes: int
    sram_total_bytes: int
    flash_used_bytes: int
    flash_total_bytes: int
    counter_kind: str  # "instructions", "cycles" or "microseconds"
    counter_hz: int
    build_id: str  # of the firmware: the first 8 bytes of its ELF's, in hexadecimal
    engine_sha256: str  # of the model that the engine runs, in hexadecimal
    reset_cause: str  # why the program has started, of RESET_CAUSES
    features: int  # bits of Feature; others are of newer firmware
    board: str

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of the input, int8."""
        return self.width * self.channels

    @property
    def image_bytes(self) -> int:
        """Bytes of the whole input."""
        return self.height * self.row_bytes


@dataclass(frozen=True)
class Status:
    """STATUS: where the device is. Rows below `limit_row` may be sent; `failure` is the engine's own code."""

    session: int
    image: int
    state: State
    failure: int
    next_byte: int
    limit_row: int


@dataclass(frozen=True)
class Cost:
    """RESULT: what the image cost. `count` in units of the counter; high-water marks in bytes."""

    image: int
    count: int
    sram_high_water: int
    stack_high_water: int


@dataclass(frozen=True)
class DataBlock:
    """DATA: a piece of the logits or probabilities."""

    image: int
    what: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Counts:
    """COUNTS: what the device has seen since it started, each modulo 2^32."""

    dropped_bytes: int  # received while its buffer was full, or too fast for its receiver
    damaged_frames: int
    requests: int  # intact ones


@dataclass(frozen=True)
class Speed:
    """SPEED: the baud rate that the device has once this has left; 0: not the one asked for."""

    baud: int


@dataclass(frozen=True)
class Refusal:
    """ERROR: the request was understood as a frame, but refused. What `detail` is depends on the code."""

    code: int
    detail: int


@dataclass(frozen=True)
class LastFault:
    """LAST_FAULT: the fault that the device's restart followed; None: none is known."""

    fault: Fault | None


Reply = (
    Info
    | Status
    | Cost
    | DataBlock
    | watch.Watching
    | watch.SeenPart
    | Counts
    | Speed
    | LastFault
    | Refusal
    | UploadMessage
)


def parse(frame: Frame) -> Reply | None:
    """The message in `frame`; None where it is none of a device's, or not well formed."""
    parser = _PARSERS.get(frame.type)
    try:
        return parser(frame.payload) if parser else None
    except (struct.error, ValueError, IndexError):
        return None


def _info(payload: bytes) -> Info:
    version, session, sha, *numbers, kind, counter_hz, build, engine, cause, features, length = (
        _INFO.unpack_from(payload)
    )
    height, width, channels, classes, max_frame, window_bytes, *sizes = numbers
    arena_bytes, static_sram_bytes, sram_total_bytes, flash_used_bytes, flash_total_bytes = sizes
    board = payload[_INFO.size :]
    if len(board) != length or length > MAX_NAME:
        raise ValueError
    info = Info(
        version=version,
        session=session,
        model_sha256=sha.hex(),
        height=height,
        width=width,
        channels=channels,
        classes=classes,
        max_frame=max_frame,
        window_bytes=window_bytes,
        arena_bytes=arena_bytes,
        static_sram_bytes=static_sram_bytes,
        sram_total_bytes=sram_total_bytes,
        flash_used_bytes=flash_used_bytes,
        flash_total_bytes=flash_total_bytes,
        counter_kind=COUNTER_KINDS[kind],
        counter_hz=counter_hz,
        build_id=build.hex(),
        engine_sha256=engine.hex(),
        reset_cause=RESET_CAUSES[cause],
        features=features,
        board="".join(chr(byte) if 32 <= byte < 127 else "?" for byte in board),
    )
    # Sizes that the sender of an image divides by or waits for.
    if (
        not info.image_bytes
        or not info.classes
        or not 64 <= info.max_frame <= MAX_FRAME
        or info.window_bytes < 64
    ):
        raise ValueError
    return info


def _status(payload: bytes) -> Status:
    session, image, state, failure, next_byte, limit_row = _STATUS.unpack(payload)
    return Status(session, image, State(state), failure, next_byte, limit_row)


def _data(payload: bytes) -> DataBlock:
    image, what, offset = _DATA.unpack_from(payload)
    return DataBlock(image, what, offset, payload[_DATA.size :])


_PARSERS: dict[int, Callable[[bytes], Reply]] = {
    0x81: _info,
    0x82: _status,
    0x84: lambda payload: Cost(*_RESULT.unpack(payload)),
    0x85: _data,
    0x86: watch.parse_watching,
    0x87: watch.parse_seen,
    0x89: lambda payload: Counts(*_COUNTS.unpack(payload)),
    0x8A: lambda payload: Speed(*_SPEED.unpack(payload)),
    0x8B: lambda payload: LastFault(faults.from_words(payload)),
    0xFF: lambda payload: Refusal(*_ERROR.unpack(payload)),
    **upload_messages.PARSERS,
}
