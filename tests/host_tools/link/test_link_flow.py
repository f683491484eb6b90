"""Flow control: the device's receive buffer never overflows, and the line does not idle."""

import numpy as np
import pytest

from squeezenet_mcu.host_tools.link import exchange
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import RefusedError
from squeezenet_mcu.host_tools.link.exchange import MAX_PROBES, waits
from tests.host_tools.link.link_lines import TightLine, WatchedLine
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images

SHAPES = [
    # height, width, channels, receive buffer, at most so many ROWS frames
    (28, 28, 1, 512, 7),  # 8 rows of credit, 4 a frame
    (28, 28, 1, 2048, 2),
    (32, 32, 3, 1024, 11),  # 7 rows of credit, 3 a frame
    (40, 227, 3, 2048, 40),  # 2 rows of credit, a row a frame
    (40, 227, 3, 681 + 20 + 128, 40),  # the smallest buffer: a row of credit
    (9, 700, 3, 6000, 27),  # 2 rows of credit, three frames a row
]


@pytest.mark.parametrize(("height", "width", "channels", "receive_bytes", "frames"), SHAPES)
def test_a_slow_engine_never_overflows_the_buffer(height, width, channels, receive_bytes, frames):
    """The host sends far faster than rows are computed, and probes meanwhile: every byte finds room."""
    fake = FakeDevice(
        height=height, width=width, channels=channels, receive_bytes=receive_bytes, row_microseconds=1500
    )
    line = WatchedLine(fake)
    images = random_images(2, height, width, channels)
    with Device(line, timeout=2.0, first_wait=0.002) as device:
        for image in images:
            assert_right(device.infer(image), image)
    assert fake.dropped == 0
    assert fake.peak <= receive_bytes
    assert line.rows_frames <= frames * len(images)  # no small frames
    # While the engine computes the rows of one frame, another waits in the buffer.
    assert fake.peak >= min(width * channels, 1002)


@pytest.mark.parametrize(("receive_bytes", "unanswered"), [(512, 2), (1600, 2), (681 + 20 + 128, 1)])
def test_frames_are_in_flight_together(receive_bytes, unanswered):
    """Not stop and wait, but where the buffer has room for a single row."""
    width = 681 if receive_bytes == 681 + 20 + 128 else 28
    line = WatchedLine(FakeDevice(height=20, width=width, receive_bytes=receive_bytes))
    with Device(line, timeout=2.0) as device:
        image = random_images(1, 20, width)[0]
        assert_right(device.infer(image), image)
    assert line.most_unanswered >= unanswered
    assert unanswered > 1 or line.most_unanswered == 1


@pytest.mark.parametrize("lost", [{1}, {1, 4}, {0, 1, 2}, {2, 3, 5, 7, 8}])
def test_retransmissions_stay_within_the_window(lost):
    """A lost frame is sent again while those behind it may still be in the buffer: they count."""
    row_cost, credit = 600 + 15 + 3 + 2, 3  # a row a frame, 3 frames of room
    window = credit * row_cost
    line = TightLine(FakeDevice(height=9, width=600, receive_bytes=window + 128), lost)
    image = random_images(1, 9, 600)[0]
    with Device(line, timeout=2.0, first_wait=0.05) as device:
        assert device.info.window_bytes == window
        assert_right(device.infer(image), image)
    assert 2 * row_cost < line.most_bytes <= window


def test_images_of_another_shape_or_type_are_refused():
    with Device(FakeDevice(), timeout=1.0) as device:
        with pytest.raises(ValueError, match=r"device wants int8 \(4, 3, 1\)"):
            device.infer(np.zeros((4, 4, 1), np.int8))
        with pytest.raises(ValueError, match="image is uint8"):
            device.infer(np.zeros((4, 3, 1), np.uint8))


def test_an_engine_that_fails_is_an_error_with_its_status():
    image = np.zeros((4, 3, 1), np.int8)
    with Device(FakeDevice(fail_at_row=2), timeout=1.0) as device:
        with pytest.raises(RefusedError, match=r"fake: the engine failed by row \d+: status 42"):
            device.infer(image)
        # The device is still there for another image, which fails alike.
        with pytest.raises(RefusedError, match="status 42"):
            device.infer(image)
    with (
        Device(FakeDevice(fail_begin=7), timeout=1.0) as device,
        pytest.raises(RefusedError, match="by row 0: status 7, a layer contradicts its buffers"),
    ):
        device.infer(image)


@pytest.mark.parametrize(
    ("first", "total", "schedule"),
    [
        (0.25, 2.0, [0.25, 0.5, 0.5, 0.5, 0.25]),
        (0.25, 0.1, [0.1]),
        (0.02, 1.5, [0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.38]),
        (0.8, 2.0, [0.8, 0.8, 0.4]),
    ],
)
def test_patience(first, total, schedule):
    assert list(waits(first, total)) == pytest.approx(schedule)


def test_a_device_that_computes_for_long_is_not_flooded(monkeypatch):
    """However often the host asks meanwhile, its questions fit into what the device keeps for them."""
    monkeypatch.setattr(exchange, "waits", lambda first, total, most: [0.005] * round(total / 0.005))
    fake = FakeDevice(height=4, width=28, receive_bytes=512, row_microseconds=100_000)
    image = random_images(1, 4, 28)[0]
    with Device(fake, timeout=5.0, first_wait=0.01) as device:
        assert_right(device.infer(image), image)
        assert device.statistics.probes > 3 * MAX_PROBES
    assert fake.dropped == 0
