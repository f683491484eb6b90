"""URLs of ports that are wrong in themselves: one line in plain words, and no wait."""

import socket
import threading
import time

import pytest

from squeezenet_mcu.host_tools.link import port_url
from squeezenet_mcu.host_tools.link.errors import PortError
from squeezenet_mcu.host_tools.link.transport import SerialTransport
from squeezenet_mcu.host_tools.selftest.device import SelftestDevice

WRONG = {
    "socket://x": "names no port; want socket://HOST:PORT",
    "socket://127.0.0.1": "names no port",
    "socket://:5": "names no host",
    "socket://": "names no host",
    "socket://x:0": "port 0",
    "socket://x:999999": "its port is no number from 1 to 65,535",
    "socket://x:-1": "its port is no number",
    "socket://x:1e3": "its port is no number",
    "socket://x:" + "9" * 5000: "its port is no number",
    "socket://[::1:5": "its port is no number from 1 to 65,535, or its host is no name",
    "socket://user:secret@x:5": "names no host",
    "socket://x:5/there": '"/there" stands behind the port',
    "socket://x:5#there": '"#there" stands behind the port',
    "socket://x:5?logging=debug": 'no such option "logging"',
    "socket://x:5?timeout=1": 'no such option "timeout"',
    "socket://x y:5": "holds other characters",
    "socket://x\x1b[31m:5": "holds other characters",
    "socket://x\n:5": "holds other characters",
    "rfc2217://x": "names no port; want rfc2217://HOST:PORT, and then",
    "rfc2217://x:70000": "its port is no number",
    "rfc2217://x:5?logging=debug": 'no such option "logging"',
    "rfc2217://x:5?timeout=1e9": 'timeout "1e9", which is not above 0 and at most 10 seconds',
    "rfc2217://x:5?timeout=inf": 'timeout "inf"',
    "rfc2217://x:5?timeout=nan": 'timeout "nan"',
    "rfc2217://x:5?timeout=-1": 'timeout "-1"',
    "rfc2217://x:5?timeout=": 'timeout ""',
    "rfc2217://x:5?timeout=1&timeout=1e9": 'timeout "1e9"',
    "rfc2217://x:5?poll_modem=1": "poll_modem takes no value",
    "loop://x": "takes nothing behind it; want loop:// alone",
    "loop://?logging=debug": "takes nothing behind it",
}


@pytest.mark.parametrize("url", WRONG, ids=lambda url: ascii(url[:40]))
def test_a_url_that_is_wrong(url, monkeypatch):
    monkeypatch.setattr("serial.serial_for_url", lambda *_, **__: pytest.fail("pyserial got it"))
    for opens in (SerialTransport, SelftestDevice):
        with pytest.raises(PortError) as error:
            opens(url)
        said = str(error.value)
        assert WRONG[url] in said and said.isprintable() and len(said) < 400


@pytest.mark.parametrize(
    "url",
    [
        "socket://1.2.3.4:5", "socket://my-board:65535", "socket://[::1]:5", "loop://", "COM5", "/dev/tty0",
        "rfc2217://x:5", "rfc2217://x:5?ign_set_control&poll_modem&timeout=10", "rfc2217://x:5?timeout=0.5",
    ],
)  # fmt: skip
def test_a_url_that_is_right(url):
    port_url.check(url)


@pytest.fixture
def silent():
    """The port of a server that takes what it is sent, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []
        threading.Thread(target=lambda: kept.append(server.accept()), daemon=True).start()
        yield server.getsockname()[1]
        for connection, _ in kept:
            connection.close()


@pytest.mark.parametrize("at", ["selftest", "link"])
def test_a_server_that_says_nothing(silent, at):
    began = time.monotonic()
    url = f"rfc2217://127.0.0.1:{silent}?timeout=1"
    with pytest.raises(PortError, match=r": no connection \(does not speak RFC 2217\); check host and port"):
        SelftestDevice(url) if at == "selftest" else SerialTransport(url)
    assert time.monotonic() - began < 8


def test_nothing_listens_there():
    with pytest.raises(PortError, match=r"rfc2217://127.0.0.1:1: no connection \(.*refused") as error:
        SerialTransport("rfc2217://127.0.0.1:1")
    assert str(error.value).isprintable() and "Telnet" not in str(error.value)
