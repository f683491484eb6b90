"""The messages of an upload: as in firmware_cpp/protocol/upload.h and firmware_cpp/update/manifest.h."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

MANIFEST_VERSION = 1
MAX_COPY = 16384  # bytes of the new model that one COPY may make
STRONG_BYTES = 2  # of a block's SHA-256
LINKED = 0xFF  # in place of a slot: the model that is linked into the firmware

_SIGNED = struct.Struct("<IIIIHHHHII32s32s")
_FIELDS = (
    "size", "counter", "arena_bytes", "height", "width", "channels", "classes", "kernels", "golden_crc32",
    "sha256", "source_sha256",
)  # fmt: skip
_SIGNATURE_BYTES = 64
_STATE = struct.Struct("<IBBIII")
_HELD = struct.Struct("<32sIBBIIIII8sI8s")
_HASHES = struct.Struct("<HI")
_HASH = struct.Struct(f"<I{STRONG_BYTES}s")
_PIECE = struct.Struct("<IIH")
PIECE_HEADER = _PIECE.size


class UploadRequest(IntEnum):
    """What the host sends."""

    OFFER = 0x10
    HASHES = 0x11
    COPY = 0x12
    DATA = 0x13
    FINISH = 0x14
    CANCEL = 0x15


class UploadState(IntEnum):
    """Where the upload is."""

    IDLE = 0
    RECEIVING = 1
    DONE = 2
    REFUSED = 3


class UploadReason(IntEnum):
    """Why the device refuses a model; upload.h says what `seen` and `wanted` are."""

    NONE = 0
    TOO_LARGE = 1
    OLDER = 2
    MANIFEST = 3
    FORMAT = 4
    SIZE = 5
    CHANNELS = 6
    ARENA = 7
    KERNELS = 8
    SIGNATURE = 9
    NOT_BEGUN = 10
    INCOMPLETE = 11
    TOO_MUCH = 12
    WRONG_SHA = 13
    MODEL = 14
    ANSWER = 15
    FLASH = 16
    NO_SLOTS = 17
    OTHER_MODEL = 18
    UNCONFIRMED = 19


@dataclass(frozen=True)
class Manifest:
    """What the host says of a model before it sends it.

    `kernels`: a bit for each that it needs, as firmware_cpp/engine/built_kernels.h says; `golden_crc32`: of
    the logits of the image that the model's own bytes make; `sha256`: of the model, `source_sha256`: of its
    .tflite; `signature`: over all before it, zeros where it is not signed.
    """

    size: int
    counter: int
    arena_bytes: int
    height: int
    width: int
    channels: int
    classes: int
    kernels: int
    golden_crc32: int
    sha256: bytes
    source_sha256: bytes
    signature: bytes = bytes(_SIGNATURE_BYTES)
    version: int = MANIFEST_VERSION

    def signed_part(self) -> bytes:
        """The bytes that the signature is over."""
        return _SIGNED.pack(
            self.version, self.size, self.counter, self.arena_bytes, self.height, self.width, self.channels,
            self.classes, self.kernels, self.golden_crc32, self.sha256, self.source_sha256,
        )  # fmt: skip

    def pack(self) -> bytes:
        """All of it, 160 bytes."""
        return self.signed_part() + self.signature

    @property
    def id(self) -> int:
        """By which the requests of its upload name it."""
        return int.from_bytes(self.sha256[:4], "little")

    @classmethod
    def parse(cls, data: bytes) -> "Manifest | None":
        """What pack() has made; None where it is not of this version."""
        if len(data) != _SIGNED.size + _SIGNATURE_BYTES:
            return None
        version, *fields = _SIGNED.unpack_from(data)
        if version != MANIFEST_VERSION:
            return None
        return cls(signature=data[_SIGNED.size :], **dict(zip(_FIELDS, fields, strict=True)))


@dataclass(frozen=True)
class Held:
    """HELD: what the device holds and takes. Sizes in bytes."""

    sha256: bytes  # of the model that runs
    size: int  # of that
    slot: int  # it lies in, or LINKED
    slots: int  # that the board has
    capacity: int  # most that a new model may have
    counter: int  # least that a new model must have
    arena_bytes: int
    kernels: int  # as in Manifest
    erase_ms: int  # the flash's slowest sector takes
    key: bytes  # the first 8 of the public key whose owner's models alone are taken; zeros: everybody's
    pending_bytes: int  # of an interrupted upload
    pending: bytes  # the first 8 of its SHA-256; zeros: there is none


@dataclass(frozen=True)
class UploadStatus:
    """UPLOAD_STATE: where the device is; `received` bytes of the new model are there."""

    id: int
    state: UploadState
    reason: UploadReason
    received: int
    seen: int
    wanted: int


@dataclass(frozen=True)
class Hashes:
    """HASHES: of the running model's blocks of `block` bytes, from number `first` on: rolling sum, strong."""

    block: int
    first: int
    pairs: tuple[tuple[int, bytes], ...]


UploadMessage = Held | UploadStatus | Hashes


def offer(manifest: Manifest, only_check: bool) -> bytes:
    """Payload of OFFER with a manifest; without a payload OFFER asks for HELD."""
    return bytes([only_check]) + manifest.pack()


def hashes(block: int, first: int) -> bytes:
    """Payload of HASHES."""
    return _HASHES.pack(block, first)


def of_upload(upload: int) -> bytes:
    """Payload of FINISH, CANCEL, and of a DATA that only asks. `upload`: a Manifest's id."""
    return upload.to_bytes(4, "little")


def at(upload: int, offset: int) -> bytes:
    """What the payloads of DATA and COPY begin with: the new model's bytes go on at `offset`."""
    return of_upload(upload) + offset.to_bytes(4, "little")


def piece(length: int, source: int, data: bytes) -> bytes:
    """A piece of COPY: `length` bytes from `source` of the running model on, then `data`."""
    return _PIECE.pack(length, source, len(data)) + data


def _state(payload: bytes) -> UploadStatus:
    upload, state, reason, *rest = _STATE.unpack(payload)
    return UploadStatus(upload, UploadState(state), UploadReason(reason), *rest)


def _hashes(payload: bytes) -> Hashes:
    block, first = _HASHES.unpack_from(payload)
    return Hashes(block, first, tuple(_HASH.iter_unpack(payload[_HASHES.size :])))


PARSERS: dict[int, Callable[[bytes], UploadMessage]] = {
    0x90: _state,
    0x91: _hashes,
    0x92: lambda payload: Held(*_HELD.unpack(payload)),
}
"""By the reply's type. struct.error or ValueError: it is not well formed."""
