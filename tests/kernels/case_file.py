"""Cases for firmware_cpp/bench/cases.cc, laid out as bench/case_file.h says."""

import struct
from collections.abc import Iterable, Iterator

import numpy as np

_HEADER = struct.Struct("<4sIII")
_RECORD = struct.Struct("<IIII")


def _aligned(data: bytes, alignment: int = 16) -> bytes:
    return data + bytes(-len(data) % alignment)


def record(blob: bytes, image: np.ndarray, maps: list[np.ndarray]) -> bytes:
    """One case: a model, its image, and what each buffer's map must be."""
    blob_part = _aligned(blob)
    image_part = _aligned(image.tobytes())
    maps_part = _aligned(b"".join(m.tobytes() for m in maps))
    image_offset = _RECORD.size + len(blob_part)
    maps_offset = image_offset + len(image_part)
    head = _RECORD.pack(maps_offset + len(maps_part), len(blob), image_offset, maps_offset)
    return head + blob_part + image_part + maps_part


def case_file(first_id: int, records: list[bytes]) -> bytes:
    """The content of memory for cases numbered from `first_id`."""
    return _HEADER.pack(b"CASE", len(records), first_id, 0) + b"".join(records)


def chunks(records: Iterable[bytes], limit: int) -> Iterator[list[bytes]]:
    """Groups of records whose file has at most `limit` bytes."""
    group: list[bytes] = []
    size = _HEADER.size
    for item in records:
        if group and size + len(item) > limit:
            yield group
            group, size = [], _HEADER.size
        group.append(item)
        size += len(item)
    if group:
        yield group
