"""`make upload` as users type it: mistakes are one line; on an emulated board all of it, signed."""

import argparse
import json
from types import SimpleNamespace

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.upload import command, package
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
        ("upload", "--board", "stm32f405"): "its emulator keeps no new models; boards whose does: ",
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


def test_a_device_names_no_folder():
    """What it calls itself is looked for among the boards here, not in the file system."""
    for said in ("../../x", "firmware_cpp/boards/stm32f405", "", "nowhere"):
        device = SimpleNamespace(info=SimpleNamespace(board=said))
        with pytest.raises(UserError, match=r"^x: the device calls itself .* no board here; give BOARD="):
            command._board_of(argparse.Namespace(board=None, port="x"), device)


def test_a_model_is_made_leaner_until_it_suits(monkeypatch):
    """In less arena, then in about the flash of the model that runs; what the user asked for stays."""
    gemm, winograd = 1 << 1, 1 << 8
    asked = []

    def prepare(model, board, request, *rest):
        asked.append((request.sram_bytes, request.flash_bytes))
        return SimpleNamespace(
            manifest=SimpleNamespace(
                arena_bytes=3000 if request.sram_bytes else 9000,
                kernels=(gemm if request.flash_bytes else gemm | winograd) | 3 << 24,
            )
        )

    monkeypatch.setattr(command.package, "prepare", prepare)
    monkeypatch.setattr(command.build, "model_request_of", lambda args: args.request)
    held = SimpleNamespace(counter=0, arena_bytes=4000, kernels=gemm | 4 << 24, size=16000)
    for given, wanted in (
        (ModelRequest(), [(None, None), (4000, None), (None, 18000), (4000, 18000)]),
        (ModelRequest(sram_bytes=5000), [(5000, None), (5000, None), (5000, 18000)]),
    ):
        asked.clear()
        args = argparse.Namespace(port="x", board=None, fresh=False, request=given)
        made = command._made_for("digits", board_toml.load("stm32f405"), args, None, held)
        assert asked == wanted
        assert made.manifest.arena_bytes == 3000 and made.manifest.kernels & winograd == 0


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


def test_a_device_that_has_had_a_model_of_the_future(monkeypatch):
    """An owner's clock was ahead: said, and mended by FRESH=1; but nothing is signed for years ahead."""
    monkeypatch.setattr(command.time, "time", lambda: 1_800_000_000.0)  # 2027-01-15

    def least(counter: int, fresh: bool) -> int:
        return command._least_counter(
            argparse.Namespace(port="x", board=None, fresh=fresh), SimpleNamespace(counter=counter)
        )

    day = 86400
    assert least(1_800_000_000 + day // 2, fresh=False) == 0
    later = 1_800_000_000 + 30 * day
    with pytest.raises(UserError, match=r"^x: .* signed on 2027-02-14, after today; set the clock .*FRESH=1"):
        least(later, fresh=False)
    assert least(later, fresh=True) == later
    signed = package._signed(tuned.digits().manifest, tuned.key_pair(), None, later)
    assert signed.counter == later
    for fresh in (False, True):
        with pytest.raises(UserError, match=r"signed on 2106-02-07, after today, and takes none .*erase"):
            least((1 << 32) - 1, fresh)


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
    # test_emulated_uploads.py has the figure; here, a busy machine may send requests again.
    assert report["wire_bytes"] <= 0.6 * report["model_bytes"]
    assert (report["float_bytes"], report["alexnet_bytes"]) == (63_080, ALEXNET_BYTES)
    status, said = typed(capsys, *upload, "--key", "mine")  # the emulator was ended, its flash is a file
    assert status == 0 and "runs this model already; nothing to send" in said
    status, said = typed(capsys, "upload", "--model", "digits", "--board", BOARD, "--key", "mine")
    assert status == 0 and "runs digits now" in said
