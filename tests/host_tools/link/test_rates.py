"""A faster rate by agreement, on a line where bytes are right only if both ends have the same rate.

The device's time goes ten times as fast, and so do the waits of the host that depend on it.
"""

import os
import termios
import time

import pytest

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import LinkTimeoutError, PortError
from squeezenet_mcu.host_tools.link.exchange import PROBE_RESERVE
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import Request
from squeezenet_mcu.host_tools.link.rates import agreement
from squeezenet_mcu.host_tools.link.transport import SerialTransport, change_rate
from tests.host_tools.link.link_lines import TightLine
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images
from tests.protocol.rated_device import (
    DEFAULT,
    HEIGHT,
    WIDTH,
    RatedDevice,
    RatedFaultyLine,
    RatedLine,
)

FAST = 921_600
IMAGES = random_images(6, HEIGHT, WIDTH)
SPEED_REPLY = 0x8A


@pytest.fixture(autouse=True)
def ten_times_as_fast(monkeypatch):
    for name in ("DOUBT", "_ASK_EVERY", "_ASKING", "_PROOF_EVERY", "_PROOF", "_LEAST_SILENCE", "_GOODBYE"):
        monkeypatch.setattr(agreement, name, getattr(agreement, name) / 10)


@pytest.fixture
def line():
    device = RatedDevice()
    yield RatedLine(device)
    device.close()


def opened(line, told: list[str] | None = None, speed: int | None = FAST, **more) -> Device:
    tell = told.append if told is not None else pytest.fail
    settings = {"timeout": 4.0, "first_wait": 0.05, "open_timeout": 1.0} | more
    return Device(line, speed=speed, tell=tell, **settings)


def at(line: RatedLine) -> tuple[int, int]:
    """The rates of both ends, the device's rounded to what was asked for."""
    asked = min((DEFAULT, FAST, 460_800), key=lambda baud: abs(baud - line.device.baud))
    return line.baudrate, asked


def all_right(device: Device) -> None:
    for image, result in zip(IMAGES, device.infer_many(IMAGES), strict=True):
        assert_right(result, image)


class Loses:
    """Takes the frames numbered `which`, from 0, of one type out of what passes."""

    def __init__(self, kind: int, which: set[int]) -> None:
        self.seen, self._kind, self._which = 0, kind, which

    def __call__(self, data: bytes) -> bytes:
        if any(frame.type == self._kind for frame in FrameReader().feed(data)):
            self.seen += 1
            if self.seen - 1 in self._which:
                return b""
        return data


def test_both_ends_get_faster_and_go_back_at_the_end(line):
    with opened(line) as device:
        assert at(line) == (FAST, FAST)
        all_right(device)
        assert (device.statistics.lost, device.statistics.slowed) == (0, 0)
    assert at(line) == (DEFAULT, DEFAULT)


def test_nobody_asks_where_no_speed_is_wanted(line):
    line.on_request = Loses(Request.SPEED, set())
    for speed in (None, DEFAULT):
        with opened(line, speed=speed) as device:
            all_right(device)
    assert line.on_request.seen == 0


def one_notice(told: list[str], *words: str) -> None:
    (notice,) = told
    assert all(word in notice for word in (line_name, "goes on at 115,200 baud", *words)), notice


line_name = RatedLine.name


def test_a_rate_that_the_uart_cannot_have(line):
    told: list[str] = []
    with opened(line, told, speed=4_000_000) as device:
        all_right(device)
    one_notice(told, "the device's UART cannot come near 4,000,000 baud")


def test_a_rate_that_the_port_cannot_have(line):
    line.port_rates = {DEFAULT}
    line.on_request = Loses(Request.SPEED, set())
    told: list[str] = []
    with opened(line, told) as device:
        all_right(device)
    one_notice(told, "this port cannot have 921,600 baud")
    assert line.on_request.seen == 0


def test_a_line_without_rates():
    """A Transport of one's own; and the firmware is not asked."""
    told: list[str] = []
    device = RatedDevice()
    line = RatedLine(device)
    line.set_baudrate = None
    with opened(line, told) as opened_device:
        all_right(opened_device)
    one_notice(told, "this port cannot")
    device.close()


