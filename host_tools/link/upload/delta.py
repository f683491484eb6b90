"""What of a new model a device has already: copies from the model that it runs, and the bytes between them.

The rsync idea (Tridgell and Mackerras, "The rsync algorithm", 1996): fixed blocks of the old bytes are looked
for at every offset of the new ones, first by a rolling sum, then by a strong hash. Where the host has the old
bytes itself it needs no hashes, takes small blocks, and lets each match grow to both sides.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.host_tools.link.upload_messages import STRONG_BYTES

SEED = 16  # bytes of a block, where the old bytes are here; a match has to hold one
LEAST_COPY = 24  # bytes; a shorter copy costs about as much as the bytes themselves
_MOST_PLACES = 8  # of the same block in the old model that are tried; zeros stand in many


@dataclass(frozen=True)
class Piece:
    """The next bytes of the new model: `length` from `source` on in the old one, then `data`."""

    source: int
    length: int
    data: bytes

    @property
    def size(self) -> int:
        """Bytes of the new model."""
        return self.length + len(self.data)


@dataclass(frozen=True)
class _Match:
    """The new model's bytes [start, end) are the old one's from `source` on."""

    start: int
    end: int
    source: int


def weak(block: bytes) -> int:
    """rsync's rolling sum of a block: u32."""
    return int(_all_weak(block, len(block))[0])


def strong(block: bytes) -> bytes:
    """The strong hash of a block: the first STRONG_BYTES of its SHA-256."""
    return hashlib.sha256(block).digest()[:STRONG_BYTES]


def _all_weak(data: bytes, size: int) -> npt.NDArray[np.uint32]:
    """`weak` of the `size` bytes from each offset on: [len(data) - size + 1]."""
    values = np.frombuffer(data, np.uint8).astype(np.int64)
    places = np.arange(len(values), dtype=np.int64)
    sums = np.concatenate([[0], np.cumsum(values)])
    weighted = np.concatenate([[0], np.cumsum(values * places)])  # below 2^63 for models of up to 1 GB
    count = len(values) - size + 1
    low = sums[size:] - sums[:count]
    # The byte at offset i + k counts size - k times.
    high = (size + places[:count]) * low - (weighted[size:] - weighted[:count])
    sums_of: npt.NDArray[np.uint32] = ((low & 0xFFFF) | ((high & 0xFFFF) << 16)).astype(np.uint32)
    return sums_of


def from_bytes(old: bytes, new: bytes) -> list[Piece]:
    """The pieces of `new`, where the host has the bytes that the device runs."""
    places: dict[bytes, list[int]] = {}
    for place in range(0, len(old) - SEED + 1, SEED):
        found = places.setdefault(old[place : place + SEED], [])
        if len(found) < _MOST_PLACES:
            found.append(place)
    matches, at, done = [], 0, 0
    while at + SEED <= len(new):
        candidates = places.get(new[at : at + SEED])
        if not candidates:
            at += 1
            continue
        grown = [_grown(old, new, at, place, done) for place in candidates]
        # The longest; of several the one that goes on where the last copy ended, or lies at the same place.
        best = max(grown, key=lambda match: (match.end - match.start, match.source == match.start))
        if best.end - best.start >= LEAST_COPY:
            matches.append(best)
            at = done = best.end
        else:
            at += 1
    return _pieces(new, matches)


def _grown(old: bytes, new: bytes, at: int, place: int, done: int) -> _Match:
    """The match of new[at] with old[place], as long as it can be; new[:done] has been found already."""
    back = 0
    while at - back > done and place - back > 0 and new[at - back - 1] == old[place - back - 1]:
        back += 1
    most, length, step = min(len(new) - at, len(old) - place), 0, 64
    while length < most:
        step = min(step, most - length)
        ours, theirs = new[at + length : at + length + step], old[place + length : place + length + step]
        if ours != theirs:
            differ = np.frombuffer(ours, np.uint8) != np.frombuffer(theirs, np.uint8)
            length += int(np.argmax(differ))
            break
        length += step
        step *= 2
    return _Match(at - back, at + length, place - back)


def from_hashes(hashes: Sequence[tuple[int, bytes]], block: int, new: bytes) -> list[Piece]:
    """The pieces of `new`, by what the device says of its blocks: `weak` and `strong` of each, in order."""
    if not hashes or len(new) < block:
        return _pieces(new, [])
    places: dict[tuple[int, bytes], int] = {}
    for i, pair in enumerate(hashes):
        places.setdefault(pair, i * block)
    sums = _all_weak(new, block)
    known = np.isin(sums, np.array([pair[0] for pair in hashes], np.uint32))
    matches: list[_Match] = []
    at = 0
    for candidate in np.flatnonzero(known):
        start = int(candidate)
        if start < at:
            continue
        pair = int(sums[start]), strong(new[start : start + block])
        last = matches[-1] if matches else None
        source = places.get(pair)
        if source is None:
            continue
        follows = last is not None and last.end == start
        if follows and last is not None and _goes_on(hashes, block, last, pair):
            matches[-1] = _Match(last.start, start + block, last.source)
        else:
            matches.append(_Match(start, start + block, source))
        at = start + block
    return _pieces(new, matches)


def _goes_on(hashes: Sequence[tuple[int, bytes]], block: int, last: _Match, pair: tuple[int, bytes]) -> bool:
    """Whether the block that follows the match in the old model is this one, too."""
    following = (last.source + last.end - last.start) // block
    return following < len(hashes) and hashes[following] == pair


def _pieces(new: bytes, matches: Sequence[_Match]) -> list[Piece]:
    pieces, at = [], 0
    if not matches or matches[0].start > 0:
        at = matches[0].start if matches else len(new)
        pieces.append(Piece(0, 0, new[:at]))
    for i, match in enumerate(matches):
        end = matches[i + 1].start if i + 1 < len(matches) else len(new)
        pieces.append(Piece(match.source, match.end - match.start, new[match.end : end]))
        at = end
    return pieces


def block_bytes(size: int) -> int:
    """Bytes of a block for a model of `size` bytes: the hashes of all, and half a block at each end of what
    differs, are together few. A power of two from 128 to 4,096.
    """
    block = 128
    while block < 4096 and block * block < (4 + STRONG_BYTES) * size // 4:
        block *= 2
    return block
