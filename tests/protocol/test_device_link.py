"""The device's answers, request by request. The device: FakeApplication, 4 rows of 3 bytes, 10 classes."""

import itertools
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import (
    Cost,
    Counts,
    Data,
    DataBlock,
    ErrorCode,
    Info,
    Refusal,
    Request,
    State,
    Status,
)
from tests.protocol.link_binaries import FakeDevice, LinkFunctions, fake_answer, random_images

SESSION, IMAGE = 0x12345678, 77
PIXELS = random_images(1)[0]
DATA = PIXELS.tobytes()
HELLO = (Request.HELLO, messages.hello(SESSION))
BEGIN = (Request.BEGIN, messages.begin(IMAGE))
RESULT = (Request.RESULT, messages.begin(IMAGE))
# 2,048 bytes of receive buffer, 128 of them reserved; a row alone takes 3 + 15 + 1 + 2 bytes on the wire.
CREDIT = min(4, (2048 - 128) // 21)


def rows(start: int, end: int, image: int = IMAGE) -> tuple[Request, bytes]:
    return Request.ROWS, messages.rows(image, start, DATA[start:end])


def read(what: int, offset: int = 0, length: int = 10, image: int = IMAGE) -> tuple[Request, bytes]:
    return Request.READ, struct.pack("<IBIH", image, what, offset, length)


def status(next_byte: int, state: State = State.RECEIVING, credit: int = CREDIT) -> Status:
    return Status(SESSION, IMAGE, state, 0, next_byte, min(4, next_byte // 3 + credit))


@pytest.fixture(scope="module")
def functions():
    called = LinkFunctions()
    yield called
    called.close()


@pytest.fixture
def converse(functions):
    """Sends requests to a device just started; returns its replies, one for each."""

    def talk(*requests: tuple[int, bytes]) -> list[messages.Reply]:
        stream = b"".join(Frame(kind, 1000 + i, data).encode() for i, (kind, data) in enumerate(requests))
        frames = FrameReader().feed(functions.call("l", stream))
        assert [frame.sequence for frame in frames] == [1000 + i for i in range(len(requests))]
        replies = [messages.parse(frame) for frame in frames]
        assert None not in replies
        return replies

    return talk


def test_hello_tells_what_the_device_is(converse):
    (info,) = converse(HELLO)
    assert info == Info(
        version=2,
        session=SESSION,
        model_sha256="5a" * 32,
        height=4,
        width=3,
        channels=1,
        classes=10,
        max_frame=1024,
        window_bytes=2048 - 128,
        arena_bytes=1000,
        static_sram_bytes=2000,
        sram_total_bytes=131072,
        flash_used_bytes=3000,
        flash_total_bytes=1048576,
        counter_kind="cycles",
        counter_hz=168000000,
        build_id="b1d0020304050607",
        engine_sha256="e5" * 32,
        reset_cause="power-on",
        features=0,
        board="fake",
    )


def test_an_image(converse):
    logits, probabilities, count = fake_answer(PIXELS)
    replies = converse(HELLO, BEGIN, rows(0, 12), RESULT, read(0), read(1), read(0, 3, 2), read(0, 10, 0))
    assert replies[1:] == [
        status(0),
        status(12),
        Cost(IMAGE, count, 2077, 77),
        DataBlock(IMAGE, 0, 0, logits.tobytes()),
        DataBlock(IMAGE, 1, 0, probabilities.tobytes()),
        DataBlock(IMAGE, 0, 3, logits.tobytes()[3:5]),
        DataBlock(IMAGE, 0, 10, b""),
    ]


@settings(max_examples=60)
@given(cuts=st.lists(st.integers(1, 11), max_size=6, unique=True))
def test_rows_may_be_divided_anywhere(functions, cuts):
    places = [0, *sorted(cuts), 12]
    pieces = [rows(start, end) for start, end in itertools.pairwise(places)]
    stream = b"".join(Frame(kind, 5, data).encode() for kind, data in (HELLO, BEGIN, *pieces, read(0)))
    replies = [messages.parse(frame) for frame in FrameReader().feed(functions.call("l", stream))]
    assert [reply.next_byte for reply in replies if isinstance(reply, Status)] == places
    assert replies[-1] == DataBlock(IMAGE, 0, 0, fake_answer(PIXELS)[0].tobytes())


def test_every_request_is_idempotent(converse):
    """All twice: the second time changes nothing, and the answer is the same."""
    once = [HELLO, BEGIN, rows(0, 5), rows(5, 12), RESULT, read(0), read(1)]
    replies = converse(*(request for request in once for _ in range(2)))
    assert replies[5] == replies[4]
    done = Status(SESSION, IMAGE, State.DONE, 0, 12, 4)
    # The first answer goes out before the engine has run.
    assert (replies[6], replies[7]) == (status(12), done)
    for i in (0, 2, 8, 10, 12):
        assert replies[i] == replies[i + 1]
    assert replies[10].data == fake_answer(PIXELS)[0].tobytes()
    assert replies[9].count == fake_answer(PIXELS)[2]


def test_begin_and_hello_again_leave_the_image_alone(converse):
    replies = converse(HELLO, BEGIN, rows(0, 6), HELLO, BEGIN, rows(6, 12), read(0))
    assert replies[4] == status(6)
    assert replies[6] == DataBlock(IMAGE, 0, 0, fake_answer(PIXELS)[0].tobytes())


def test_a_gap_or_a_duplicate_names_the_byte_wanted(converse):
    replies = converse(HELLO, BEGIN, rows(3, 6), rows(0, 3), rows(0, 3), rows(6, 12), rows(2, 6), RESULT)
    assert replies[2:] == [status(0), status(3), status(3), status(3), status(3), status(3)]


def test_results_are_not_given_early(converse):
    assert converse(HELLO, BEGIN, rows(0, 11), RESULT, read(0))[3:] == [status(11), status(11)]


def test_a_new_image_drops_the_old(converse):
    other = (Request.BEGIN, messages.begin(IMAGE + 1))
    replies = converse(
        HELLO, BEGIN, rows(0, 7), other, rows(7, 12), rows(0, 12, IMAGE + 1), read(0, image=IMAGE + 1)
    )
    assert replies[3].next_byte == 0
    assert replies[4] == Refusal(ErrorCode.WRONG_IMAGE, IMAGE + 1)
    assert replies[6] == DataBlock(IMAGE + 1, 0, 0, fake_answer(PIXELS)[0].tobytes())


def test_a_new_session_drops_the_image(converse):
    again = (Request.HELLO, messages.hello(SESSION + 1))
    assert converse(HELLO, BEGIN, rows(0, 12), again, RESULT)[4] == Refusal(ErrorCode.WRONG_IMAGE, 0)


@pytest.mark.parametrize("request_", [BEGIN, rows(0, 12), RESULT, read(0), (9, b"")])
def test_nothing_before_hello(converse, request_):
    """So a host notices that the device was reset, whatever it asks next."""
    assert converse(request_) == [Refusal(ErrorCode.NO_SESSION, 0)]


@pytest.mark.parametrize("request_", [rows(0, 3), RESULT, read(0)])
def test_nothing_before_begin(converse, request_):
    assert converse(HELLO, request_)[1] == Refusal(ErrorCode.WRONG_IMAGE, 0)


def test_another_version_is_refused_whatever_its_hello_looks_like(converse):
    for payload in (b"\x01", b"\x00" + bytes(4), b"\x03" + bytes(range(60))):
        assert converse((Request.HELLO, payload)) == [Refusal(ErrorCode.VERSION, 2)]


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ((0x06, b""), Refusal(ErrorCode.UNKNOWN_TYPE, 0x06)),
        ((0x81, b"abc"), Refusal(ErrorCode.UNKNOWN_TYPE, 0x81)),
        ((Request.HELLO, b""), Refusal(ErrorCode.MALFORMED, 1)),
        ((Request.HELLO, messages.hello(0)), Refusal(ErrorCode.MALFORMED, 1)),
        ((Request.HELLO, messages.hello(1) + b"\0"), Refusal(ErrorCode.MALFORMED, 1)),
        ((Request.BEGIN, b"\0\0\0"), Refusal(ErrorCode.MALFORMED, 2)),
        ((Request.ROWS, messages.rows(IMAGE, 0, b"")), Refusal(ErrorCode.MALFORMED, 3)),
        ((Request.ROWS, messages.rows(IMAGE, 0, DATA + b"\0")), Refusal(ErrorCode.OUT_OF_RANGE, 12)),
        ((Request.ROWS, messages.rows(IMAGE + 1, 0, DATA)), Refusal(ErrorCode.WRONG_IMAGE, IMAGE)),
        ((Request.RESULT, b""), Refusal(ErrorCode.MALFORMED, 4)),
        ((Request.RESULT, messages.begin(IMAGE + 1)), Refusal(ErrorCode.WRONG_IMAGE, IMAGE)),
        ((Request.READ, b"\0" * 10), Refusal(ErrorCode.MALFORMED, 5)),
    ],
)
def test_refusals(converse, request_, refusal):
    assert converse(HELLO, BEGIN, request_)[2] == refusal


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (read(2), Refusal(ErrorCode.UNKNOWN_DATA, 2)),
        (read(0, 0, 11), Refusal(ErrorCode.OUT_OF_RANGE, 10)),
        (read(1, 10, 1), Refusal(ErrorCode.OUT_OF_RANGE, 10)),
        (read(1, 0xFFFFFFFF, 2), Refusal(ErrorCode.OUT_OF_RANGE, 10)),
        (read(0, 0, 0xFFFF), Refusal(ErrorCode.OUT_OF_RANGE, 10)),
    ],
)
def test_reads_out_of_range(converse, request_, refusal):
    assert converse(HELLO, BEGIN, rows(0, 12), request_)[3] == refusal