def test_firmware_that_cannot():
    told: list[str] = []
    device = RatedDevice(knows_rates=False)
    with opened(RatedLine(device), told) as opened_device:
        all_right(opened_device)
    one_notice(told, "its firmware cannot change the baud rate; flash firmware of this checkout")
    device.close()


@pytest.mark.parametrize("speed", [0, -1, 100_000_001])
def test_no_rate_at_all(line, speed):
    with pytest.raises(PortError, match=f"rated line: speed {speed}; want 1 to 100,000,000 baud"):
        opened(line, speed=speed)
    assert line.closed


def test_the_cable_cannot(line):
    """Both ends can, but what arrives is rubbish: back, one notice, and every answer is right."""
    line.most_baud = 500_000
    told: list[str] = []
    with opened(line, told) as device:
        assert at(line) == (DEFAULT, DEFAULT)
        all_right(device)
        assert device.statistics.restarts == 0
    one_notice(told, "no sound answer at 921,600 baud")


def test_the_port_says_that_it_can_and_stays_as_it_is(line):
    """As a server of ports may, which has a rate of its own."""
    line.set_baudrate = lambda baudrate: True
    told: list[str] = []
    with opened(line, told) as device:
        all_right(device)
    one_notice(told, "no sound answer at 921,600 baud")


@pytest.mark.parametrize("which", [{0}, {0, 1}])
def test_a_lost_request(line, which):
    line.on_request = Loses(Request.SPEED, which)
    with opened(line) as device:
        assert at(line) == (FAST, FAST)
        all_right(device)
        assert device.statistics.lost == 0  # it says nothing about the line


def test_a_lost_reply(line):
    """The device has the new rate, the host has not: until the device goes back, and is asked again."""
    line.on_reply = Loses(SPEED_REPLY, {0})
    with opened(line) as device:
        assert at(line) == (FAST, FAST)
        all_right(device)


def test_a_lost_proof(line):
    line.on_reply = Loses(SPEED_REPLY, {1})
    with opened(line) as device:
        assert at(line) == (FAST, FAST)
        all_right(device)


def test_the_proof_never_comes(line):
    """Then the device may hear well and the host not: that is no line to send images over."""
    line.on_reply = lambda data: data if line.baudrate == DEFAULT else b""
    told: list[str] = []
    with opened(line, told) as device:
        assert line.baudrate == DEFAULT
        all_right(device)
    one_notice(told, "no sound answer")


def test_an_answer_that_comes_late_is_none_to_the_next_question(line):
    """The device's word for the new rate does not say that it is back at the default."""
    late: list[bytes] = []

    def hold(data: bytes) -> bytes:
        if SPEED_REPLY not in [frame.type for frame in FrameReader().feed(data)]:
            return data
        late.append(data)
        return data if line.device.baud < 1.01 * DEFAULT else b""

    def release(data: bytes) -> bytes:
        if late and [frame.payload for frame in FrameReader().feed(data)] == [messages.speed(DEFAULT)]:
            line._inbox += late[0]
            late.clear()
        return data

    line.on_reply, line.on_request = hold, release
    told: list[str] = []
    with opened(line, told) as device:
        assert at(line) == (DEFAULT, DEFAULT)
        all_right(device)
    one_notice(told, "no sound answer")


def test_what_went_out_at_another_rate_takes_no_room(line):
    """Or probes would find none, on their way to a device that was reset."""
    with opened(line) as device:
        line.on_request = lambda data: b""
        for _ in range(20):
            device.exchange.send(Request.COUNTS, b"")
        device._rates.slow_down()
        assert device.exchange.bytes_in_flight == 0


def test_a_device_that_is_gone_after_it_has_answered(line):
    def dies(data: bytes) -> bytes:
        kinds = [frame.type for frame in FrameReader().feed(data)]
        line.dead = getattr(line, "dead", False) or SPEED_REPLY in kinds
        return data if not line.dead or (SPEED_REPLY in kinds and line.baudrate == DEFAULT) else b""

    line.on_reply = dies
    line.on_request = lambda data: b"" if getattr(line, "dead", False) else data
    with pytest.raises(LinkTimeoutError, match="rated line: no answer"):
        opened(line, [])
    assert line.closed


