"""FIT=: how photographs come to a square network, the same in training and in everything after it."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data import fits, sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert import command
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train import records, runner, training_images
from tests.model.commands.test_own_images import tiny

WIDE, SQUARE = (32, 20), (24, 22)


def photos(root, size):
    """Black on both sides of a white square: cropped, they are nearly white."""
    x = np.zeros((size[1], size[0], 3), np.uint8)
    x[:, (size[0] - size[1]) // 2 : (size[0] + size[1]) // 2] = 255
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(x).save(root / name / f"{i}.png")
    return root


def settings(folder, line=""):
    path = folder / "tiny.toml"
    path.write_text(tiny().replace("[data]\n", f"[data]\n{line}\n"), encoding="utf-8")
    return config.load(path)


@pytest.mark.parametrize(
    ("network", "sizes", "fit"),
    [
        ((32, 32), [(640, 480)], "crop"),
        ((32, 32), [(480, 640), (640, 480), (300, 300)], "crop"),
        ((32, 32), [(640, 480), (300, 300)], "resize"),  # not most
        ((32, 32), [(53, 49)], "resize"),  # cut-outs of traffic signs
        ((32, 48), [(640, 480)], "resize"),
        ((32, 32), [], "resize"),
    ],
)
def test_the_fit_of_pictures(network, sizes, fit):
    assert fits.of_pictures(*network, sizes) == fit


@pytest.mark.parametrize(
    ("size", "line", "fit"),
    [
        (WIDE, "", "crop"),
        (SQUARE, "", "resize"),
        (WIDE, 'fit = "resize"', "resize"),
        (SQUARE, 'fit = "crop"', "crop"),
    ],
)
def test_training_crops_photographs_unless_told(tmp_path, capsys, size, line, fit):
    root = photos(tmp_path / "photos", size)
    found, train, test = training_images.load(settings(tmp_path, line), str(root))
    assert found.data.fit == fit
    for split, images in (("train", train), ("test", test)):
        assert (images.x == sources.load(str(root), split, 16, 16, 3, fit=fit).x).all()
    assert ("most images are not: cropped; --fit resize" in capsys.readouterr().out) == (
        size == WIDE and not line
    )


def test_both_parts_have_the_fit_of_the_images_to_train_on(tmp_path):
    photos(tmp_path / "photos/train", WIDE)
    photos(tmp_path / "photos/test", SQUARE)
    _, _, test = training_images.load(settings(tmp_path), str(tmp_path / "photos"))
    assert (test.x == sources.load(str(tmp_path / "photos"), "test", 16, 16, 3, fit="crop").x).all()


def test_arrays_of_photographs_are_cropped_too(tmp_path):
    x = np.zeros((4, 20, 32, 3), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=[0, 1, 0, 1], x_test=x, y_test=[0, 1, 0, 1])
    assert sources.load(str(tmp_path / "a.npz"), "test", 16, 16, 3, fit="").fit == "crop"
    assert sources.load(str(tmp_path / "a.npz"), "test", 16, 24, 3, fit="").fit == "resize"


# The stages after the first


def record(folder, **values):
    """train.json as a stage leaves it."""
    made = {
        "test_accuracy": 0.5, "test_images": 2, "train_images": 8, "parameters": 9, "epochs": 1,
        "seconds": 1.0, "machine": "x", "output_sha256": "0" * 64, "fingerprint": "f", "history": [],
    }  # fmt: skip
    (folder / "train.json").write_text(json.dumps(made | values))
    assert records.read(folder / "train.json")


@pytest.mark.parametrize("used", ["crop", "resize"])
def test_a_later_stage_does_as_the_training_did(tmp_path, used):
    mine = settings(tmp_path)
    record(tmp_path, fit=used)
    assert runner._fit(mine, "prune", tmp_path, None) == used
    assert runner._fit(mine, "train", tmp_path, None) == ""
    assert runner._fit(mine, "train", tmp_path, "crop") == "crop"
    other = {"crop": "resize", "resize": "crop"}[used]
    with pytest.raises(
        UserError, match=rf"train\.json: made with fit {used}; .*tiny\.toml says {other}; run first"
    ):
        runner._fit(mine.with_fit(other), "quantize", tmp_path, None)


def test_a_training_of_before_there_was_a_choice(tmp_path):
    record(tmp_path)
    assert runner._fit(settings(tmp_path), "prune", tmp_path, None) == "resize"


def test_a_fit_that_there_is_not(tmp_path):
    with pytest.raises(UserError, match=r'\[data\] fit = "pad"; want one of "resize", "crop"'):
        settings(tmp_path, 'fit = "pad"')


# The conversion, whose manifest tells evaluate and validate


@pytest.mark.parametrize(("noted", "fit"), [({"fit": "crop"}, "crop"), ({}, "resize")])
def test_the_conversion_takes_the_fit_of_the_training(tmp_path, monkeypatch, noted, fit):
    mine = replace(settings(tmp_path), name="tiny")
    build = tmp_path / "build/tiny"
    build.mkdir(parents=True)
    (build / "quantized.keras").write_bytes(b"weights")
    scored = {"output_sha256": command.files.sha256(b"weights"), "test_accuracy": 0.5, "test_images": 2}
    (build / "quantize.json").write_text(json.dumps(scored | {"labels": ["a", "b"]} | noted))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command.config, "load", lambda name: mine)
    monkeypatch.setattr(command.keras_config, "read", lambda path: None)
    monkeypatch.setattr(command.artefacts, "convert", lambda *given: given)
    monkeypatch.setattr(command.tflite_file, "parse", lambda *given: None)
    monkeypatch.setattr(
        "squeezenet_mcu.model.network.to_tflite",
        SimpleNamespace(to_int8_tflite=lambda model: b"", load_quantized=lambda path: None),
        raising=False,
    )
    args = command.parser().parse_args(["--model", "tiny.toml"])
    _, origin = command._gather(args, command.Console())
    assert origin.fit == fit
