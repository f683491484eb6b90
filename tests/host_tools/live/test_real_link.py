"""Over the link to the firmware's own protocol code at a port: rows, a cable that is pulled."""

import contextlib
import socket

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.live import session as sessions
from squeezenet_mcu.host_tools.live.session import connector
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import Artefacts
from tests.host_tools.link.link_lines import on_socket
from tests.host_tools.live.stand_in import Board, Live, pictures
from tests.manifests import manifest
from tests.protocol.link_binaries import FakeDevice, fake_answer

SIZE = {**manifest()["input"], "height": 28, "width": 28}
ABOUT = {"input": SIZE, "tflite_sha256": "5a" * 32}


class Python:
    def infer(self, image, logits_tensor):
        return fake_answer(image)[:2]


@contextlib.contextmanager
def session_at(url: str, tmp_path):
    """A live session with the device at `url`."""
    about = manifest(**ABOUT)
    with Live(Board(), pictures(8, about), **ABOUT) as live:
        way = Way(url, None, "squeeze", 115200)
        live.session._connect = connector(way, Artefacts(about, b"", tmp_path))
        live.session._reference = Python()
        yield live


def pull(device) -> None:
    """The cable."""
    with socket.fromfd(device._transport._port.fileno(), socket.AF_INET, socket.SOCK_STREAM) as line:
        line.shutdown(socket.SHUT_RDWR)


def test_a_cable_that_is_pulled_in_the_midst_of_an_image(tmp_path, monkeypatch):
    monkeypatch.setattr(sessions, "_FIRST_WAIT", 0.01)
    fake = FakeDevice(height=28, width=28, receive_bytes=2048, model=0x5A, row_microseconds=300)
    with on_socket(fake) as url, session_at(url, tmp_path) as live:
        rows: list[tuple[int, int]] = []
        pulled: list[int] = []
        connect = live.session._connect

        @contextlib.contextmanager
        def connected():
            with connect() as here:
                live.device = here.device
                yield here

        tell = live.hub.tell

        def told(message):
            tell(message)
            if message["type"] == "rows":
                rows.append((message["number"], message["rows"]))
                if (
                    message["number"] in (3, 6)
                    and 0 < message["rows"] < 28
                    and message["number"] not in pulled
                ):
                    pulled.append(message["number"])
                    pull(live.device)

        live.session._connect, live.hub.tell = connected, told
        live.session.run(10)
        totals = live.session.totals
        assert pulled == [3, 6]
        assert (totals.images, totals.exact_images, totals.losses) == (10, 10, 2)
        assert {number for number, done in rows if done == 28} == set(range(1, 11))
        assert len(rows) > 20  # some pieces an image, not all at once
        assert [line.partition(":")[0] for line in live.lines].count("away") == 2


def test_a_device_with_another_model_is_the_users_mistake(tmp_path):
    with on_socket(FakeDevice(height=28, width=28, model=0x33)) as url, session_at(url, tmp_path) as live:
        with pytest.raises(UserError, match=r"the device runs model 3333"):
            live.session.run(1)
        assert live.lines == []
