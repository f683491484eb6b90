"""For the tests of the command: a folder with a model, and a device that runs it."""

import json

import pytest

from tests.host_tools.link.link_lines import on_socket
from tests.host_tools.validate.toy import Python
from tests.manifests import manifest
from tests.protocol.link_binaries import FakeDevice


@pytest.fixture
def build(tmp_path, monkeypatch):
    """build/toy/ in a folder of its own, and Python in the place of LiteRT."""
    tflite = b"the model"
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "build" / "toy"
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(tflite)
    (folder / "manifest.json").write_text(json.dumps(manifest(tflite)))
    monkeypatch.setattr("squeezenet_mcu.common.litert.Reference.of", lambda manifest, content: Python())
    return folder


@pytest.fixture
def url(monkeypatch):
    """A device with the model of `build`, as far as its SHA-256 tells."""
    with on_socket(FakeDevice(model=0x5A)) as opened:
        yield opened


@pytest.fixture
def same_model(monkeypatch):
    """The SHA-256 of a file cannot be chosen, the fake device's is 5a5a...: let them be the same."""
    monkeypatch.setattr("squeezenet_mcu.common.files.sha256", lambda data: "5a" * 32)
