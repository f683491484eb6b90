"""Devices that lie: each ends in the right error, of one line, and in time."""

import os
import struct
import time

import numpy as np
import pytest

from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import (
    DamagedError,
    LinkTimeoutError,
    RefusedError,
    VersionError,
)
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.images import transfer
from squeezenet_mcu.host_tools.link.messages import VERSION, Request
from tests.host_tools.link.link_lines import Talker

_INFO = struct.Struct("<BI32s4HHI5IBI8s32sBIB")  # docs/link.md, INFO
_STATUS = struct.Struct("<IIBBII")
INFO, STATUS, REFUSED = 0x81, 0x82, 0xFF


def info(session: int, version: int = VERSION, board: bytes = b"fake") -> bytes:
    """A device of 4 x 4 x 1 pixels and 3 classes."""
    numbers = (4, 4, 1, 3, 1024, 4096, 1, 1, 1, 1, 1, 0, 1, bytes(8), bytes(32), 0, 0, len(board))
    return _INFO.pack(version, session, bytes(32), *numbers) + board


def session_of(frame: Frame) -> int:
    return struct.unpack("<BI", frame.payload)[1]


def talker(answer) -> Talker:
    """`answer`: from a request's frame to the bytes that come back."""

    def told(data: bytes) -> bytes:
        return b"".join(answer(frame) for frame in FrameReader().feed(data))

    return Talker(told)


def reply(frame: Frame, kind: int, payload: bytes) -> bytes:
    return Frame(kind, frame.sequence, payload).encode()


def greeting(then, **changed):
    """A right INFO, `then` whatever else is asked."""
    session = 0

    def answer(frame: Frame) -> bytes:
        nonlocal session
        if frame.type != Request.HELLO:
            return then(frame, session)
        session = session_of(frame)
        return reply(frame, INFO, info(session, **changed))

    return answer


def status(frame: Frame, session: int, next_byte: int = 0, limit_row: int = 0) -> bytes:
    (image,) = struct.unpack_from("<I", frame.payload)
    return reply(frame, STATUS, _STATUS.pack(session, image, 1, 0, next_byte, limit_row))


def damaged(frame: Frame, session: int) -> bytes:
    data = bytearray(reply(frame, STATUS, bytes(_STATUS.size)))
    data[-2] ^= 0x55
    return bytes(data)


_NO_HELLO = "not to this program's HELLO"
HELLO_LIES = {
    "another session's INFO": (lambda f: reply(f, INFO, info(12345)), DamagedError, _NO_HELLO),
    "STATUS for HELLO": (lambda f: reply(f, STATUS, bytes(18)), DamagedError, _NO_HELLO),
    "INFO of version 7": (
        lambda f: reply(f, INFO, info(session_of(f), version=7)), VersionError, "speaks version 7 of",
    ),
    "malformed, it says": (
        lambda f: reply(f, REFUSED, bytes([3, 0, 0, 0, 0])), RefusedError, "refused HELLO: malformed",
    ),
    "an INFO cut off": (lambda f: reply(f, INFO, info(session_of(f))[:-3]), DamagedError, "malformed"),
    "no rows": (
        lambda f: reply(f, INFO, info(session_of(f))[:37] + bytes(2) + info(0)[39:]),
        DamagedError, "malformed",
    ),
}  # fmt: skip
IMAGE_LIES = {
    "nothing": (lambda f, s: b"", LinkTimeoutError, "check cable"),
    "noise": (lambda f, s: os.urandom(60) + b"\0", DamagedError, "are not this link's"),
    "damaged frames": (damaged, DamagedError, "are not this link's"),
    "never a row": (status, LinkTimeoutError, "answers, but takes nothing"),
    "echo": (lambda f, s: f.encode(), DamagedError, "only echoes"),
    "an unknown refusal": (
        lambda f, s: reply(f, REFUSED, bytes([99, 0, 0, 0, 0])), RefusedError, "unknown (99, 0)",
    ),
}  # fmt: skip


def ends(error, kind, message, began, within):
    assert error.type is kind, str(error.value)
    assert message in str(error.value)
    assert str(error.value).isprintable()
    assert time.monotonic() - began < within


@pytest.mark.parametrize("lie", HELLO_LIES)
def test_a_lie_instead_of_a_greeting(lie):
    answer, kind, message = HELLO_LIES[lie]
    began = time.monotonic()
    with pytest.raises(Exception) as error:
        Device(talker(answer), timeout=0.5, first_wait=0.05)
    ends(error, kind, message, began, within=5)


@pytest.mark.parametrize("lie", IMAGE_LIES)
def test_a_lie_during_an_image(lie, monkeypatch):
    monkeypatch.setattr(transfer, "_FRUITLESS_SECONDS", 0.5)
    answer, kind, message = IMAGE_LIES[lie]
    began = time.monotonic()
    device = Device(talker(greeting(answer)), timeout=0.5, first_wait=0.05)
    with pytest.raises(Exception) as error:
        device.infer(np.zeros((4, 4, 1), np.int8))
    ends(error, kind, message, began, within=5)


def test_a_boards_name_cannot_steer_the_terminal():
    line = talker(greeting(lambda f, s: b"", board=b"\x1b[31mred\nboard\x07"))
    with Device(line, timeout=0.5, first_wait=0.05) as device:
        assert device.info.board == "?[31mred?board?"


def test_a_window_of_4_gigabytes_is_not_filled():
    written = 0
    height, width = 300, 1000

    def answer(frame: Frame) -> bytes:
        if frame.type == Request.HELLO:
            numbers = (
                height,
                width,
                1,
                3,
                1024,
                2**32 - 1,
                1,
                1,
                1,
                1,
                1,
                0,
                1,
                bytes(8),
                bytes(32),
                0,
                0,
                0,
            )
            return reply(frame, INFO, _INFO.pack(VERSION, session_of(frame), bytes(32), *numbers))
        return b""

    def told(data: bytes) -> bytes:
        nonlocal written
        (frame,) = FrameReader().feed(data)
        written += len(data)
        if frame.type == Request.BEGIN and written < 500:
            return status(frame, device._session, limit_row=height)
        return answer(frame)

    device = Device(Talker(told), timeout=0.3, first_wait=0.05)
    with pytest.raises(LinkTimeoutError):
        device.infer(np.zeros((height, width, 1), np.int8))
    assert 20_000 < written < 100_000


def test_ten_seconds_are_enough_for_a_device_that_takes_nothing():
    assert transfer._FRUITLESS_SECONDS <= 10
