"""A port that goes away and comes back: the image is sent again; one that stays away is an error in time."""

import contextlib
import os
import socket
import threading
import time
import tty

import pytest

from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import PortError
from tests.host_tools.link.link_lines import _pump, on_socket
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images

OPTIONS = {"height": 28, "width": 28, "receive_bytes": 2048}
IMAGES = random_images(6, 28, 28)


def hang_up(device: Device) -> None:
    """As if the cable were pulled: the socket ends under the transport."""
    line = device._transport
    with (
        socket.fromfd(line._port.fileno(), socket.AF_INET, socket.SOCK_STREAM) as end,
        contextlib.suppress(OSError),  # the other end has gone already
    ):
        end.shutdown(socket.SHUT_RDWR)


def test_a_socket_that_is_there_again():
    with on_socket(FakeDevice(**OPTIONS, row_microseconds=300)) as url, Device(url, timeout=3.0) as device:
        results = device.infer_many(IMAGES)
        for i, image in enumerate(IMAGES):
            if i in (1, 3):
                hang_up(device)
            assert_right(next(results), image)
        assert device.statistics.reopened == 2


def test_a_pty_that_is_there_again_under_its_name(tmp_path):
    """As a USB port behind /dev/serial/by-id."""
    fake, path = FakeDevice(**OPTIONS), tmp_path / "port"
    stop, stops = threading.Event(), []

    def plug_in() -> tuple[int, int]:
        end, other = os.openpty()
        tty.setraw(other)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(other))
        unplugged = threading.Event()
        stops.append(unplugged)

        def pump() -> None:
            with contextlib.suppress(OSError):
                _pump(fake, end, unplugged)
            os.close(end)

        threading.Thread(target=pump, daemon=True).start()
        return end, other

    _, other = plug_in()

    def again() -> None:
        stops[0].set()
        os.close(other)
        path.unlink()
        time.sleep(0.3)
        if not stop.is_set():
            plug_in()

    with Device(str(path), timeout=3.0) as device:
        results = device.infer_many(IMAGES)
        assert_right(next(results), IMAGES[0])
        thread = threading.Thread(target=again)
        thread.start()
        for image in IMAGES[1:]:
            assert_right(next(results), image)
            time.sleep(0.1)
        assert device.statistics.reopened >= 1
        thread.join()
    stops[-1].set()
    fake.process.kill()


def test_one_that_stays_away():
    with on_socket(FakeDevice(**OPTIONS)) as url:
        device = Device(url, timeout=3.0, reopen_timeout=0.4)
        assert_right(device.infer(IMAGES[0]), IMAGES[0])
    began = time.monotonic()
    with device, pytest.raises(PortError, match="the connection broke") as error:
        hang_up(device)
        device.infer(IMAGES[1])
    assert str(error.value).isprintable()
    assert time.monotonic() - began < 3
