"""Many images, one behind the other: in order, all right, and the line is busy while the device computes."""

import time

import pytest

from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import Request
from tests.host_tools.link.link_lines import LossyLine
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images

OPTIONS = {"height": 28, "width": 28, "receive_bytes": 2048}
IMAGES = random_images(8, 28, 28)


class Watched:
    """A line that notes the types of the frames that pass, and loses those numbered `lost` of a type."""

    def __init__(self, device: FakeDevice, lost: dict[int, set[int]] | None = None) -> None:
        self.name = device.name
        self._device = device
        self._lost = lost or {}
        self._requests, self._replies = FrameReader(), FrameReader()
        self.seen: list[int] = []
        self.order: list[tuple[int, int]] = []  # type, the image's number from 0
        self._images: list[bytes] = []

    def _passes(self, frame: Frame) -> bool:
        kind, image = frame.type, frame.payload[:4]
        if kind == Request.BEGIN and image not in self._images:
            self._images.append(image)
        if image in self._images:
            self.order.append((kind, self._images.index(image)))
        self.seen.append(kind)
        return self.seen.count(kind) - 1 not in self._lost.get(kind, ())

    def write(self, data: bytes) -> None:
        for frame in self._requests.feed(data):
            if self._passes(frame):
                self._device.write(frame.encode())

    def read(self, timeout: float) -> bytes:
        frames = self._replies.feed(self._device.read(timeout))
        return b"".join(frame.encode() for frame in frames if self._passes(frame))

    def close(self) -> None:
        self._device.close()


def run(line, images=IMAGES, **options) -> Device:
    with Device(line, timeout=5.0, **{"first_wait": 0.05} | options) as device:
        results = list(device.infer_many(images))
        assert len(results) == len(images)
        for image, result in zip(images, results, strict=True):
            assert_right(result, image)
    return device


def test_the_next_image_travels_before_this_ones_results_are_in():
    line = Watched(FakeDevice(**OPTIONS, row_microseconds=1000))
    device = run(line, first_wait=2.0)
    rows = [line.order.index((Request.ROWS, i)) for i in range(len(IMAGES))]
    results = [line.order.index((0x84, i)) for i in range(len(IMAGES))]
    assert all(start < end for start, end in zip(rows[1:], results[:-1], strict=True))
    assert (device.statistics.images_again, device.statistics.lost) == (0, 0)


def test_the_receive_buffer_does_not_overflow():
    fake = FakeDevice(**OPTIONS | {"receive_bytes": 512}, row_microseconds=500)
    run(fake, first_wait=0.002)
    assert (fake.dropped, fake.peak <= 512) == (0, True)


@pytest.mark.parametrize("kind", [Request.BEGIN, Request.RESULT, Request.READ, 0x82, 0x84, 0x85])
def test_what_gets_lost_is_sent_again(kind):
    """Also an image whose answer is lost after the next one has begun."""
    line = Watched(FakeDevice(**OPTIONS), {kind: {3}})
    device = run(line)
    assert device.statistics.restarts == 0
    assert device.statistics.images_again == (kind in (Request.RESULT, Request.READ, 0x84, 0x85))


def test_a_board_that_boots_is_no_bad_line():
    """It hears no HELLO for a while; the frames are as large as ever after that."""
    line = Watched(FakeDevice(**OPTIONS), {Request.HELLO: {0, 1, 2}})
    device = run(line, IMAGES[:1], first_wait=0.02)
    assert line.seen.count(Request.HELLO) >= 4
    assert (line.seen.count(Request.ROWS), device.statistics.lost) == (2, 0)


def test_resets_at_any_moment():
    clean = LossyLine(FakeDevice(**OPTIONS), seed=0, rate=0.0)
    run(clean, IMAGES[:3], first_wait=2.0)
    for moment in range(1, clean.written):
        fake = FakeDevice(**OPTIONS)
        run(LossyLine(fake, seed=0, rate=0.0, reset_at=[moment]), IMAGES[:3])
        assert fake.resets == 1


def test_a_caller_that_takes_long_is_not_the_devices_fault():
    with Device(FakeDevice(**OPTIONS), timeout=0.5, image_timeout=0.5) as device:
        for image, result in zip(IMAGES[:3], device.infer_many(IMAGES[:3]), strict=True):
            assert_right(result, image)
            time.sleep(0.6)
        assert device.statistics.longest < 0.5


def test_a_caller_that_stops_and_starts_again():
    with Device(FakeDevice(**OPTIONS), timeout=2.0, first_wait=0.05) as device:
        assert_right(next(device.infer_many(IMAGES)), IMAGES[0])
        assert_right(device.infer(IMAGES[5]), IMAGES[5])
        assert list(device.infer_many([])) == []
