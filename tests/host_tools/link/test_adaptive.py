"""What is measured of a line, and what follows from it."""

import math
import random

import pytest

from squeezenet_mcu.host_tools.link.adaptive import Loss, RoundTrip, Statistics


def test_the_wait_is_rfc_6298s():
    """Section 2: SRTT <- R, RTTVAR <- R / 2; then RTTVAR first, with the SRTT before; 4 deviations above."""
    measured = RoundTrip()
    assert measured.wait(0.25) == 0.25
    measured.add(0.1)
    assert measured.wait(0.25) == pytest.approx(0.1 + 4 * 0.05)
    measured.add(0.2)
    deviation = 3 / 4 * 0.05 + 1 / 4 * 0.1
    assert measured.wait(0.25) == pytest.approx(0.1125 + 4 * deviation)
    assert measured.wait(0.25, hurry=True) == pytest.approx(0.1125 + deviation)


def test_the_wait_has_limits():
    measured = RoundTrip()
    measured.add(1e-6)
    assert measured.wait(0.25) == 0.02
    assert measured.wait(0.001) == 0.001  # who asks for less gets less
    for _ in range(20):
        measured.add(60)
    assert measured.wait(0.25) == 2


@pytest.mark.parametrize("rate", [0.001, 0.01])
def test_the_loss_of_a_byte_is_found_from_that_of_frames(rate):
    generator = random.Random(1)
    found = []
    for _ in range(200):
        loss = Loss()
        for _ in range(200):
            loss.add(75, lost=generator.random() > math.exp(-75 * rate))
        found.append(loss.rate)
    assert sum(found) / len(found) == pytest.approx(rate, rel=0.2)


def test_a_line_that_is_mended_is_a_good_one_again():
    loss = Loss()
    assert loss.clean and loss.best_data(1002) == 1002 and loss.allows_look_ahead
    for _ in range(10):
        loss.add(400, lost=True)
    assert not loss.clean and loss.best_data(1002) < 120 and not loss.allows_look_ahead
    for _ in range(150):
        loss.add(100, lost=False)
    assert loss.clean and loss.best_data(1002) > 350 and loss.allows_look_ahead


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 1e-2, 0.1])
def test_frames_have_the_best_size(rate):
    """By trying all: bytes of an image that arrive, per byte sent."""

    class Known(Loss):
        rate = 0.0

    Known.rate = rate
    gain = {n: n * math.exp(-(n + 46) * rate) / (n + 46) for n in range(1, 1003)}
    assert abs(Known().best_data(1002) - max(gain, key=gain.get)) <= 1


def test_the_line_for_people():
    assert Statistics(requests=1200).line() == "1,200 requests, 0 lost, round trip 0.0 ms"
    many = Statistics(requests=1000, lost=25, images_again=3, reopened=1, damaged_frames=20, dropped_bytes=0)
    many.timed(0.002)
    many.timed(0.004)
    assert many.line() == (
        "1,000 requests, 25 lost (2.5%), round trip 3.0 ms, 3 sent again, 1 times reopened, "
        "20 damaged frames at the device"
    )
    assert many.as_json()["round_trip_ms"] == {"min": 2.0, "mean": 3.0, "max": 4.0}
    assert "shortest" not in many.as_json()
