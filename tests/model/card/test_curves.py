"""build/<model>/curves.png and curves.json, from records of no training."""

import dataclasses
import io
import json

import matplotlib
import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common import cli, files
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.card import curves
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train import runner, stage
from tests.model import stage_records

DIGITS = config.load(stage_records.TOML)
CLUSTERED = dataclasses.replace(DIGITS, cluster=dataclasses.replace(DIGITS.cluster, clusters=32))


def read(folder, name="curves.json"):
    return json.loads((folder / name).read_text())


def changed(folder, name, **changes):
    files.write_json(folder / f"{name}.json", read(folder, f"{name}.json") | changes)


def test_all_stages(tmp_path):
    stage_records.write(CLUSTERED, tmp_path)
    curves.write(CLUSTERED, tmp_path)
    found = read(tmp_path)
    assert [part["stage"] for part in found["stages"]] == ["train", "prune", "cluster", "quantize"]
    for part in found["stages"]:
        record = read(tmp_path, f"{part['stage']}.json")
        assert part["history"] == record["history"] and len(part["history"]) == record["epochs"]
        assert part["validation_accuracy"] == record["validation_accuracy"]
    assert found["layers_after"] == "quantize"
    assert found["layers"]["fire2_expand3x3"] == {
        "weights": 1152, "zeros": 583, "values": 30, "guaranteed": {"zeros": 576, "values": 32, "block": None}
    }  # fmt: skip
    assert found["sizes"] == {"dense_int8_bytes": 15_504, "stored_bytes": 9876, "tflite_bytes": 24_000}


def test_only_stages_that_have_run_and_belong_together(tmp_path):
    stage_records.write(CLUSTERED, tmp_path)
    (tmp_path / "quantize.json").unlink()
    found = curves.gather(CLUSTERED, tmp_path)
    assert [part["stage"] for part in found["stages"]] == ["train", "prune", "cluster"]
    assert found["layers_after"] == "cluster" and found["sizes"]["tflite_bytes"] is None
    assert found["sizes"]["stored_bytes"] is None

    changed(tmp_path, "cluster", input_sha256="of another pruned network")
    assert [part["stage"] for part in curves.gather(CLUSTERED, tmp_path)["stages"]] == ["train", "prune"]
    (tmp_path / "prune.json").write_text("half a rec")
    alone = curves.gather(CLUSTERED, tmp_path)
    assert [part["stage"] for part in alone["stages"]] == ["train"]
    assert alone["layers"] == {} and alone["layers_after"] is None
    (tmp_path / "train.json").unlink()
    with pytest.raises(UserError, match=r"train.json: missing; run first: python -m model train --model .*"):
        curves.gather(CLUSTERED, tmp_path)


def test_weights_stored_are_of_this_very_tflite(tmp_path):
    stage_records.write(DIGITS, tmp_path)
    changed(tmp_path, "quantize", tflite_sha256="another")
    assert curves.gather(DIGITS, tmp_path)["sizes"]["stored_bytes"] is None


@pytest.mark.parametrize(
    ("stages", "validated"),
    [(("train",), True), (("train", "prune"), False), (("train", "prune", "cluster", "quantize"), True)],
)
def test_picture(tmp_path, stages, validated):
    stage_records.write(CLUSTERED, tmp_path)
    for name in ("prune", "cluster", "quantize"):
        if name not in stages:
            (tmp_path / f"{name}.json").unlink()
    figures = curves.gather(CLUSTERED, tmp_path)
    if not validated:
        for part in figures["stages"]:
            part["history"] = [
                {key: value for key, value in entry.items() if key != "validation_accuracy"}
                for entry in part["history"]
            ]
    path = tmp_path / "curves.png"
    curves.draw(figures, path)
    content = path.read_bytes()
    picture = Image.open(io.BytesIO(content))
    picture.load()
    assert picture.width == 1200 and picture.height >= 400
    assert not picture.text  # no date, no version
    assert len(np.unique(np.asarray(picture.convert("L")))) > 20

    # The same bytes again, also where the user has other settings.
    with matplotlib.rc_context({"font.size": 25, "figure.facecolor": "black"}):
        curves.draw(figures, path)
    assert path.read_bytes() == content
    figures["stages"][0]["history"][3]["accuracy"] += 0.1
    curves.draw(figures, path)
    assert path.read_bytes() != content


def test_odd_histories(tmp_path):
    """Post-training quantization has no epochs; losses may be 0, accuracies 0 or 1."""
    stage_records.write(DIGITS, tmp_path)
    changed(tmp_path, "quantize", history=[], epochs=0)
    changed(tmp_path, "prune", history=[{"epoch": 1, "loss": 0.0, "accuracy": 1.0, "images_per_s": 1}])
    changed(tmp_path, "train", history=[{"epoch": 1, "loss": 2.0, "accuracy": 0.0, "images_per_s": 1}])
    curves.write(DIGITS, tmp_path)
    assert Image.open(tmp_path / "curves.png").width == 1200


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stage_records.write(DIGITS, tmp_path / "build/digits")
    assert cli.main("python -m model", "", [curves], ["curves", "--model", "digits"]) == 0
    assert "wrote build/digits/curves.png" in capsys.readouterr().out
    assert read(tmp_path / "build/digits")["model"] == "digits"
    (tmp_path / "build/digits/train.json").unlink()
    assert cli.main("python -m model", "", [curves], ["curves"]) == 1
    assert "python -m model curves: error: build/digits/train.json: missing" in capsys.readouterr().err


@pytest.mark.parametrize("broken", [False, True])
def test_a_stage_draws_in_the_end_and_loses_nothing_by_it(tmp_path, monkeypatch, capsys, broken):
    from squeezenet_mcu.model.network.squeezenet import build

    settings = dataclasses.replace(
        DIGITS,
        input=config.Input(16, 16, 1),
        architecture=dataclasses.replace(
            DIGITS.architecture, classes=4, conv1=config.Conv1(4, 3, 2), stages=("pool", config.Fire(2, 4, 4))
        ),
    )
    images = Set(np.zeros((8, 16, 16, 1), np.uint8), np.arange(8, dtype=np.int64) % 4)
    made = stage.TrainingStage(
        name="train", config=settings, folder=tmp_path, train=images, validation=images, reserve=None,
        test=images, epochs=1, fingerprint="f", fresh=False, source="", teacher=None,
    )  # fmt: skip
    if broken:
        monkeypatch.setattr(curves, "draw", lambda figures, path: 1 / 0)
    entry = {"epoch": 1, "loss": 1.5, "accuracy": 0.25, "images_per_s": 9, "validation_accuracy": 0.5}
    runner.finish(made, build(settings), [entry], started=0.0)
    curves.after(settings, tmp_path)  # as the command does
    record = read(tmp_path, "train.json")
    assert record["history"] == [entry]
    assert record["input_sha256"] == "" and " cores of " in record["machine"]
    assert read(tmp_path)["stages"][0]["history"] == [entry]
    assert (tmp_path / "curves.png").exists() != broken
    printed = capsys.readouterr().out
    assert ("curves.png not drawn: ZeroDivisionError" in printed) == broken
    assert "train: test accuracy" in printed
