"""The page over HTTP and its socket: what strangers ask for is refused, and nobody holds up anybody."""

import contextlib
import http.client
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.live import guard, server
from squeezenet_mcu.host_tools.live.hub import _MOST_WAITING, RESULTS, Hub
from squeezenet_mcu.host_tools.live.source import Camera
from tests.host_tools.live.stand_in import Board, Live, heard
from tests.manifests import manifest

ANYWHERE = guard.Listen("0.0.0.0", 0)


@pytest.fixture
def live():
    with Live(Board()) as found:
        yield found


def ask(url: str, path: str = "/", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Status, headers and body of a GET."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=10)
    given = {name.capitalize(): value for name, value in headers.items()}
    connection.request("GET", path, headers=given)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_the_page(live):
    response, body = ask(live.url)
    assert response.status == 200 and body == live.page.html
    policy = response.headers["Content-Security-Policy"]
    assert f"connect-src ws://{urlsplit(live.url).netloc};" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in response.headers


def test_another_path(live):
    response, body = ask(live.url, "/\x1b[31mx".replace("\x1b", "%1b"))
    assert response.status == 404 and body.isascii() and b"31m" not in body


@pytest.mark.parametrize("path", ["//[", "//evil.example/", "/%", "/socket/"])
def test_a_path_that_is_no_url(path, live):
    response, body = ask(live.url, path)
    assert response.status == 404 and b"evil" not in body


def test_another_name_for_this_computer(live):
    response, body = ask(live.url, host="evil.example:8321")
    assert response.status == 403 and b"make live" in body and b"evil" not in body


@pytest.mark.parametrize("origin", ["http://evil.example", None])
def test_a_socket_for_a_page_of_others(origin, live):
    with pytest.raises(InvalidStatus) as error:
        live.open(origin=origin)
    assert error.value.response.status_code == 403


@pytest.mark.parametrize(
    "message", ["stop", "", "pause" * 20, "x" * 100_000, b"", b"\0" * 12, '{"do":"pause"}']
)
def test_what_no_page_of_ours_says(message, live):
    with live.open() as page:
        heard(page, lambda told: told["type"] == "state")
        with contextlib.suppress(ConnectionClosed):
            page.send(message)
        with pytest.raises(ConnectionClosed):
            heard(page, lambda told: False)
    assert not live.control.paused
    with live.open() as page:  # the others go on
        heard(page, lambda told: told["type"] == "state")


def test_a_page_that_says_too_much(live):
    with live.open() as page, pytest.raises(ConnectionClosed):
        for _ in range(1000):
            page.send("go")
        heard(page, lambda told: False)


@pytest.mark.parametrize("size", [0, 11, 13])
def test_a_frame_of_another_size(size):
    with Live(Board(), Camera(manifest()["input"])) as live, live.open() as page:
        page.send(bytes(size))
        with pytest.raises(ConnectionClosed):
            heard(page, lambda told: False)


def test_many_pages_watch_but_not_any_number(live):
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(live.open()) for _ in range(server.MOST_PAGES)]
        for page in pages:
            heard(page, lambda told: told["type"] == "state")
        with pytest.raises(InvalidStatus) as error:
            live.open()
        assert error.value.response.status_code == 503
        live.session.run(3)
        for page in pages:
            heard(page, lambda told: told["type"] == "figures" and told["images"] == 3)


def test_connections_that_say_nothing_take_no_more_threads(live):
    place = ("127.0.0.1", urlsplit(live.url).port)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(place)) for _ in range(80)]
        time.sleep(0.2)
        assert len(live.server._sockets) == 0
        hung_up = 0
        for one in silent:
            one.settimeout(0.01)
            with contextlib.suppress(TimeoutError):
                hung_up += one.recv(1) == b""
        assert hung_up == 80 - server._MOST_CONNECTIONS


def test_a_token_beyond_this_computer():
    with Live(Board(), listen=ANYWHERE) as live:
        port, token = urlsplit(live.url).port, live.server.token
        assert live.url.endswith(f":{port}/?token={token}")
        for path in ("/", "/?token=wrong", "/socket", f"/socket?token={token}"):
            response, body = ask(live.url, path)
            assert response.status == 403 and token.encode() not in body
        response, _ = ask(live.url, f"/?token={token}")
        assert response.status == 303 and response.headers["Location"] == "/"
        cookie = response.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
        response, body = ask(live.url, cookie=cookie.partition(";")[0])
        assert response.status == 200 and token.encode() not in body
        assert token not in str(response.headers)
        origin = f"http://127.0.0.1:{port}"
        uri = f"ws://127.0.0.1:{port}/socket"
        from websockets.sync.client import connect

        with pytest.raises(InvalidStatus):
            connect(uri, origin=origin)
        with connect(uri, origin=origin, additional_headers={"Cookie": cookie.partition(";")[0]}) as page:
            heard(page, lambda told: told["type"] == "state")


def stalled(live) -> socket.socket:
    """A page whose computer takes nothing any more."""
    place = urlsplit(live.url)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    line.connect(("127.0.0.1", place.port))
    line.sendall(
        f"GET /socket HTTP/1.1\r\nHost: {place.netloc}\r\nOrigin: http://{place.netloc}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode()
    )
    assert b"101" in line.recv(12)
    return line


def test_a_slow_page_holds_up_nobody():
    """The device goes on, other pages are told all, and the end does not wait for it."""
    about = manifest()
    about["input"] |= {"height": 300, "width": 300}  # a picture is larger than what sockets buffer
    with Live(Board(size=(300, 300, 1)), input=about["input"]) as live:
        with stalled(live) as line, live.open() as page:
            live.session.run(60)
            heard(page, lambda told: told["type"] == "figures" and told["images"] == 60)
            began = time.monotonic()
            live._serving.__exit__(None, None, None)
            assert time.monotonic() - began < 3
            line.close()
        live._serving = contextlib.nullcontext()


def test_a_page_gets_the_newest_and_drops_the_oldest():
    hub = Hub()
    page = hub.join()
    for number in range(_MOST_WAITING + 50):
        hub.tell({"type": "picture", "number": number})
        hub.tell({"type": "result", "number": number})
    told = [json.loads(text) for text in page.take()]
    assert [one["number"] for one in told[:-1]] == list(range(50, _MOST_WAITING + 50))
    assert told[-1] == {"type": "picture", "number": _MOST_WAITING + 49}
    assert len(hub.join().take()) == RESULTS + 1
    hub.leave(page)
    assert page.take() is None


def test_an_address_that_another_program_has(live):
    port = urlsplit(live.url).port
    said = rf"^127.0.0.1:{port}: cannot listen there \(.*; another program has it; .*LISTEN=127.0.0.1:0"
    with pytest.raises(UserError, match=said):
        Live(Board(), listen=guard.Listen("127.0.0.1", port)).__enter__()


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid"])
def test_an_address_of_no_network_of_this_computer(host):
    with pytest.raises(UserError, match=r"listen there \(.*\); want an address of this computer: LISTEN=127"):
        Live(Board(), listen=guard.Listen(host, 0)).__enter__()