@pytest.mark.parametrize("when", ["between", "within"])
def test_a_reset_while_fast(line, when):
    """It starts at the default: the host finds it there, and agrees anew."""
    told: list[str] = []
    with opened(line, told) as device:
        results = device.infer_many(IMAGES)
        for i, image in enumerate(IMAGES):
            if i == 2 and when == "between":
                line.device.reset()
            if i == 2 and when == "within":
                rows = iter(range(1000))

                def reset_within(data: bytes, rows=rows) -> bytes:
                    if FrameReader().feed(data)[0].type == Request.ROWS and next(rows) == 1:
                        line.device.reset()
                    return data

                line.on_request = reset_within
            assert_right(next(results), image)
        assert at(line) == (FAST, FAST)
        assert (device.statistics.slowed, device.statistics.restarts) == (1, 1)
    (notice,) = told
    assert "at 921,600 baud; goes on at 115,200 baud" in notice


def test_a_device_that_goes_back_by_itself(line):
    """It has heard noise while nobody spoke: no reset, so the image goes on where it was."""
    told: list[str] = []
    with opened(line, told) as device:
        assert_right(device.infer(IMAGES[0]), IMAGES[0])
        line._step(b"\x55")
        time.sleep(0.35)
        line._step(b"")
        assert line.device.baud < 1.01 * DEFAULT
        all_right(device)
        assert (device.statistics.slowed, device.statistics.restarts) == (1, 0)
        assert at(line) == (DEFAULT, DEFAULT)
    assert len(told) == 1


def test_a_host_that_is_idle_for_long_finds_the_rate_as_it_left_it(line):
    with opened(line) as device:
        assert_right(device.infer(IMAGES[0]), IMAGES[0])
        time.sleep(0.6)  # six seconds of the device's
        line._step(b"")
        all_right(device)
        assert at(line) == (FAST, FAST)
        assert device.statistics.slowed == 0


def test_a_port_that_is_opened_again(line):
    """At the default, while the device is still fast: it is heard once the device has gone back."""
    with opened(line, reopen_timeout=1.0) as device:
        assert_right(device.infer(IMAGES[0]), IMAGES[0])

        def breaks(data: bytes) -> bytes:
            line.on_request = lambda data: data
            raise PortError("pulled out")

        def again() -> RatedLine:
            line.another_host()
            return line

        line.on_request, device._open = breaks, again
        all_right(device)
        assert at(line) == (FAST, FAST)
        assert (device.statistics.reopened, device.statistics.slowed) == (1, 0)


@pytest.mark.parametrize(
    ("longest", "patience", "bears"),
    [
        (0.0, 7.0, 2.0), (0.0, 30.0, 7.5), (5.0, 30.0, 10.0), (20.0, 30.0, 25.5), (1.0, 4.0, 2.0),
        (0.0, 1.0, 2.0),
    ],
)  # fmt: skip
def test_how_long_the_rate_is_trusted(line, monkeypatch, longest, patience, bears):
    """Longer for a network that computes for long, but it ends in time for the device to go back."""
    monkeypatch.setattr(agreement, "DOUBT", 3.0)
    monkeypatch.setattr(agreement, "_LEAST_SILENCE", 2.0)
    told: list[str] = []
    with opened(line, told) as device:
        device.statistics.longest = longest
        device.exchange.on_silence(bears - 0.01, patience)
        assert line.baudrate == FAST and not told
        device.exchange.on_silence(bears + 0.01, patience)
        assert line.baudrate == DEFAULT and len(told) == 1


def speed_of(path: str) -> int:
    """What the terminal behind the path has."""
    end = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        return termios.tcgetattr(end)[4]
    finally:
        os.close(end)


