"""`evaluate`: which images it takes, and what it refuses. Whole runs of it: tests/e2e."""

import argparse
import hashlib
import json

import numpy as np
import pytest

from squeezenet_mcu.common import cli
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.studies import evaluate
from tests import manifests


@pytest.fixture
def source(tmp_path):
    """Images whose first pixel is their number, of two classes, forty for testing."""
    x = np.zeros((40, 4, 3), np.uint8)
    x[:, 0, 0] = np.arange(40)
    y = np.arange(40) % 2
    path = tmp_path / "images.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    return str(path)


def manifest(calibration=None):
    return {
        "model": "toy",
        "input": {"height": 4, "width": 3, "channels": 1, "preprocess": "byte"},
        "output": {"classes": 2},
        "labels": ["even", "odd"],
        "calibration": calibration,
        "fit": "resize",
    }


def digests(numbers):
    images = np.zeros((len(numbers), 4, 3, 1), np.uint8)
    images[:, 0, 0, 0] = numbers
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


def numbers(tests):
    return tests.x[:, 0, 0, 0].tolist()


def test_all_test_images(source):
    tests = evaluate._test_set(manifest(), source, None)
    assert (numbers(tests), tests.skipped) == (list(range(40)), 0)


def test_images_used_for_calibration_are_skipped(source):
    used = {"source": source, "sha256": digests([0, 7, 39])}
    tests = evaluate._test_set(manifest(used), source, None)
    assert tests.skipped == 3
    assert any("left out 3 images" in notice for notice in tests.notices)
    assert numbers(tests) == [i for i in range(40) if i not in (0, 7, 39)]
    assert np.array_equal(tests.y, np.array(numbers(tests)) % 2)


def test_a_limit_is_kept_where_it_falls_on_the_calibration_images(source):
    """Both are spread in the same way over the same folder: ten of forty are every fourth image."""
    used = {"source": source, "sha256": digests(range(0, 40, 4))}
    tests = evaluate._test_set(manifest(used), source, 10)
    assert len(tests.x) == 10
    assert not set(numbers(tests)) & set(range(0, 40, 4))


def test_nothing_left_to_test_on(source):
    used = {"source": source, "sha256": digests(range(40))}
    with pytest.raises(UserError, match="40 images, all of them used for calibration"):
        evaluate._test_set(manifest(used), source, None)


def test_data_are_remembered(source, capsys):
    trained = {**manifest(), "data": source, "accuracy": {"data": "other"}}
    assert evaluate._own_data(trained) == source
    said = capsys.readouterr().out
    assert said == f"note: images of {source}, as toy remembers; --data takes others\n"
    assert evaluate._own_data({**trained, "data": ""} | {"accuracy": {"data": source}}) == source
    for named in ("", "digits"):
        assert evaluate._own_data({**manifest(), "data": named, "accuracy": None}) == named
    capsys.readouterr()
    with pytest.raises(UserError) as error:
        evaluate._own_data({**trained, "data": "my_photos"})
    assert str(error.value) == (
        "my_photos: no such data any more, and toy was trained on them or scored with them; put them back, "
        "or give labelled test images: DATA= (--data)"
    )


def test_no_image_has_a_label():
    with pytest.raises(UserError, match="random:3: 3 images, none of them labelled; evaluate wants other"):
        evaluate._test_set(manifest(), "random:3", None)


