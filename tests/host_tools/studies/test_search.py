"""The architecture search: its TOML, the fronts, and two tiny candidates as a user searches them."""

import json
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.cli import main
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.studies.search import command as search
from squeezenet_mcu.host_tools.studies.search import report
from squeezenet_mcu.host_tools.studies.search import settings as search_settings
from squeezenet_mcu.model.train import checkpoint

BASE = """
name = "tiny"
[input]
height = 16
width = 16
channels = 1
[architecture]
family = "small"
classes = 4
bypass = "simple"
conv1 = { filters = 8, kernel = 3, stride = 2 }
stages = [[4, 8, 8]]
[data]
reserve = 0.2
[train]
epochs = 30
batch = 16
validation = 0.05
[prune]
sparsity = 0.75
layers = { conv1 = 0.25 }
"""
SEARCH = """
base = "tiny.toml"
epochs = 2
images = 100
[limits]
macs = 60_000
[[candidate]]
name = "own"
[[candidate]]
name = "wide"
stages = [[8, 16, 16]]
bypass = "complex"
train = { learning_rate = 0.05 }
"""


def write(folder: Path, text: str = SEARCH) -> Path:
    (folder / "tiny.toml").write_text(BASE)
    path = folder / "search.toml"
    path.write_text(text)
    return path


def test_candidates_are_the_base_but_for_what_they_say(tmp_path):
    found = search_settings.load(str(write(tmp_path)))
    own, wide = found.candidates["own"], found.candidates["wide"]
    assert (own.architecture, own.name) == (found.base.architecture, "tiny")
    assert [tuple(vars(stage).values()) for stage in wide.architecture.stages] == [(8, 16, 16)]
    assert wide.architecture.conv1 == own.architecture.conv1
    assert (own.train.epochs, own.train.learning_rate) == (2, 0.1)
    assert (wide.train.epochs, wide.train.learning_rate) == (2, 0.05)
    assert vars(found.limits) == {"macs": 60_000, "weights_bytes": None, "sram_bytes": None}
    assert found.validation == search_settings.MIN_VALIDATION  # the base's share would be too few to tell
    assert found.chosen == "own"


def test_no_candidate_is_chosen_where_none_is_the_base_s(tmp_path):
    text = SEARCH.replace('name = "own"', 'name = "own"\nbypass = "none"')
    assert search_settings.load(str(write(tmp_path, text))).chosen is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"tiny.toml"', '"gone.toml"', "gone.toml: no such file"),
        ('"tiny.toml"', '"v1_1"', 'base = "v1_1"; want a model of family "small", not "v1.1"'),
        ('base = "tiny.toml"', "", "base is missing"),
        ("epochs = 2", "epochs = 0", "epochs = 0; want a whole number from 1 to 10000"),
        ("images = 100", "pictures = 100", "pictures = 100; want no such key"),
        ("macs = 60_000", "macs = 1.5", "[limits] macs = 1.5; want a whole number"),
        ("macs = 60_000", "flash = 1", "[limits] flash = 1; want no such key"),
        ("[[8, 16, 16]]", "[[8, 16]]", "[candidate wide] stages = [[8, 16]]; want a list of"),
        ('name = "wide"', 'name = "own"', '[candidate 2] name = "own"; want another name for each'),
        ('name = "wide"', 'name = "a/b"', '[candidate 2] name = "a/b"; want lower-case letters'),
        ("stages =", "classes = 3\nstages =", "[candidate wide] classes = 3; want no such key"),
        ("learning_rate = 0.05", "rate = 0.05", "[candidate wide.train] rate = 0.05; want no such key"),
        (
            "learning_rate = 0.05",
            "epochs = 9",
            "[candidate wide.train] epochs = 9; want no such key here: it is the same for all candidates",
        ),
    ],
)
def test_mistakes_in_the_toml(tmp_path, old, new, words):
    assert old in SEARCH
    with pytest.raises(UserError) as error:
        search_settings.load(str(write(tmp_path, SEARCH.replace(old, new, 1))))
    assert words in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith(str(tmp_path))


@pytest.mark.parametrize("name", [path.parent.name for path in paths.ZOO.glob("*/search.toml")])
def test_the_zoo_s(name):
    found = search_settings.load(name)
    assert found.base.name == name and len(found.candidates) >= 6
    assert len({candidate.architecture for candidate in found.candidates.values()}) == len(found.candidates)


def test_front():
    points = [(1, 0.5), (2, 0.7), (2, 0.6), (3, 0.7), (3, 0.9), (9, 0.8), (1, 0.5), (0.5, 0.1)]
    assert report.front(points) == [True, True, False, False, True, False, True, True]
    assert report.front([(5, 0.2)]) == [True]


def record(name: str, accuracy: float, stored: int, sram: int, instructions: int) -> dict:
    return {
        "candidate": name, "int8_accuracy": accuracy, "float_accuracy": accuracy, "validation_images": 500,
        "train_images": 100, "parameters": 2 * stored, "macs": 50_000 + stored, "weights_dense_bytes": stored,
        "weights_stored_bytes": stored, "sram_least_bytes": sram, "sram_bytes": sram + 1, "seconds": 7.0,
        "instructions": instructions, "limited_sram_bytes": sram, "limited_instructions": instructions,
    }  # fmt: skip


