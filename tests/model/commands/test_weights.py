"""make weights: the published files, from a server on loopback, checked and imported."""

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.model.importers import imported_model, official
from squeezenet_mcu.model.importers.official import Official
from squeezenet_mcu.model.network import keras_files
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train import transfer
from tests.convert.shared_files import data_file
from tests.model.importers.torch_files import pth
from tests.model.importers.weight_files import random_weights
from tests.servers import BREAKS_AFTER, PROXIES, serving

WEIGHTS = random_weights(config.load("imagenet_v1_1").kernels)
CONTENT = pth(WEIGHTS)
NAME = "squeezenet1_1-b8a52dc0.pth"


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server of v1.1's file, which is torchvision's as far as the program knows."""
    monkeypatch.chdir(tmp_path)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    with serving(CONTENT) as found:
        url = found.url.replace("w.bin", NAME)
        ours = Official(url, 8 << 20, "torchvision's, float32", sha256=files.sha256(CONTENT)[:8])
        monkeypatch.setitem(official.FILES, "imagenet_v1_1", (ours,))
        yield found


def run(*words):
    return console.model(["weights", *words])


def said_of(capsys, *words):
    """The line of error of a run that fails."""
    assert run(*words) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_fetched_after_a_break_verified_imported(server, tmp_path, capsys):
    server.manner = "breaks"
    said = said_of(capsys, "--model", "photos")
    assert (
        f"cut off after {BREAKS_AFTER:,} of {len(CONTENT):,} bytes" in said and "goes on from there" in said
    )
    url = official.FILES["imagenet_v1_1"][0].url
    assert f"without a network: get {url} elsewhere, put it at build/weights/{NAME}" in said
    server.manner = ""
    assert run("--model", "photos") == 0
    assert server.seen[-1] == (f"/{NAME}", f"bytes={BREAKS_AFTER}-")
    printed = capsys.readouterr().out
    assert f"verified by the first 8 digits of its SHA-256, {files.sha256(CONTENT)[:8]}" in printed
    assert (tmp_path / "build/weights" / NAME).read_bytes() == CONTENT
    start = transfer.initial(config.load("photos"), None, tmp_path / "build")
    assert start == tmp_path / "build/imagenet_v1_1/imported.keras"
    kernel = keras_files.load(start).get_layer("fire9_expand3x3").get_weights()[0]
    np.testing.assert_array_equal(kernel, WEIGHTS["fire9_expand3x3"][0])
    assert imported_model.read(config.load("imagenet_v1_1"), tmp_path / "build/imagenet_v1_1")


def test_a_file_put_there_by_hand(server, tmp_path, capsys, monkeypatch):
    """Nothing is asked of the server."""
    imported = []
    monkeypatch.setattr(imported_model, "write", lambda *given: imported.append(given))
    monkeypatch.setattr(imported_model, "summary", str)
    files.write_bytes(tmp_path / "build/weights" / NAME, CONTENT)
    assert run("--model", "imagenet_v1_1") == 0
    assert "is there already" in capsys.readouterr().out and not server.seen
    ((settings, weights, _),) = imported
    assert settings.name == "imagenet_v1_1" and weights.name == NAME


def test_another_file(server, tmp_path, capsys):
    place = tmp_path / "build/weights" / NAME
    server.content = pth(random_weights(config.load("imagenet_v1_1").kernels, seed=1))
    said = said_of(capsys, "--model", "imagenet_v1_1")
    assert f"SHA-256 {files.sha256(server.content)}; want {files.sha256(CONTENT)[:8]}...: damaged" in said
    assert not list(place.parent.iterdir())
    place.write_bytes(server.content)
    assert "remove it, and type the same again" in said_of(capsys, "--model", "imagenet_v1_1")
    place.unlink()
    server.content = bytes(9 << 20)
    assert "9,437,184 bytes or more; want at most 8,388,608" in said_of(capsys, "--model", "imagenet_v1_1")
    assert not (tmp_path / "build/imagenet_v1_1").exists()


def test_a_mirror_and_no_network(server, capsys):
    said = said_of(capsys, "--model", "imagenet_v1_1", "--url", "http://127.0.0.1:1/x.pth")
    assert said.startswith("python -m model weights: error: http://127.0.0.1:1/x.pth: ") and "refused" in said
    assert said.endswith(f"elsewhere, put it at build/weights/{NAME}, and type the same again")
    assert not server.seen


def test_models_and_files_without_published_weights(capsys):
    assert (
        "no published weights are known for it; want --model imagenet_v1_1, --model imagenet_v1_0"
        in said_of(capsys, "--model", "digits")
    )
    said = said_of(capsys, "--model", "imagenet_v1_0", "--weights", "mine.npz")
    assert (
        "want compressed_SqueezeNet.net (" in said
        and "squeezenet_v1.0.caffemodel (the SqueezeNet aut" in said
    )


def test_by_what_a_file_is_known(tmp_path):
    path = tmp_path / "w"
    path.write_bytes(b"hello\n")
    git = Official("https://h/w", 99, "", git_blob="ce013625030ba8dba906f756967f9e9ca394464a")
    assert official.check(git, path) == "the SHA-1 that git has of it"
    whole = Official("https://h/w", 99, "", sha256=files.sha256(b"hello\n"))
    assert official.check(whole, path) == "SHA-256"
    assert official.check(Official("https://h/w", 99, ""), path) == ""
    path.write_bytes(b"hallo\n")
    for file in (git, whole):
        with pytest.raises(UserError, match="damaged, or another file"):
            official.check(file, path)
    with pytest.raises(UserError, match="at most 5 are read"):
        official.check(Official("https://h/w", 5, ""), path)


def test_the_authors_own_file():
    path = data_file("weights/compressed_SqueezeNet.net")
    assert official.check(official.FILES["imagenet_v1_0"][0], path) == "SHA-256"
