"""What of a new model travels: pieces that make it again from the old one, whatever differs."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from squeezenet_mcu.host_tools.link.upload import delta
from squeezenet_mcu.host_tools.link.upload.delta import Piece

# Alike in many places: few different bytes, and edits of one another.
_bytes = st.lists(st.sampled_from([b"\0", b"\1", b"abc", bytes(40), bytes(range(64))]), max_size=40).map(
    b"".join
)


def made(old: bytes, pieces: list[Piece]) -> bytes:
    return b"".join(old[p.source : p.source + p.length] + p.data for p in pieces)


def hashes(old: bytes, block: int) -> list[tuple[int, bytes]]:
    blocks = [old[i : i + block] for i in range(0, len(old) - block + 1, block)]
    return [(delta.weak(part), delta.strong(part)) for part in blocks]


def edited(old: bytes, seed: int) -> bytes:
    """Bytes changed, put in, and left out."""
    generator = random.Random(seed)
    new = bytearray(old)
    for _ in range(5):
        at = generator.randrange(len(new))
        new[at : at + generator.randrange(30)] = generator.randbytes(generator.randrange(30))
    return bytes(new)


@given(_bytes, _bytes, st.sampled_from([16, 64]))
def test_the_pieces_make_the_new_model(old, new, block):
    assert made(old, delta.from_bytes(old, new)) == new
    assert made(old, delta.from_hashes(hashes(old, block), block, new)) == new


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_what_did_not_change_is_found_wherever_it_has_moved_to(seed):
    old = random.Random(seed + 10_000).randbytes(20_000)
    new = edited(old, seed)
    known, hashed = delta.from_bytes(old, new), delta.from_hashes(hashes(old, 128), 128, new)
    assert made(old, known) == made(old, hashed) == new
    assert sum(len(piece.data) for piece in known) <= 5 * 30
    assert sum(len(piece.data) for piece in hashed) <= 5 * (30 + 2 * 128)


def test_equal_models_are_one_copy():
    old = random.Random(1).randbytes(5000)
    assert delta.from_bytes(old, old) == [Piece(0, 5000, b"")]
    assert delta.from_hashes(hashes(old, 128), 128, old) == [Piece(0, 4992, old[4992:])]
    assert delta.from_bytes(b"", b"new") == delta.from_hashes([], 128, b"new") == [Piece(0, 0, b"new")]


def test_the_rolling_sum_is_that_of_rsync():
    """By its definition, not by sums that roll."""
    data = random.Random(2).randbytes(300)
    for at in (0, 1, 99):
        block = data[at : at + 64]
        low, high = sum(block), sum((64 - i) * byte for i, byte in enumerate(block))
        assert delta.weak(block) == (low & 0xFFFF) | (high & 0xFFFF) << 16


def test_blocks_grow_with_the_model():
    sizes = [delta.block_bytes(size) for size in (0, 1000, 16_000, 470_000, 1 << 30)]
    assert sizes == sorted(sizes) and sizes[0] == 128 and sizes[-1] == 4096
