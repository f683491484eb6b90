"""The messages that ask what a device sees of an image: as in firmware_cpp/protocol/inspect.h."""

import struct
from dataclasses import dataclass
from enum import IntEnum


class What(IntEnum):
    """What of an image the device watches."""

    NOTHING = 0
    MAPS = 1  # of each feature map the CRC-32 of its rows, one after the other
    ROWS = 2  # of each row of a map, from `row` on, its CRC-32
    BYTES = 3  # bytes of a row, from `offset` on
    TIME = 4  # what each layer takes


@dataclass(frozen=True)
class Watch:
    """What to watch: `map` and `row` count from 0, `offset` is in bytes."""

    what: What = What.NOTHING
    map: int = 0
    row: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Watching:
    """WATCHING: the device watches `watch` from the next image on. `room`: bytes for what it sees."""

    watch: Watch
    maps: int
    layers: int
    room: int


@dataclass(frozen=True)
class SeenPart:
    """SEEN: of `total` entries those from `first` on, as bytes of the size that `watch.what` has."""

    image: int
    watch: Watch
    total: int
    first: int
    data: bytes


@dataclass(frozen=True)
class MapSeen:
    """A feature map, int8 [height, width, channels], as the device has made it: CRC-32 of all its rows."""

    height: int
    width: int
    channels: int
    crc: int


@dataclass(frozen=True)
class Spent:
    """What a layer took, in units of the device's counter, in so many `steps`."""

    count: int
    steps: int


_WATCH = struct.Struct("<BHHI")
_WATCHING = struct.Struct("<BHHIHHH")
_SEEN = struct.Struct("<IBHHIHH")
_SEEN_REQUEST = struct.Struct("<IH")
ENTRIES = {
    What.NOTHING: struct.Struct("<"),
    What.MAPS: struct.Struct("<HHHI"),
    What.ROWS: struct.Struct("<I"),
    What.BYTES: struct.Struct("<b"),
    What.TIME: struct.Struct("<QI"),
}


def watch(asked: Watch) -> bytes:
    """Payload of WATCH."""
    return _WATCH.pack(asked.what, asked.map, asked.row, asked.offset)


def seen(image: int, first: int) -> bytes:
    """Payload of SEEN."""
    return _SEEN_REQUEST.pack(image, first)


def parse_watching(payload: bytes) -> Watching:
    """WATCHING. ValueError or struct.error: it is not well formed."""
    what, at, row, offset, maps, layers, room = _WATCHING.unpack(payload)
    return Watching(Watch(What(what), at, row, offset), maps, layers, room)


def parse_seen(payload: bytes) -> SeenPart:
    """SEEN. ValueError or struct.error: it is not well formed."""
    image, what, at, row, offset, total, first = _SEEN.unpack_from(payload)
    part = SeenPart(image, Watch(What(what), at, row, offset), total, first, payload[_SEEN.size :])
    size = ENTRIES[part.watch.what].size
    if len(part.data) % size if size else part.data:
        raise ValueError
    return part
