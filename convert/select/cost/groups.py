"""Chunks of what the scratch holds, and groups of three or two in them: gemm.h, conv_winograd_rows.cc."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Groups:
    """Of a call: `largest` of its chunks, and how many threes and twos all chunks have."""

    chunks: int
    largest: int
    threes: int
    twos: int


def _of_a_chunk(count: int) -> tuple[int, int]:
    if count < 3:
        return 0, 1
    twos = (3 - count % 3) % 3
    return (count - 2 * twos) // 3, twos


def groups_of(count: int, fitting: int) -> Groups:
    """Of `count` pixels or tiles, of which `fitting`, at least 3, fit at once."""
    chunk = count
    if fitting < count:
        even = -(-count // -(-count // fitting))
        even = -(-even // 3) * 3
        chunk = even if even <= fitting else fitting // 3 * 3
    whole, rest = divmod(count, chunk)
    threes, twos = (whole * n for n in _of_a_chunk(chunk))
    if rest:
        more, again = _of_a_chunk(rest)
        threes, twos = threes + more, twos + again
    return Groups(whole + (rest > 0), chunk, threes, twos)
