"""Frames: both writers write the same bytes, and both readers find the same frames in any stream of bytes."""

import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeezenet_mcu.host_tools.link import frame
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from tests.protocol.link_binaries import LinkFunctions

MAX_PAYLOAD = frame.MAX_BODY - frame.OVERHEAD
FRAMES = st.builds(
    Frame,
    st.integers(0, 255),
    st.integers(0, 65535),
    st.one_of(st.binary(max_size=40), st.integers(0, MAX_PAYLOAD).map(lambda size: b"\x01" * size)),
)


@pytest.fixture(scope="module")
def functions():
    called = LinkFunctions()
    yield called
    called.close()


def read_in_cpp(functions: LinkFunctions, stream: bytes) -> list[Frame]:
    answer, found = functions.call("r", stream), []
    while answer:
        size = struct.unpack_from("<I", answer)[0]
        found.append(Frame(*struct.unpack_from("<BH", answer, 4), answer[7 : 4 + size]))
        answer = answer[4 + size :]
    return found


def as_fields(sent: Frame) -> bytes:
    return struct.pack("<BH", sent.type, sent.sequence) + sent.payload


@given(sent=FRAMES)
def test_there_and_back(functions, sent):
    wire = sent.encode()
    assert functions.call("w", as_fields(sent)) == wire
    assert wire[0] == wire[-1] == 0
    assert 0 not in wire[1:-1]
    assert len(wire) <= frame.encoded_size(len(sent.payload) + frame.OVERHEAD) <= frame.MAX_FRAME
    assert FrameReader().feed(wire) == [sent]
    assert read_in_cpp(functions, wire) == [sent]


def test_the_longest_frame_is_1024_bytes_and_one_more_is_refused(functions):
    longest = Frame(3, 0x0707, b"\x01" * MAX_PAYLOAD)
    assert len(longest.encode()) == frame.MAX_FRAME
    assert read_in_cpp(functions, longest.encode()) == [longest]
    longer = Frame(3, 0x0707, b"\x01" * (MAX_PAYLOAD + 1)).encode()
    assert FrameReader().feed(longer + longest.encode()) == [longest]
    assert read_in_cpp(functions, longer + longest.encode()) == [longest]


@given(sent=st.lists(FRAMES, max_size=4), cuts=st.lists(st.integers(0, 5000), max_size=5))
def test_any_division_of_the_stream(sent, cuts):
    wire = b"".join(each.encode() for each in sent)
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    reader = FrameReader()
    found = [each for start, end in itertools.pairwise(places) for each in reader.feed(wire[start:end])]
    assert found == sent


@settings(max_examples=200)
@given(pieces=st.lists(st.one_of(FRAMES, st.binary(max_size=60)), max_size=8))
def test_garbage_between_frames_costs_no_frame(functions, pieces):
    """Each frame starts with a delimiter, so whatever came before it cannot spoil it."""
    stream = b"".join(piece.encode() if isinstance(piece, Frame) else piece for piece in pieces)
    sent = [piece for piece in pieces if isinstance(piece, Frame)]
    assert FrameReader().feed(stream) == sent
    assert read_in_cpp(functions, stream) == sent


@settings(max_examples=300)
@given(
    sent=FRAMES,
    changes=st.lists(st.tuples(st.integers(0, 1100), st.integers(1, 255)), min_size=1, max_size=4),
    cut=st.integers(0, 3),
)
def test_a_damaged_frame_is_dropped(functions, sent, changes, cut):
    """Never read as another one: 4 changed bytes in 1 KB are within what a CRC-32 finds, or nearly always."""
    wire = bytearray(sent.encode())
    for place, mask in changes:
        wire[place % len(wire)] ^= mask
    damaged = bytes(wire[: len(wire) - cut])
    found = FrameReader().feed(damaged)
    assert found in ([], [sent])
    assert read_in_cpp(functions, damaged) == found


@settings(max_examples=300)
@given(
    stream=st.one_of(
        st.binary(max_size=3000), st.lists(st.sampled_from([0, 1, 2, 3, 255]), max_size=3000).map(bytes)
    )
)
def test_readers_agree_on_anything(functions, stream):
    assert read_in_cpp(functions, stream) == FrameReader().feed(stream)
