"""Downloads from a server on loopback: whole, in parts, cut off, too large, not the file that was meant."""

import io
import socket
import urllib.error
import urllib.request

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.importers import download as module
from squeezenet_mcu.model.importers.download import download
from tests.servers import PROXIES, serving

CONTENT = bytes(range(256)) * 1000
MOST = 300_000


@pytest.fixture
def server(monkeypatch):
    """See tests.servers."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    with serving(CONTENT) as found:
        yield found


def fetch(server, folder, check=lambda part: None, url=None):
    download(url or server.url, folder / "w.bin", MOST, check)
    assert not (folder / "w.bin.part").exists()
    return (folder / "w.bin").read_bytes()


def mistake(server, folder, check=lambda part: None, url=None):
    with pytest.raises(UserError) as error:
        fetch(server, folder, check, url)
    assert "\n" not in str(error.value) and not (folder / "w.bin").exists()
    return str(error.value)


@pytest.mark.parametrize("manner", ["", "no length", "no ranges"])
def test_a_file(manner, server, tmp_path):
    server.manner = manner
    assert fetch(server, tmp_path / "new") == CONTENT
    assert server.seen == [("/w.bin", None)]


def test_what_broke_off_goes_on(server, tmp_path):
    server.manner = "breaks"
    said = mistake(server, tmp_path)
    assert said == (
        f"{server.url}: cut off after 100,000 of 256,000 bytes; 100,000 bytes are kept, and the same command "
        "goes on from there"
    )
    mistake(server, tmp_path)
    server.manner = ""
    assert fetch(server, tmp_path) == CONTENT
    assert [ranges for _, ranges in server.seen] == [None, "bytes=100000-", "bytes=200000-"]


def test_a_server_without_ranges_begins_again(server, tmp_path):
    (tmp_path / "w.bin.part").write_bytes(b"others" * 100)
    server.manner = "no ranges"
    assert fetch(server, tmp_path) == CONTENT


def test_a_part_that_is_whole_or_another_files_begins_again(server, tmp_path):
    for part in (CONTENT, CONTENT + b"x" * 100, bytes(MOST + 1)):
        (tmp_path / "w.bin.part").write_bytes(part)
        assert fetch(server, tmp_path) == CONTENT
        (tmp_path / "w.bin").unlink()


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("other range", "asked for byte 600 on, it answers with byte 601 on"),
        ("nonsense", "Content-Range: nonsense"),
    ],
)
def test_another_part_than_was_asked_for(manner, said, server, tmp_path):
    (tmp_path / "w.bin.part").write_bytes(CONTENT[:600])
    server.manner = manner
    assert said in mistake(server, tmp_path)
    assert (tmp_path / "w.bin.part").read_bytes() == CONTENT[:600]


@pytest.mark.parametrize(
    ("manner", "size"), [("", "1,048,576 bytes or more"), ("no length", "bytes or more")]
)
def test_too_large(manner, size, server, tmp_path):
    server.content, server.manner = bytes(1 << 20), manner
    said = mistake(server, tmp_path)
    assert size in said and "want at most 300,000: it is another file" in said
    assert not (tmp_path / "w.bin.part").exists()


def test_another_file_than_was_meant(server, tmp_path):
    def check(part):
        assert part.read_bytes() == CONTENT
        raise UserError("SHA-256 is another")

    assert mistake(server, tmp_path, check) == "SHA-256 is another"
    assert not (tmp_path / "w.bin.part").exists()


def test_an_answer_that_is_no_file(server, tmp_path):
    server.manner = "gone"
    assert mistake(server, tmp_path) == f"{server.url}: the server answers 404 Not Found"
    server.manner = "redirect file:///etc/passwd"
    assert "'file:///etc/passwd' is not allowed" in mistake(server, tmp_path)
    server.manner = "redirect ftp://127.0.0.1/x"
    assert "redirects to ftp:" in mistake(server, tmp_path)
    with pytest.raises(UserError, match="want an address that begins with https:// or http://"):
        download("file:///etc/passwd", tmp_path / "w.bin", MOST, lambda part: None)


def test_a_redirect_keeps_https():
    def redirect(url, to):
        return module._Redirects().redirect_request(
            urllib.request.Request(url), io.BytesIO(), 302, "", {}, to
        )

    assert redirect("http://a.invalid/", "https://b.invalid/x").full_url == "https://b.invalid/x"
    assert redirect("https://a.invalid/", "https://b.invalid/x").full_url == "https://b.invalid/x"
    with pytest.raises(urllib.error.URLError, match=r"redirects to http://b\.invalid"):
        redirect("https://a.invalid/", "http://b.invalid/x")


def test_no_network(server, tmp_path):
    said = mistake(server, tmp_path, url="http://127.0.0.1:1/w.bin")
    assert said.startswith("http://127.0.0.1:1/w.bin: ") and "refused" in said
    assert "no.such.host.invalid" in mistake(server, tmp_path, url="http://no.such.host.invalid/w.bin")


def test_a_server_that_falls_silent(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it listens, and serves nobody
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/w.bin"
        assert "timed out" in mistake(server, tmp_path, url=url)


def test_the_proxy_of_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/w.bin"))
    assert fetch(server, tmp_path, url="http://far.away.invalid/w.bin") == CONTENT
    assert server.seen == [("http://far.away.invalid/w.bin", None)]


def test_what_comes_with_a_redirect_is_not_read(server, tmp_path):
    server.manner = "endless redirect"
    assert fetch(server, tmp_path) == CONTENT
    assert server.sent < 64 << 20


@pytest.mark.parametrize(
    ("manner", "said"),
    [("endless headers", "no answer within 0.3 s"), ("drip", "slower than 1,000 bytes a second; ")],
)
def test_a_server_that_never_ends(manner, said, server, tmp_path, monkeypatch):
    server.manner = manner
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    assert said in mistake(server, tmp_path)
