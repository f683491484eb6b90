"""`make upload` as users type it: mistakes are one line; on an emulated board all of it, signed."""

import json

import pytest

from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.upload import package
from squeezenet_mcu.host_tools.upload.package import ALEXNET_BYTES
from tests.update import emulated, tuned

BOARD = emulated.BOARD


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    emulated.converted(tmp_path, "digits", 0)
    emulated.converted(tmp_path, "tuned", 2)
    return tmp_path


def typed(capsys, *words: str) -> tuple[int, str]:
    status = console.host_tools([*words])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_mistakes_are_one_line(place, capsys):
    cases = {
        ("upload",): "upload: to which device? want --port, or --board for an emulated one",
        ("upload", "--port", "x", "--old", "y"): "--old: is for an emulated board",
        ("upload", "--board", BOARD): f"build/digits/firmware/{BOARD}/firmware.elf: missing; run: ",
        (
            "upload",
            "--model",
            "tuned",
            "--board",
            BOARD,
        ): "--board mps2_an386 --update; or want --old, if another model's firmware is to take it",
        ("upload", "--board", BOARD, "--key", "none"): "none: no such file; want a file that",
        ("upload", "--board", "nowhere"): "nowhere",
        (
            "firmware",
            "--board",
            BOARD,
            "--key",
            "x.pub",
        ): "--key: is for a firmware that takes new models; want",
        (
            "firmware",
            "--board",
            "mps3_an547",
            "--update",
        ): "mps3_an547 has no slots for new models; boards with",
        ("firmware", "--board", "rp2040", "--cores", "2", "--update"): "--update: with one core only",
    }
    for words, said in cases.items():
        status, text = typed(capsys, *words)
        assert status == 1 and said in text and text.count("\n") == 1, (words, text)


def test_a_manifest_serves_until_the_model_or_the_key_is_another(place, monkeypatch):
    """So that an interrupted upload goes on; a fresh one has the counter of its time."""
    model = tuned.digits()
    secret, public = tuned.key_pair()
    monkeypatch.setattr(package.time, "time", lambda: 1000.0)
    first = package._signed(model.manifest, (secret, public), None)
    assert first.counter == 1000 and any(first.signature)
    monkeypatch.setattr(package.time, "time", lambda: 2000.0)
    assert package._signed(model.manifest, (secret, public), first) == first
    others = {
        "fresh": package._signed(model.manifest, (secret, public), None),
        "not signed": package._signed(model.manifest, None, first),
        "another key": package._signed(model.manifest, tuned.key_pair(bytes(32)), first),
        "another model": package._signed(tuned.digits(1).manifest, (secret, public), first),
    }
    for name, manifest in others.items():
        assert manifest.counter == 2000, name


def test_float_bytes_and_known_models(place):
    """15,504 weights and their biases, four bytes each: of digits' 15 convolutions."""
    assert package.float_bytes(place / "build/digits/model.tflite") == 63_080
    model = tuned.digits()
    assert package.known(model.manifest.sha256) is None
    kept = package.Package(model.content, model.manifest, place / "build/digits/firmware/x/upload", 0)
    package.keep_sent(kept)
    assert package.known(model.manifest.sha256) == model.content
    path = next((place / "build").rglob("sent/*.sqz"))
    path.write_bytes(b"damaged")
    assert package.known(model.manifest.sha256) is None


@pytest.mark.long
def test_all_of_it_on_an_emulated_board(place, capsys):
    assert typed(capsys, "key", "--key", "mine")[0] == typed(capsys, "key", "--key", "other")[0] == 0
    firmware = ("firmware", "--board", BOARD, "--model", "digits", "--update", "--key", "mine.pub")
    assert typed(capsys, *firmware)[0] == 0
    upload = ("upload", "--model", "tuned", "--old", "digits", "--board", BOARD)
    status, said = typed(capsys, *upload, "--key", "other")
    assert status == 1 and "the device keeps its model: the new one is not signed by the key" in said
    status, said = typed(capsys, *upload, "--key", "mine", "--dry-run")
    assert status == 0 and "the device would take it; 4,0" in said
    status, said = typed(capsys, *upload, "--key", "mine", "--json", "report.json")
    assert status == 0 and "243,860,896" in said and "runs tuned now" in said, said
    report = json.loads((place / "report.json").read_text())
    assert report["wire_bytes"] == report["wire_bytes_sent"] + report["wire_bytes_received"]
    assert report["wire_bytes"] <= 0.4 * report["model_bytes"]
    assert (report["float_bytes"], report["alexnet_bytes"]) == (63_080, ALEXNET_BYTES)
    status, said = typed(capsys, *upload, "--key", "mine")  # the emulator was ended, its flash is a file
    assert status == 0 and "runs this model already; nothing to send" in said
    status, said = typed(capsys, "upload", "--model", "digits", "--board", BOARD, "--key", "mine")
    assert status == 0 and "runs digits now" in said