def test_one_output_has_no_accuracy(source):
    """Whatever labels the images have, they are not to blame."""
    with pytest.raises(
        UserError, match=r"toy has one output.*no accuracy to evaluate.*make validate MODEL=toy"
    ):
        evaluate._test_set(manifest() | {"output": {"classes": 1}}, source, None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((None, 0, None), "--limit 0"), ((None, None, -3), "--engine-limit -3"), ((None, None, None), "toy")],
)
def test_mistakes(arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=says):
        evaluate.evaluate("toy", *arguments, None)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("0.965", ""),
        (
            "0.97",
            "toy has 96.50% right, 0.50 points less than --min-accuracy 0.97; train longer or compress less",
        ),
    ],
)
def test_a_budget(limit, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build/toy").mkdir(parents=True)
    (tmp_path / "build/toy/manifest.json").write_text(json.dumps(manifests.manifest()))
    figures = {"model": "toy", "int8_top1": 0.965, "differing_values": 0}
    monkeypatch.setattr(evaluate, "evaluate", lambda *_: figures)
    monkeypatch.setattr(evaluate, "_show", lambda *_: None)
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    args = parser.parse_args(["--model", "toy", "--min-accuracy", limit])
    assert cli.guarded(evaluate.run, args, "evaluate") == (1 if says else 0)
    assert capsys.readouterr().err == (f"evaluate: error: {says}\n" if says else "")


def test_a_float_model_that_has_changed_is_refused(tmp_path):
    path = tmp_path / "imported.keras"
    path.write_bytes(b"another")
    entry = {"file": str(path), "sha256": "0" * 64, "divisor": 1.0}
    with pytest.raises(UserError, match="gone or changed since the conversion; run: make convert MODEL=toy"):
        evaluate._float_model(manifest() | {"float": entry})
    assert evaluate._float_model(manifest() | {"float": None}) is None


class Halves:
    """Stands for a Keras model: notes what it is given."""

    def __init__(self):
        self.batches = []

    def predict_on_batch(self, x):
        self.batches.append(x)
        return x.reshape(len(x), -1)[:, :2]


def test_keras_sees_a_few_floats_at_a_time():
    x = np.arange(70, dtype=np.uint8).reshape(70, 1, 1, 1).repeat(2, axis=3)
    network, done = Halves(), []
    logits = evaluate._keras_logits(network, x, 255.0, done.append)
    assert done == [32, 64, 70]
    assert [b.dtype for b in network.batches] == [np.float32] * 3
    assert np.array_equal(logits[:, 0], np.arange(70, dtype=np.float32) / np.float32(255))


@pytest.mark.parametrize("classes", [10, 11])
def test_top_5_is_told_above_ten_classes(classes, capsys):
    shares = {f"{runner}_top{k}": 0.9 for runner in ("keras", "int8", "engine") for k in (1, 5)}
    intervals = {f"{name}_interval": [0.8, 0.95] for name in shares}
    counts = {"images": 40, "engine_images": 40, "differing_values": 0, "classes": classes}
    evaluate._show(Console(width=120), {"model": "toy", "data": "d", **shares, **intervals, **counts})
    said = capsys.readouterr().out
    assert said.count("top-5") == (2 if classes > 10 else 0) and said.count("top-1") == 2


def test_its_mistakes_are_drawn(source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tests = evaluate._test_set(manifest(), source, None)
    logits = np.where(np.arange(40)[:, None] % 2 == np.arange(2), 50, -50).astype(np.int8)
    logits[3] = (9, 4)  # odd, taken for even
    made = manifest() | {"output": {"classes": 2, "logits_scale": 0.1}}
    evaluate._draw("toy", evaluate.Model(made, b"", b""), tests, logits)
    assert "build/toy/confusion.png, build/toy/mistakes.png" in capsys.readouterr().out
    assert (tmp_path / "build/toy/mistakes.png").is_file()
    drawn = []
    monkeypatch.setattr(evaluate.mistakes, "write", lambda *given: drawn.append(given))
    evaluate._draw("toy", evaluate.Model(made, b"", b""), tests, logits)
    _, _, table, (worst,), test, _ = drawn[0]
    assert table == [[20, 0], [1, 19]] and (test.x[worst["image"]] == 3).any()
    assert worst["probability"] == pytest.approx(1 / (1 + np.exp(-0.5)), abs=1e-4)
    monkeypatch.setattr(evaluate.mistakes, "write", lambda *_: 1 / 0)
    evaluate._draw("toy", evaluate.Model(made, b"", b""), tests, logits)
    assert "not drawn: ZeroDivisionError" in capsys.readouterr().out