@settings(max_examples=300)
@given(
    requests=st.lists(
        st.one_of(
            st.sampled_from(
                [HELLO, BEGIN, RESULT, rows(0, 12), rows(0, 5), rows(5, 12), rows(3, 4), read(0)]
            ),
            st.tuples(st.integers(0, 255), st.binary(max_size=30)),
            st.builds(read, st.integers(0, 3), st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1)),
            st.builds(
                lambda offset, data: (Request.ROWS, messages.rows(IMAGE, offset, data)),
                st.one_of(st.integers(0, 13), st.integers(0, 2**32 - 1)),
                st.binary(max_size=20),
            ),
        ),
        max_size=15,
    ),
    garbage=st.binary(max_size=50),
)
def test_anything_at_all(functions, requests, garbage):
    """No fault under the sanitizers; one well-formed reply for each intact request; no invented answer."""
    stream = b"".join(garbage + Frame(kind, i, data).encode() for i, (kind, data) in enumerate(requests))
    frames = FrameReader().feed(functions.call("l", stream))
    assert [frame.sequence for frame in frames] == list(range(len(requests)))
    replies = [messages.parse(frame) for frame in frames]
    assert None not in replies
    for reply in replies:
        if isinstance(reply, Status):
            assert reply.next_byte <= 12
            assert reply.limit_row <= 4


