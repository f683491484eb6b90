"""Who may see the page."""

import pytest
from websockets.datastructures import Headers

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.live import guard
from squeezenet_mcu.host_tools.live.guard import Guard, Listen


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8321", "127.0.0.1", 8321, True),
        ("localhost:0", "localhost", 0, True),
        ("[::1]:80", "::1", 80, True),
        ("127.8.8.8:1", "127.8.8.8", 1, True),
        ("0.0.0.0:8321", "0.0.0.0", 8321, False),
        ("[::]:8321", "::", 8321, False),
        ("192.168.1.7:8321", "192.168.1.7", 8321, False),
        ("localhost.example:1", "localhost.example", 1, False),
    ],
)
def test_an_address(text, host, port, loopback):
    found = guard.parse(text)
    assert (found, found.loopback) == (Listen(host, port), loopback)


@pytest.mark.parametrize(
    "text", ["", "x", "8321", ":8321", "a:b", "a:70000", "a:1/x", "me@a:1", "a b:1", "::1:80", "\x1b[31m:1"]
)
def test_what_is_no_address(text):
    with pytest.raises(UserError, match=r"^--listen \(LISTEN=\): .*want ADDRESS:PORT") as error:
        guard.parse(text)
    assert str(error.value).isprintable()


def of(**headers: str) -> Headers:
    return Headers({name.capitalize(): value for name, value in headers.items()})


@pytest.mark.parametrize("name", ["127.0.0.1:8321", "localhost:8321", "LocalHost:8321", "[::1]:8321"])
def test_our_own_names_are_answered(name):
    assert Guard(Listen("127.0.0.1", 0), 8321).host_of(of(host=name)) == name


@pytest.mark.parametrize(
    "name",
    ["evil.example:8321", "localhost", "localhost:80", "localhost:8321.evil", "127.0.0.1:8322", "", "a b"],
)
def test_other_names_are_not(name):
    """DNS rebinding: a page of evil.example has its name lead to 127.0.0.1."""
    assert Guard(Listen("127.0.0.1", 0), 8321).host_of(of(host=name)) is None


def test_two_names_are_none():
    headers = Headers([("Host", "localhost:8321"), ("Host", "evil.example")])
    assert Guard(Listen("127.0.0.1", 0), 8321).host_of(headers) is None
    assert Guard(Listen("127.0.0.1", 0), 8321).host_of(Headers()) is None


def test_only_our_page_opens_the_socket():
    ours = Guard(Listen("127.0.0.1", 0), 8321)
    assert ours.same_origin(of(origin="http://localhost:8321"), "localhost:8321")
    for origin in ("http://evil.example", "https://localhost:8321", "http://127.0.0.1:8321", "null", ""):
        assert not ours.same_origin(of(origin=origin), "localhost:8321")
    assert not ours.same_origin(Headers(), "localhost:8321")


def test_loopback_has_no_token():
    ours = Guard(Listen("127.0.0.1", 0), 8321)
    assert ours.token is None and ours.url() == "http://127.0.0.1:8321/" and ours.knows(Headers())
    assert Guard(Listen("::1", 0), 1).url() == "http://[::1]:1/"


def test_beyond_loopback_there_is_one_each_time():
    ours, other = (Guard(Listen("192.168.1.7", 0), 8321) for _ in range(2))
    assert ours.token != other.token and len(ours.token) >= 40
    assert ours.url() == f"http://192.168.1.7:8321/?token={ours.token}"
    assert ours.brings_token(f"/?token={ours.token}")
    wrong = (
        f"/?token={other.token}",
        "/?token=",
        "/",
        f"/?token={ours.token}x",
        f"/?token={ours.token}&token=x",
    )
    assert not any(ours.brings_token(path) for path in wrong)
    assert ours.knows(of(cookie=f"a=b; live-8321={ours.token}"))
    for cookie in (f"live-8321={other.token}", f"live-1={ours.token}", "live-8321=", "live-8321=\xff"):
        assert not ours.knows(of(cookie=cookie))
    assert not ours.knows(Headers())
