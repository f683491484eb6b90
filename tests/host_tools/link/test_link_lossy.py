"""Whatever happens to the bytes, and to the device: the right answer, or a clear error."""

import pytest

from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import LinkTimeoutError, ResetError
from squeezenet_mcu.host_tools.link.faulty_line import KINDS
from tests.host_tools.link.link_lines import LossyLine
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images

# A buffer of 8 rows: frames of 4 rows, seven to an image, two in flight.
OPTIONS = {"height": 28, "width": 28, "receive_bytes": 512}
IMAGES = random_images(12, 28, 28)


def device_over(line: LossyLine, first_wait: float = 0.02) -> Device:
    """Impatient at first (a loss costs 20 ms), patient in all: 8 probes."""
    return Device(line, timeout=5.0, first_wait=first_wait)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_damage(kind):
    line = LossyLine(FakeDevice(**OPTIONS), seed=KINDS.index(kind), rate=0.001, kinds=(kind,))
    with device_over(line) as device:
        for image in IMAGES:
            assert_right(device.infer(image), image)
    assert line.damaged >= 5


@pytest.mark.parametrize("seed", range(4))
def test_every_kind_of_damage_and_resets(seed):
    fake = FakeDevice(**OPTIONS)
    line = LossyLine(fake, seed=seed, rate=0.002, reset_rate=0.01)
    with device_over(line) as device:
        for image in IMAGES:
            assert_right(device.infer(image), image)
    assert line.damaged >= 10


def test_a_reset_at_any_moment_of_an_image():
    """Before HELLO, BEGIN, each ROWS, RESULT and each READ."""
    image = IMAGES[0]
    clean = LossyLine(FakeDevice(**OPTIONS), seed=0, rate=0.0)
    with device_over(clean, first_wait=2.0) as device:  # no probe more, however busy this machine is
        assert_right(device.infer(image), image)
    assert clean.written == 1 + 1 + 7 + 3
    for moment in range(clean.written):
        fake = FakeDevice(**OPTIONS)
        with device_over(LossyLine(fake, seed=0, rate=0.0, reset_at=[moment])) as device:
            assert_right(device.infer(image), image)
            assert_right(device.infer(IMAGES[1]), IMAGES[1])
        assert fake.resets == 1


def test_damage_to_large_rows_and_long_results():
    """Rows of several frames, results of several READs."""
    fake = FakeDevice(height=6, width=700, channels=3, classes=2500, receive_bytes=5000)
    images = random_images(4, 6, 700, 3)
    with device_over(LossyLine(fake, seed=1, rate=0.0002)) as device:
        for image in images:
            assert_right(device.infer(image), image)


def test_losses_never_overflow_the_receive_buffer():
    """Neither do retransmissions, with an engine slower than the host's patience."""
    fake = FakeDevice(**OPTIONS, row_microseconds=3000)
    line = LossyLine(fake, seed=3, rate=0.002, kinds=("drop", "flip"))
    with Device(line, timeout=5.0, first_wait=0.005) as device:
        for image in IMAGES[:5]:
            assert_right(device.infer(image), image)
    assert line.damaged >= 3
    assert fake.dropped == 0
    assert fake.peak <= OPTIONS["receive_bytes"]


def test_a_device_that_is_always_reset_ends_in_an_error():
    line = LossyLine(FakeDevice(**OPTIONS), seed=0, rate=0.0, reset_at=range(5, 1000, 3))
    with device_over(line) as device, pytest.raises(ResetError, match="was reset 6 times during one image"):
        device.infer(IMAGES[0])


def test_a_line_that_loses_everything_ends_in_an_error():
    line = LossyLine(FakeDevice(**OPTIONS), seed=0, rate=0.0)
    with Device(line, timeout=0.4, first_wait=0.02) as device:
        line.set(1.0, ("drop",))
        with pytest.raises(LinkTimeoutError, match=r"no answer for 0.4 s; check cable"):
            device.infer(IMAGES[0])