@settings(max_examples=200)
@given(stream=st.binary(max_size=4000))
def test_noise(functions, stream):
    """Random bytes hold no frame with a right CRC: nothing is answered."""
    assert functions.call("l", stream) == b""


@pytest.mark.parametrize(
    ("row_bytes", "cost"),
    [(3, 3 + 15 + 1 + 2), (681, 681 + 15 + 3 + 2), (1002, 1024), (1003, 1024 + 1 + 15 + 1 + 2)],
)
def test_a_receive_buffer_too_small_for_a_row_is_refused_at_the_start(row_bytes, cost):
    """One row as frames of its own, and 128 bytes for probes."""
    enough = FakeDevice(width=row_bytes, receive_bytes=cost + 128)
    enough.close()
    refused = FakeDevice(width=row_bytes, receive_bytes=cost + 127)
    assert refused.process.wait(10) == 3
    assert refused.process.stderr.read() == b"refused\n"


def test_what_cannot_be_read_is_no_message():
    """The host's parser is as strict as the device's."""
    assert messages.parse(Frame(0x82, 0, b"\0" * 17)) is None
    assert messages.parse(Frame(0x82, 0, struct.pack("<IIBBII", 1, 2, 4, 0, 0, 0))) is None  # no such state
    assert messages.parse(Frame(0x81, 0, b"")) is None
    assert messages.parse(Frame(0x01, 0, messages.hello(1))) is None  # a request: an echo
    assert list(Data) == [0, 1]
    assert np.frombuffer(DATA, np.int8).shape == (12,)


def test_what_the_device_has_counted(converse, functions):
    """Bytes that its buffer had no room for (the fake one says 3), frames that it dropped, intact ones."""
    assert converse(HELLO, (Request.COUNTS, b""))[1] == Counts(3, 0, 2)
    assert converse(HELLO, (Request.COUNTS, b"x"))[1] == Refusal(ErrorCode.MALFORMED, Request.COUNTS)
    assert converse((Request.COUNTS, b""))[0] == Refusal(ErrorCode.NO_SESSION, 0)
    good = [Frame(*frame).encode() for frame in ((*HELLO[:1], 1, HELLO[1]), (Request.COUNTS, 2, b""))]
    damaged = bytearray(Frame(BEGIN[0], 3, BEGIN[1]).encode())
    damaged[5] ^= 1
    stream = good[0] + bytes(damaged) + b"\0\0\0" + b"noise\0" + good[1]
    replies = [messages.parse(frame) for frame in FrameReader().feed(functions.call("l", stream))]
    assert replies[1] == Counts(3, 2, 2)
