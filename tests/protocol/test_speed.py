"""SPEED at the device: what it answers, in which order it changes its rate, and when it goes back."""

import pytest

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import ErrorCode, Refusal, Request, Speed
from tests.protocol.rated_device import DEFAULT, RatedDevice, heard

SESSION, FAST = 0x12345678, 921_600
REAL = 42_000_000 // 46  # of the fake device's clock
HELLO = Frame(Request.HELLO, 1, messages.hello(SESSION)).encode()


def speed(baud: int) -> bytes:
    return Frame(Request.SPEED, 2, messages.speed(baud)).encode()


@pytest.fixture
def device():
    made = RatedDevice()
    yield made
    made.close()


@pytest.fixture
def fast(device):
    """One that has said HELLO and has the faster rate."""
    device.step(0, HELLO)
    device.step(0, speed(FAST))
    assert device.baud == REAL
    return device


def replies(sent) -> list[tuple[int, messages.Reply | None]]:
    return [(baud, messages.parse(frame)) for baud, data in sent for frame in FrameReader().feed(data)]


def test_the_answer_has_the_real_rate_and_leaves_at_the_old_one(device):
    device.step(0, HELLO)
    assert replies(device.step(0, speed(FAST))) == [(DEFAULT, Speed(REAL))]
    assert device.baud == REAL
    # Idempotent: asked again, at the rate that it has now.
    assert replies(device.step(0, speed(FAST))) == [(REAL, Speed(REAL))]
    default = 42_000_000 // 365
    assert replies(device.step(0, speed(DEFAULT))) == [(REAL, Speed(default))]
    assert device.baud == default


@pytest.mark.parametrize("baud", [0, 1, 9600, DEFAULT - 1, 42_000_000 // 15, 1 << 31, (1 << 32) - 1])
def test_it_stays_where_it_cannot(device, baud):
    device.step(0, HELLO)
    assert replies(device.step(0, speed(baud))) == [(DEFAULT, Speed(0))]
    assert device.baud == DEFAULT


def test_refusals(device):
    assert replies(device.step(0, speed(FAST))) == [(DEFAULT, Refusal(ErrorCode.NO_SESSION, 0))]
    device.step(0, HELLO)
    for payload in (b"", bytes(3), bytes(5)):
        malformed = Frame(Request.SPEED, 3, payload).encode()
        assert replies(device.step(0, malformed)) == [(DEFAULT, Refusal(ErrorCode.MALFORMED, 0x0A))]
    assert device.baud == DEFAULT


def test_a_board_without_rates_answers_0():
    device = RatedDevice(knows_rates=False)
    info = replies(device.step(0, HELLO))[0][1]
    assert isinstance(info, messages.Info) and not info.features & messages.Feature.SPEED
    assert replies(device.step(0, speed(FAST))) == [(DEFAULT, Speed(0))]
    device.close()


def test_bytes_without_a_sound_frame_bring_the_default_back(fast):
    """After three seconds, from the first of them on."""
    fast.step(100_000, b"")  # silence is nobody's fault
    assert fast.baud == REAL
    fast.step(100_000, b"\x55")
    fast.step(103_000, b"")
    assert fast.baud == REAL
    fast.step(103_001, b"")
    assert fast.baud == pytest.approx(DEFAULT, rel=0.01)
    assert replies(fast.step(103_002, HELLO))[0][1].session == SESSION


def test_a_sound_frame_ends_the_doubt(fast):
    """Also in the midst of others: frames that come without a pause end in a piece of the next one."""
    stream = HELLO * 400
    for i in range(0, len(stream), 64):
        fast.step(10 * i, stream[i : i + 64])
        assert fast.baud == REAL
    fast.step(10 * len(stream), b"noise" * 500)
    fast.step(10 * len(stream) + 2_900, HELLO)
    fast.step(10 * len(stream) + 60_000, b"")
    assert fast.baud == REAL


def test_the_clock_may_wrap(fast):
    fast.step((1 << 32) - 1000, b"x")
    fast.step((1 << 32) + 1999, b"")
    assert fast.baud == REAL
    fast.step((1 << 32) + 2001, b"")
    assert fast.baud == pytest.approx(DEFAULT, rel=0.01)


def test_at_the_default_nothing_changes_whatever_comes(device):
    device.step(0, HELLO)
    for now in range(0, 20_000, 500):
        device.step(now, b"\x00\xff noise")
    assert device.baud == DEFAULT


@pytest.mark.parametrize("rate", [230_400, 921_600, 1_000_000, 2_000_000])
def test_hellos_of_a_new_host_at_the_default_rate_are_heard(device, rate):
    """What a UART makes of them at its own rate, down to nothing but zeros."""
    device.step(0, HELLO)
    device.step(0, speed(rate))
    fast = device.baud
    assert fast > 2 * DEFAULT * 0.97
    now, answered = 0, None
    while now <= 7000 and not answered:
        now += 250
        found = replies(device.step(now, heard(HELLO, DEFAULT, device.baud)))
        answered = next((reply for baud, reply in found if baud < 1.01 * DEFAULT), None)
        for later in range(now + 50, now + 250, 50):
            device.step(later)
    assert answered is not None and 3000 < now <= 3500