def test_a_real_port_gets_the_rate():
    end, other = os.openpty()
    with SerialTransport(os.ttyname(other)) as transport:
        assert change_rate(transport, FAST)
        assert speed_of(transport.name) == termios.B921600
        assert change_rate(transport, DEFAULT)
        assert speed_of(transport.name) == termios.B115200
    os.close(end)
    os.close(other)


def test_a_port_whose_driver_refuses_keeps_its_rate():
    class Port:
        rate = DEFAULT

        @property
        def baudrate(self) -> int:
            return self.rate

        @baudrate.setter
        def baudrate(self, baudrate: int) -> None:
            self.rate = baudrate  # as pyserial does
            if baudrate != DEFAULT:
                raise ValueError("Failed to set custom baud rate")

        def close(self) -> None:
            pass

    with SerialTransport("loop://") as transport:
        transport._port.close()
        transport._port = Port()
        assert not change_rate(transport, FAST)
        assert transport._port.rate == DEFAULT


@pytest.mark.parametrize("speed", [None, FAST, 460_800])
def test_a_host_dies_while_fast_and_the_next_one_is_heard(line, speed):
    opened(line)
    assert at(line) == (FAST, FAST)
    line.another_host()
    began = time.monotonic()
    with opened(line, speed=speed, first_wait=0.025) as device:
        assert time.monotonic() - began < 0.7  # seven seconds of the device's
        assert at(line) == (speed or DEFAULT, speed or DEFAULT)
        all_right(device)


def test_a_host_dies_between_the_answer_and_the_proof(line):
    """The device has the new rate and never hears a sound frame there."""
    opened(line, speed=None)
    line.write(Frame(Request.SPEED, 9, messages.speed(FAST)).encode())
    line.another_host()
    assert at(line) == (DEFAULT, FAST)
    with opened(line, speed=None, first_wait=0.025) as device:
        all_right(device)


@pytest.mark.parametrize("claimed", [5, 230_400, 500_000, (1 << 32) - 1])
def test_a_device_that_lies_about_its_rate(line, claimed):
    """The port is given the rate that was asked for, or none."""
    line.port_rates = {DEFAULT, FAST}

    def lies(data: bytes) -> bytes:
        frames = FrameReader().feed(data)
        if [frame.type for frame in frames] != [SPEED_REPLY] or line.device.baud < 1.01 * DEFAULT:
            return data
        return Frame(SPEED_REPLY, frames[0].sequence, messages.speed(claimed)).encode()

    line.on_reply = lies
    told: list[str] = []
    with opened(line, told) as device:
        assert at(line) == (DEFAULT, DEFAULT)
        all_right(device)
    one_notice(told, "no sound answer")


def test_a_device_that_refuses_what_it_says_it_knows(line):
    line.on_reply = lambda data: (
        b"".join(
            Frame(0xFF, frame.sequence, b"\x02\x0a\0\0\0").encode() if frame.type == SPEED_REPLY else b""
            for frame in FrameReader().feed(data)
        )
        or data
    )
    line.on_request = lambda data: data.replace(messages.speed(FAST), messages.speed(4_000_000))
    told: list[str] = []
    with opened(line, told) as device:
        all_right(device)
    assert len(told) == 1


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rate", [0.001, 0.01])
def test_faults_on_the_line_break_no_run(line, rate, seed):
    """Whatever becomes of SPEED, its answers, its proof, and all that comes after."""
    told: list[str] = []
    with opened(RatedFaultyLine(line, rate, seed), told, timeout=10.0, open_timeout=8.0) as device:
        all_right(device)
    assert len(told) <= 2


def test_the_window_is_kept_at_any_rate():
    """What is in flight never exceeds the receive buffer, so no rate can overrun it: the slowest engine, the
    fastest line (a pipe)."""
    fake = FakeDevice(height=28, width=28, receive_bytes=512, row_microseconds=300)
    line = TightLine(fake, lost={3, 4, 9})
    with Device(line, timeout=5.0, first_wait=0.05) as device:
        for image in IMAGES[:2]:
            assert_right(device.infer(image), image)
    assert line.most_bytes <= 512 - PROBE_RESERVE
    assert fake.peak <= 512 and fake.dropped == 0