def test_what_was_found_is_told_by_fronts_and_limits(tmp_path):
    settings = search_settings.load(str(write(tmp_path)))
    own, wide = record("own", 0.8, 9_000, 300, 5_000_000), record("wide", 0.9, 12_000, 300, 7_000_000)
    found = report.summary(settings, [own, wide])
    assert [entry["fronts"] for entry in found["candidates"]] == ["WI", "WSI"]
    assert [entry["over"] for entry in found["candidates"]] == [[], ["macs"]]
    assert (found["chosen"], found["missing"]) == ("own", [])
    page = report.markdown(found)
    assert "| **own** (chosen) | 80.0 | 80.0 |" in page
    assert "| wide | 90.0 | 90.0 | 87.1 to 92.3 | 24,000 | 0.06 M ! | 12,000 | 12,000 | 300 | 301 |" in page
    picture = report.picture(found)
    assert picture == report.picture(found)
    assert picture != report.picture(report.summary(settings, [own]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """With tiny.toml, search.toml, and digits.npz, whose test images would fail whoever read them."""
    place = tmp_path_factory.mktemp("search")
    digits = sources.load("digits", "train", 16, 16, 1, limit=600)
    few = digits.y < 4
    np.savez(
        place / "digits.npz", x_train=digits.x[few], y_train=digits.y[few],
        x_test=np.zeros((1, 1)), y_test=np.zeros(1),
    )  # fmt: skip
    write(place)
    return place


def run(*more: str) -> int:
    return main(
        "python -m model",
        "",
        [search],
        ["search", "--model", "search.toml", *(more or ("--data", "digits.npz"))],
    )


def records(folder: Path) -> dict[str, dict]:
    found = folder / "build/tiny/search"
    return {path.stem: json.loads(path.read_text()) for path in found.glob("*.json") if path.stem != "search"}


def test_classes_of_the_data(folder, tmp_path):
    path = write(tmp_path)
    (tmp_path / "tiny.toml").write_text(BASE.replace("classes = 4", 'classes = "data"'))
    found, parts = search.images_of(search_settings.load(str(path)), str(folder / "digits.npz"))
    assert {candidate.architecture.classes for candidate in found.candidates.values()} == {4}
    assert found.chosen == "own" and set(parts.train.y) == set(range(4)) and parts.reserve is None


def test_search(folder, monkeypatch, capsys):
    assert console._load("search", console._MODEL["search"]) is search
    monkeypatch.chdir(folder)
    out = folder / "build/tiny/search"

    assert run("--publish") == 1
    assert "search.json: no such file; run first" in capsys.readouterr().err
    assert run("--data", "digits.npz", "--only", "deep") == 1
    assert "deep: no such candidate" in capsys.readouterr().err

    # Ctrl-C after the first epoch, and once more when the training is complete: the same command goes on.
    save = checkpoint.save

    def interrupted(*args):
        save(*args)
        raise KeyboardInterrupt

    def interrupted_early(*args):
        raise KeyboardInterrupt

    only = ("--data", "digits.npz", "--only", "own")
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", interrupted)
        assert run(*only) == 130
    assert "the same command goes on from there" in capsys.readouterr().out
    with monkeypatch.context() as patched:
        patched.setattr(search, "figures", interrupted_early)
        assert run(*only) == 130
    said = capsys.readouterr().out
    assert "resuming after epoch 1 of 2" in said and "own 2/2: loss" in said and "own 1/2: loss" not in said
    assert not records(folder)
    assert run(*only) == 0
    said = capsys.readouterr().out
    assert "resuming after epoch 2 of 2" in said and ": loss" not in said and "not tried yet: wide" in said
    assert json.loads((out / "search.json").read_text())["missing"] == ["wide"]

    before = records(folder)["own"]
    assert run() == 0
    said = capsys.readouterr().out
    assert "own.json is up to date" in said and "wide 1/2: loss" in said
    found = records(folder)
    assert found["own"] == before
    # conv1, squeeze1x1, expand1x1, expand3x3, (bypass1x1), conv10
    assert found["own"]["weights_dense_bytes"] == 9 * 8 + 8 * 4 + 4 * 8 + 9 * 4 * 8 + 16 * 4
    assert found["wide"]["weights_dense_bytes"] == 9 * 8 + 8 * 8 + 8 * 16 + 9 * 8 * 16 + 8 * 32 + 32 * 4
    for entry in found.values():
        assert (entry["train_images"], entry["history"][-1]["epoch"]) == (100, 2)
        assert 0 < entry["sram_least_bytes"] <= entry["sram_bytes"]
        assert 0 < entry["weights_stored_bytes"] < entry["weights_dense_bytes"] < entry["engine_model_bytes"]
        assert 0 < entry["instructions"] <= entry["limited_instructions"]
        assert 0 < entry["int8_accuracy"] <= 1
    again = {path: path.read_bytes() for path in out.iterdir() if path.is_file()}

    assert run() == 0
    said = capsys.readouterr().out
    assert said.count("is up to date") == 2 and ": loss" not in said
    assert {path: path.read_bytes() for path in out.iterdir() if path.is_file()} == again

    (folder / "search.toml").write_text(SEARCH.replace("[[8, 16, 16]]", "[[8, 8, 8]]"))
    assert run() == 0
    said = capsys.readouterr().out
    assert "own.json is up to date" in said and "wide 1/2: loss" in said
    changed = records(folder)
    assert changed["own"] == found["own"]
    assert changed["wide"]["weights_dense_bytes"] < found["wide"]["weights_dense_bytes"]
    assert len(list((out / "checkpoints").glob("wide-*.npz"))) == 1

    assert run("--publish") == 0
    for name in search.OUTPUTS:
        assert (folder / name).read_bytes() == (out / name).read_bytes()
