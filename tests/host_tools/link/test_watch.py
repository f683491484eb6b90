"""What a device sees of an image: asked, fetched, lost with a reset. The device: tests/protocol/watched.h."""

import struct
import time
import zlib
from dataclasses import replace

import pytest

from squeezenet_mcu.host_tools.link import messages, watch
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import DamagedError, RefusedError
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.watch import Watch, What
from squeezenet_mcu.host_tools.link.watched.asking import Asking, CannotWatchError
from tests.host_tools.link.link_lines import LossyLine
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images
from tests.protocol.watched_device import ROOM, SHAPES, WatchedDevice, watched_maps

IMAGE = random_images(1)[0]
MAPS = watched_maps(IMAGE)


@pytest.fixture
def device():
    with Device(WatchedDevice(), timeout=10.0) as opened:
        yield opened


def test_maps_by_their_crcs(device):
    seen = device.layers(IMAGE)
    assert [(m.height, m.width, m.channels) for m in seen] == list(SHAPES)
    assert [m.crc for m in seen] == [zlib.crc32(values.tobytes()) for values in MAPS]


def test_rows_by_their_crcs(device):
    for first in (0, 1, 150, 299):
        result, seen = device.infer_watched(IMAGE, Watch(What.ROWS, 1, first))
        assert_right(result, IMAGE)
        wanted = [(zlib.crc32(row.tobytes()),) for row in MAPS[1][first:][: ROOM // 4]]
        assert seen == wanted


def test_bytes_of_a_row(device):
    for offset, length in ((0, 512), (512, 188), (699, 1)):
        seen = device.infer_watched(IMAGE, Watch(What.BYTES, 1, 299, offset))[1]
        assert [value for (value,) in seen] == MAPS[1][299, offset : offset + length].tolist()


def test_time_without_what_the_counter_takes(device):
    for _ in range(2):
        spent = device.profile(IMAGE)
        assert [(part.count, part.steps) for part in spent] == [(80_000, 4), (12_000_000_000, 4), (4_056, 12)]


def test_an_image_after_a_watched_one_is_not_watched(device):
    device.layers(IMAGE)
    assert_right(device.infer(IMAGE), IMAGE)
    asking = Asking(device._exchange, device.info, device._patience.begin())
    assert asking.seen(device._image, Watch(What.MAPS)) is None


def test_a_new_session_watches_nothing():
    class Line(WatchedDevice):
        def close(self):
            """Stays open for the next host."""

    line = Line()
    with Device(line, timeout=10.0) as first:
        Asking(first._exchange, first.info, first._patience.begin()).watch(Watch(What.MAPS))
    with Device(line, timeout=10.0) as second:
        second.infer(IMAGE)
        asking = Asking(second._exchange, second.info, second._patience.begin())
        assert asking.seen(second._image, Watch(What.MAPS)) is None
    FakeDevice.close(line)


@pytest.mark.parametrize(
    "asked", [Watch(What.ROWS, 3), Watch(What.ROWS, 1, 300), Watch(What.BYTES, 2, 0, 10)]
)
def test_what_is_not_there_is_refused(device, asked):
    with pytest.raises(RefusedError, match="refused WATCH: unknown data"):
        device.infer_watched(IMAGE, asked)


def test_firmware_without_it_is_named():
    with Device(FakeDevice(), timeout=10.0) as device:
        assert not device.watches()
        with pytest.raises(CannotWatchError, match="make flash BOARD=fake INSPECT=1"):
            device.layers(IMAGE)
        assert_right(device.infer(IMAGE), IMAGE)


@pytest.mark.parametrize("reset", range(10))
def test_resets_on_the_way(reset):
    """Whichever request meets a device that has just been reset, of HELLO, WATCH, the image, SEEN."""
    line = LossyLine(WatchedDevice(), seed=1, rate=0.0, reset_at={reset})
    with Device(line, timeout=10.0, first_wait=0.02) as device:
        assert [m.crc for m in device.layers(IMAGE)] == [zlib.crc32(values.tobytes()) for values in MAPS]


def test_a_late_answer_to_what_was_asked_before(device):
    device._exchange.send(messages.Request.WATCH, watch.watch(Watch()), tag=b"before")
    asking = Asking(device._exchange, device.info, device._patience.begin())
    assert asking.watch(Watch(What.MAPS)).watch == Watch(What.MAPS)


def test_an_image_that_takes_nearly_all_of_its_time(monkeypatch):
    with Device(WatchedDevice(), timeout=10.0, image_timeout=2.5) as device:
        infer = device.infer

        def slowly(image):
            time.sleep(2.6)
            return infer(image)

        monkeypatch.setattr(device, "infer", slowly)
        assert len(device.layers(IMAGE)) == 3


def test_a_lossy_line():
    with Device(LossyLine(WatchedDevice(), seed=3, rate=0.003), timeout=30.0, first_wait=0.01) as device:
        for row in range(0, 300, 60):
            seen = device.infer_watched(IMAGE, Watch(What.BYTES, 1, row))[1]
            assert [value for (value,) in seen] == MAPS[1][row, :512].tolist()


class Liar:
    """A line to a device whose SEEN another program writes."""

    name = "liar"

    def __init__(self, lie) -> None:
        self._device, self._lie, self._frames = WatchedDevice(), lie, FrameReader()

    def write(self, data: bytes) -> None:
        self._device.write(data)

    def close(self) -> None:
        self._device.close()

    def read(self, timeout: float) -> bytes:
        frames = self._frames.feed(self._device.read(timeout))
        return b"".join(
            (replace(f, payload=self._lie(f.payload)) if f.type == 0x87 else f).encode() for f in frames
        )


@pytest.mark.parametrize(
    "lie",
    [
        lambda payload: payload[:17],  # no entries: for ever
        lambda payload: payload[:13] + struct.pack("<H", 1) + payload[15:],  # more than all of them
        lambda payload: payload[:15] + b"\x01" + payload[16:],  # from another one on
        lambda payload: bytes([payload[0] ^ 1]) + payload[1:],  # of another image
    ],
)
def test_lies_end(lie):
    with (
        Device(Liar(lie), timeout=10.0) as device,
        pytest.raises(DamagedError, match="has seen other things than it was asked for"),
    ):
        device.layers(IMAGE)


def test_messages_that_are_none():
    good = struct.pack("<IBHHIHH", 1, What.ROWS, 0, 0, 0, 2, 0)
    assert messages.parse(Frame(0x87, 0, good + bytes(8))) == watch.SeenPart(
        1, Watch(What.ROWS), 2, 0, bytes(8)
    )
    for bad in (
        good + bytes(7),
        good[:-1],
        good[:4] + b"\x05" + good[5:],
        good[:4] + b"\0" + good[5:] + b"x",
    ):
        assert messages.parse(Frame(0x87, 0, bad)) is None
    for bad in (bytes(14), bytes(16), b"\x05" + bytes(14)):
        assert messages.parse(Frame(0x86, 0, bad)) is None
    assert messages.parse(Frame(0x86, 0, bytes(15))) == watch.Watching(Watch(), 0, 0, 0)


def answered(device: Device, kind: messages.Request, payload: bytes) -> messages.Reply:
    """To this request: one before may have been asked twice, and be answered now."""
    device._exchange.send(kind, payload, tag="this")
    while match := device._exchange.receive(10.0):
        if match[0].tag == "this":
            return match[1]
    raise AssertionError("no answer")


@pytest.mark.parametrize("size", [0, 8, 10])
def test_malformed_requests(size):
    with Device(WatchedDevice(), timeout=10.0) as device:
        for kind in (messages.Request.WATCH, messages.Request.SEEN):
            reply = answered(device, kind, bytes(size))
            assert reply == messages.Refusal(messages.ErrorCode.MALFORMED, kind)
        unknown = watch.watch(Watch()).replace(b"\0", b"\x05", 1)
        reply = answered(device, messages.Request.WATCH, unknown)
        assert reply == messages.Refusal(messages.ErrorCode.UNKNOWN_DATA, 5)
        assert_right(device.infer(IMAGE), IMAGE)
