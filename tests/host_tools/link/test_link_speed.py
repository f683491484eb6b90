"""How fast the link is, beside the line itself: on a simulated UART, and on emulated boards with faults."""

import json
import subprocess
import sys

import pytest

from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.faulty_line import KINDS
from squeezenet_mcu.host_tools.studies.link_speed import throughput, under_faults
from tests.host_tools.link.link_lines import on_socket
from tests.host_tools.link.paced_line import PacedLine
from tests.protocol.link_binaries import FakeDevice, random_images

# As gtsrb and digits on an STM32F405 at 168 MHz, about: rows of the input, and microseconds for each.
GTSRB = {"height": 32, "width": 32, "channels": 3, "classes": 43, "row_microseconds": 900}
DIGITS = {"height": 28, "width": 28, "row_microseconds": 360}


def measured(options: dict[str, int], baud: int, rounds: int, seconds: float):
    fake = FakeDevice(**options, receive_bytes=2048)
    with Device(PacedLine(fake, baud), timeout=10.0) as device:
        found = throughput(device, rounds, seconds)
    assert fake.dropped == 0
    assert found.raw <= baud / 10
    return found


def test_the_next_image_travels_while_this_one_computes():
    found = measured(GTSRB, 460_800, rounds=3, seconds=0.3)
    assert found.many > found.single
    assert found.share > 0.75


@pytest.mark.long
@pytest.mark.parametrize(("options", "least"), [(GTSRB, 0.85), (DIGITS, 0.8)])
def test_the_share_of_the_line_at_115200_baud(options, least):
    found = measured(options, 115_200, rounds=5, seconds=1.0)
    print(f"SPEED|{found.raw:.0f} B/s|{found.single / found.raw:.3f}|{found.share:.3f}")
    assert found.share > least


def test_a_run_under_faults_counts_what_is_wrong():
    images = random_images(3, 28, 28)
    with on_socket(FakeDevice(height=28, width=28)) as url:
        with Device(url, timeout=2.0) as device:
            right = list(device.infer_many(images))
        good = under_faults(url, right, images, "flip=0.001", 6)
        assert (good.images, good.wrong, good.error, good.link["lost"] > 0) == (6, 0, "", True)
        assert under_faults(url, right[::-1], images, "flip=0.001", 6).wrong == 4


def python(place, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder whose build/ has the firmware of digits and gtsrb for the stm32f405."""
    folder = tmp_path_factory.mktemp("link_speed")
    for model in ("digits", "gtsrb"):
        for words in (("convert",), ("host_tools", "firmware", "--board", "stm32f405")):
            done = python(folder, f"squeezenet_mcu.{words[0]}", *words[1:], "--model", model)
            assert done.returncode == 0, done.stderr
    return folder


def link_speed(place, *options: str) -> dict:
    """The command's figures."""
    found = place / "found.json"
    found.unlink(missing_ok=True)
    done = python(place, "squeezenet_mcu.host_tools", "link_speed", "--json", str(found), *options)
    assert found.exists(), done.stderr
    return json.loads(found.read_text())


@pytest.mark.long
@pytest.mark.parametrize("rate", [0.0001, 0.001, 0.01])
@pytest.mark.parametrize("kind", [*KINDS, "all"])
def test_the_matrix_of_faults(kind, rate, place):
    """On the emulated stm32f405 with digits: nothing wrong, all complete."""
    found = link_speed(place, "--faults", "--kind", kind, "--rate", str(rate))
    (one,) = found["faults"]
    print(f"FAULTS|{kind}|{rate}|{one['images_per_second']} images/s")
    assert (one["images"], one["wrong"], one["error"]) == (200, 0, "")
    assert rate < 0.01 or one["images_per_second"] >= 0.5


@pytest.mark.long
def test_gtsrb_on_the_emulated_board_comes_near_to_the_lines_rate(place):
    found = link_speed(place, "--model", "gtsrb")
    print(f"SPEED|{found}")
    assert found["share_of_raw"] >= 0.85
