"""confusion.png and mistakes.png of any model: legible with few and with many classes, on any background."""

import json

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common import statistics
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.model.card import confusion, mistakes
from squeezenet_mcu.model.settings import config

DIGITS = config.load("digits")


def answers(classes: int, images: int, channels: int = 3):
    """A test set, and of every fifth image a wrong class."""
    y = np.arange(images, dtype=np.int64) % classes
    found = np.where(np.arange(images) % 5, y, (y + 1) % classes)
    sure = np.linspace(0.4, 1, images)
    x = np.random.default_rng(1).integers(0, 256, (images, 16, 16, channels), dtype=np.uint8)
    return Set(x, y), statistics.confusion(y, found, classes), statistics.worst_mistakes(y, found, sure)


def test_the_worst_mistakes_are_those_that_it_was_the_surest_of():
    y, found = np.array([0, 1, 2, 2, 1]), np.array([0, 2, 2, 0, 0])
    worst = statistics.worst_mistakes(y, found, np.array([1.0, 0.5, 1.0, 0.9, 0.5]))
    assert [(m["image"], m["label"], m["taken"]) for m in worst] == [(3, 2, 0), (1, 1, 2), (4, 1, 0)]
    assert worst[0]["probability"] == 0.9
    many = statistics.worst_mistakes(np.zeros(90, np.int64), np.ones(90, np.int64), np.ones(90))
    assert [m["image"] for m in many] == list(range(statistics.MISTAKES))
    assert statistics.confusion(y, found, 3) == [[1, 0, 0], [1, 0, 1], [1, 0, 1]]


@pytest.mark.parametrize(
    ("labels", "channels"),
    [
        (["a", "b"], 1),
        (["Katze", "Hund 五 $x$", "a very long name of a folder of photographs, all in one"], 3),
        ([f"class of signs {n}" for n in range(43)], 3),
    ],
)
def test_pictures(tmp_path, capsys, recwarn, labels, channels):
    test, table, worst = answers(len(labels), 200, channels)
    mistakes.write("mine", labels, table, worst, test, tmp_path)
    assert "confusion.png" in capsys.readouterr().out
    # Of letters that the font lacks; what other tests left behind may be told now, too.
    assert not [seen for seen in recwarn.list if "lyph" in str(seen.message)]
    for name in (mistakes.CONFUSION, mistakes.MISTAKES):
        picture = Image.open(tmp_path / name).convert("RGBA")
        pixels = np.asarray(picture)
        assert (pixels[..., 3] == 255).all()  # of its own background: the page's may be dark
        assert (pixels[0, :, :3] == 255).all() and 150 < min(picture.size) <= max(picture.size) < 1500
        # Nothing is cut off: all around it is white.
        assert (pixels[-1, :, :3] == 255).all() and (pixels[:, 0, :3] == 255).all()
        assert (pixels[:, -1, :3] == 255).all()
    # Each pixel of an image is a square of at least four: 24 images, in four rows.
    sheet = np.asarray(Image.open(tmp_path / mistakes.MISTAKES).convert("RGB")).astype(int)
    first = test.x[worst[0]["image"]]
    color = np.broadcast_to(first[0, 0], 3)
    assert (np.abs(sheet - color).max(axis=-1) <= 1).sum() >= 16


def test_the_map_keeps_its_room_beside_long_names(tmp_path):
    """Once it shrank to nothing between the names."""
    table = [[9, 1, 0], [0, 9, 1], [1, 0, 9]]
    confusion.draw(table, ["a very long name of a class " + c for c in "abc"], "mine", tmp_path / "c.png")
    dark = np.asarray(Image.open(tmp_path / "c.png").convert("RGB")).astype(int)
    blue = (dark[..., 2] - dark[..., 0]) > 60  # the diagonal
    assert blue.sum() > 3 * 40 * 40


def test_of_very_many_classes_those_of_most_mistakes(tmp_path):
    table = np.diag(np.full(1000, 5))
    table[7, 900] = table[900, 7] = 3
    confusion.draw(table.tolist(), [f"class {n}" for n in range(1000)], "imagenet", tmp_path / "c.png")
    assert max(Image.open(tmp_path / "c.png").size) < 1500
    assert confusion._worst_classes(table.tolist()) == [7, 900]


def test_no_mistakes(tmp_path):
    test, _, _ = answers(3, 9)
    mistakes.write("mine", ["a", "b", "c"], np.diag([3, 3, 3]).tolist(), [], test, tmp_path)
    assert Image.open(tmp_path / mistakes.MISTAKES).width > 200


def test_they_are_drawn_once_and_a_fault_loses_nothing(tmp_path, capsys):
    test, table, worst = answers(10, 50, 1)
    mistakes.after(DIGITS, test, tmp_path)  # no record
    assert "notice: " in capsys.readouterr().out and not (tmp_path / mistakes.MISTAKES).exists()
    (tmp_path / "quantize.json").write_text("{}")
    mistakes.after(DIGITS, test, tmp_path)
    assert "mistakes.png not drawn" in capsys.readouterr().out
    whole = {
        "test_accuracy": 0.8, "test_images": 50, "train_images": 9, "parameters": 1, "epochs": 0,
        "seconds": 1, "machine": "", "output_sha256": "0" * 64, "fingerprint": "", "history": [],
        "confusion": table, "mistakes": worst,
    }  # fmt: skip
    (tmp_path / "quantize.json").write_text(json.dumps(whole))
    mistakes.after(DIGITS, test, tmp_path)
    assert "taken for which" in capsys.readouterr().out
    mistakes.after(DIGITS, test, tmp_path)
    assert capsys.readouterr().out == ""
    outside = whole | {"mistakes": [{"image": 50, "label": 1, "taken": 2, "probability": 1.0}]}
    (tmp_path / mistakes.MISTAKES).unlink()
    (tmp_path / "quantize.json").write_text(json.dumps(outside))
    mistakes.after(DIGITS, test, tmp_path)
    assert "not drawn: IndexError" in capsys.readouterr().out
