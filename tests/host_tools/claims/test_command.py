"""`make claims` as users type it: the report, mistakes in one line, a measurement that fails."""

import json

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.claims import export, family, measured_network, on_board, training
from squeezenet_mcu.host_tools.claims.claim import Found
from squeezenet_mcu.host_tools.claims.measured_network import Measured
from squeezenet_mcu.model.settings import config
from tests.convert.shared_files import SHARED
from tests.host_tools.claims.test_verdicts import deep_compressed

WEIGHTS = SHARED / "data/weights/compressed_SqueezeNet.net"
IMAGES = SHARED / "data/imagenet_val_1300"
MEASURED = ("training-bytes", "export-bytes", "export-difference-bytes", "memory")


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Runs `claims` with these words in an empty folder: its status, and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words):
        status = console.host_tools(["claims", *map(str, words)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.fixture
def counted(monkeypatch, members):
    """The family, counted once for all tests."""
    monkeypatch.setattr(family, "members", lambda: members)


@pytest.fixture
def measured(monkeypatch, counted):
    """Figures in place of the measurements, which take a minute."""
    network = Measured("toy", "toy weights")
    monkeypatch.setattr(measured_network, "with_random_weights", lambda _console: network)
    monkeypatch.setattr(training, "measure", lambda: Found(49.0, "by two workers"))
    monkeypatch.setattr(on_board, "measure", lambda _network: Found(1e6, "by the map"))
    answers = {name: Found(4e5, "on the link") for name in ("export-bytes", "export-difference-bytes")}
    monkeypatch.setattr(export, "measure", lambda _network, _console: answers)


def read(path):
    return {each["id"]: each for each in json.loads(path.read_bytes())["claims"]}


def test_what_needs_no_data(typed, counted, tmp_path):
    status, said = typed("--no-measuring", "--json", "claims.json")
    assert status == 0
    report = json.loads((tmp_path / "claims.json").read_bytes())
    assert report["format"] == 1 and report["paper"]["arxiv"] == "1602.07360"
    found = read(tmp_path / "claims.json")
    computed = {name for name, each in found.items() if each["verdict"] != "not computed"}
    assert len(computed) == 10 and not computed & set(MEASURED)
    assert [row["parameters"] for row in report["family"]] == [1_248_424, 1_235_496, 1_248_424, 1_589_672]
    assert "holds: 9, does not hold: 1, not computed: 17" in said
    assert found["top-1"]["ours"] is None and "57.5 %; needs (" in said
    for each in found.values():  # all that the JSON has is shown
        assert each["says"].split()[0] in said and bool(each["needs"]) == (each["ours"] is None)
    lines = said[: said.index("What is not computed needs:")].splitlines()  # command lines are not folded
    assert max(map(len, lines)) <= 80


def test_all_advantages(typed, measured, tmp_path):
    status, said = typed("--json", "claims.json")
    found = read(tmp_path / "claims.json")
    assert status == 0 and {found[name]["verdict"] for name in MEASURED} == {"holds"}
    assert "two workers train a few steps" in said


def test_a_measurement_that_fails_leaves_the_others(typed, measured, monkeypatch, tmp_path):
    def fails(_network):
        raise UserError("no compiler; run: apt")

    monkeypatch.setattr(on_board, "measure", fails)
    status, said = typed("--json", "claims.json")
    found = read(tmp_path / "claims.json")
    assert status == 1 and "failed: no compiler; run: apt" in said
    assert (found["memory"]["verdict"], found["memory"]["needs"]) == ("not computed", "make claims")
    assert found["memory"]["how"] == "it failed: no compiler; run: apt"
    assert {found[name]["verdict"] for name in MEASURED if name != "memory"} == {"holds"}


def test_a_network_that_cannot_be_converted(typed, measured, monkeypatch, tmp_path):
    def fails(_console):
        raise UserError("no room")

    monkeypatch.setattr(measured_network, "with_random_weights", fails)
    assert typed("--json", "claims.json")[0] == 1
    found = read(tmp_path / "claims.json")
    assert [found[name]["verdict"] for name in MEASURED] == ["holds"] + 3 * ["not computed"]


def test_the_authors_file(typed, counted, tmp_path):
    deep_compressed(tmp_path / "their.net", entries=100)
    assert typed("--no-measuring", "--weights", "their.net", "--json", "claims.json")[0] == 0
    found = read(tmp_path / "claims.json")
    assert found["compressed-8-bit"]["detail"]["bytes"] == (tmp_path / "their.net").stat().st_size
    assert found["compressed-8-bit"]["verdict"] == "does not hold"  # nearly nothing is in it
    assert found["under-half-megabyte"]["verdict"] == "not computed"


def test_float_weights_alone_tell_nothing(typed, tmp_path):
    arrays = {}
    for name, shape in config.load("imagenet_v1_0").kernels.items():
        layer = name.replace("_", "/")
        arrays |= {f"{layer}/kernel": np.zeros(shape, np.float32)}
        arrays |= {f"{layer}/bias": np.zeros(shape[3], np.float32)}
    np.savez(tmp_path / "float.npz", **arrays)
    status, said = typed("--weights", "float.npz")
    assert status == 1 and said.count("\n") == 1
    assert "--weights float.npz: of float weights, accuracy is all that is asked; want --data, too" in said


def test_mistakes_are_one_line(typed, tmp_path):
    (tmp_path / "cut.net").write_bytes(b"\x01" * 50)
    (tmp_path / "note.txt").write_text("mine")
    deep_compressed(tmp_path / "good.net", entries=3)
    cases = {
        ("--data", "x"): "--data: is for the accuracy of given weights; want --weights, too",
        ("--weights", "none.net"): "none.net: no such file",
        ("--weights", "cut.net"): "cut.net: 50 bytes; want at least 104",
        ("--weights", "note.txt"): "note.txt",
        ("--weights", "good.net", "--data", "nowhere\x1b[31m"): "--data nowhere?[31m: no such folder or file",
        ("--weights", "good.net", "--data", "digits"): "the model has 1000 classes; want its own data",
        (
            "--weights",
            "good.net",
            "--data",
            "random:5",
        ): "--data random:5: nobody says of what classes they are",
        ("--weights", "good.net", "--limit", "5"): "--limit: is of the images of --data; want that, too",
        ("--weights", "good.net", "--data", ".", "--limit", "0"): "--limit 0: want at least 1 image",
        ("--no-measuring", "--json", "note.txt"): "note.txt: is there, and holds no JSON",
    }
    for words, wanted in cases.items():
        status, said = typed(*words)
        assert status == 1 and wanted in said, f"{words}: {said}"
        assert said.count("\n") == 1 and "\x1b" not in said
    assert (tmp_path / "note.txt").read_text() == "mine"


@pytest.mark.long
def test_measured(typed, tmp_path):
    """All that needs no data, from nothing: bytes of a step, of two new models, the memory."""
    status, said = typed("--json", "claims.json")
    found = read(tmp_path / "claims.json")
    assert status == 0, said
    assert {found[name]["verdict"] for name in MEASURED} == {"holds"}
    sent = found["training-bytes"]["detail"]["sent_bytes_a_step_and_worker"]
    assert 1 <= sent / (4 * 1_248_424) < 1.01
    whole, part = (found[name]["detail"] for name in ("export-bytes", "export-difference-bytes"))
    assert 0.9 < whole["wire_bytes"] / whole["model_bytes"] < 1.1
    assert part["wire_bytes"] < 0.4 * part["model_bytes"]
    assert found["memory"]["detail"]["sram_bytes"] <= 128 * 1024


@pytest.mark.long
@pytest.mark.skipif(not (WEIGHTS.is_file() and IMAGES.is_dir()), reason="no weights and images beside us")
def test_the_authors_weights_and_images(typed, tmp_path):
    words = ("--weights", WEIGHTS, "--data", IMAGES, "--limit", 40, "--no-measuring")
    status, said = typed(*words, "--json", "claims.json")
    found = read(tmp_path / "claims.json")
    assert status == 0, said
    assert found["compressed-8-bit"]["detail"]["bytes"] == 675_763
    assert round(found["smaller-8-bit"]["ours"]) == 361
    assert found["under-half-megabyte"]["detail"]["bytes"] < 465_644
    assert found["smaller-6-bit"]["verdict"] == "holds" == found["compressed-top-1"]["verdict"]
    assert found["top-1"]["verdict"] == "not computed"
