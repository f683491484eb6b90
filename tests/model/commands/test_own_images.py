"""A folder of one's own images, as a user trains on it: from class folders to the converted model."""

import codecs
import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.network import keras_files
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train import training_images

ROOT = Path(__file__).resolve().parents[3]
CLASSES = {"null": 80, "zwei drei": 80, "fünf ß 五": 16}  # imbalanced
# small.toml itself, but for its size and its patience.
CHANGES = {
    '"small"\n\n[input]': '"tiny"\n\n[input]',
    "height = 32\nwidth = 32": "height = 16\nwidth = 16",
    "filters = 24, kernel = 3, stride = 1": "filters = 8, kernel = 3, stride = 2",
    "epochs = 60\nbatch = 32": "epochs = 6\nbatch = 8",
    "learning_rate = 0.01 #": "learning_rate = 0.05 #",
    "warmup_epochs = 5": "warmup_epochs = 1",
    "shift = 3": "shift = 1",
    "rotate = 10": "rotate = 5",
    "cutout = 6": "cutout = 0",
    "epochs = 20\nlearning_rate = 0.01": "epochs = 2\nlearning_rate = 0.02",
    "epochs = 6\nlearning_rate = 0.005": "epochs = 1\nlearning_rate = 0.005",
}


def tiny(name: str = "tiny") -> str:
    text = (ROOT / "model/configs/small.toml").read_text(encoding="utf-8")
    text = re.sub(r"stages = \[.*?\n\]", 'stages = [[4, 8, 8], "pool", [4, 8, 8]]', text, flags=re.DOTALL)
    for old, new in CHANGES.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.replace('"tiny"', f'"{name}"')


def images_of_digits(root: Path, classes: dict[str, int], sides: int = 0) -> Path:
    """A folder per class; with `sides` so many black pixels to the left and to the right of each digit."""
    digits = sources.load("digits", "train", 20, 20, 3)
    for number, (name, count) in enumerate(classes.items()):
        (root / name).mkdir(parents=True)
        for i, pixels in enumerate(digits.x[digits.y == number][:count]):
            wide = np.pad(pixels, ((0, 0), (sides, sides), (0, 0)))
            Image.fromarray(wide).save(root / name / f"{i:03}.png")
    return root


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("own")
    images = images_of_digits(
        folder / "my images", CLASSES, sides=6
    )  # no square: cropped for the square network
    (images / "null" / "broken.jpg").write_bytes(b"no image")
    (images / "null" / "notes.txt").write_text("of no interest")
    (folder / "tiny.toml").write_text(tiny(), encoding="utf-8")
    done = command(folder, "model", "train", "--model", "tiny.toml", "--data", "my images")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_says_what_it_found(trained):
    _, said = trained
    assert "3 classes of my images: fünf ß 五, null, zwei drei\n" in said
    assert re.search(
        r"note: my images: 1 of \d+ images cannot be read: my images/null/broken\.jpg "
        r"\(of no format that is read\): left out \((train|test)\)\n",
        said,
    )
    uneven = r"\d\d images to train on of (null|zwei drei), 1?\d of fünf ß 五; rare classes weigh more"
    assert len(re.findall(uneven, said)) == 1


def test_classes_of_the_folder_in_every_record(trained):
    folder, _ = trained
    labels = sorted(CLASSES)
    for stage in ("train", "prune", "quantize"):
        record = json.loads((folder / f"build/tiny/{stage}.json").read_text())
        assert record["labels"] == labels and record["data"] == "my images"
        assert record["fit"] == "crop"
    assert len(record["confusion"]) == 3 and record["test_accuracy"] > 0.7


def test_preview_is_written_as_training_begins(trained):
    folder, said = trained
    path = "build/tiny/preview.png"
    assert said.index(path) < said.index("train 1/6")
    with Image.open(folder / path) as picture:
        before = np.asarray(picture.convert("RGB"))
    again = command(folder, "model", "preview", "--model", "tiny.toml", "--data", "my images")
    assert again.returncode == 0 and path in again.stdout, again.stderr
    with Image.open(folder / path) as picture:
        assert picture.size == before.shape[1::-1]
    x = sources.load(str(folder / "my images"), "train", 16, 16, 3, fit="crop").x
    large = x.repeat(4, 1).repeat(4, 2)  # 64 pixels a cell
    shown = [
        t for t in range(before.shape[0] - 64) if (before[t : t + 64, 150:214] == large).all((1, 2, 3)).any()
    ]
    assert len(shown) == 3, "an image of each class, as it is"


@pytest.fixture(scope="module")
def converted(trained):
    """The folder, and what convert says without DATA=."""
    folder, _ = trained
    done = command(folder, "convert", "--model", "tiny.toml")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_converted_with_the_names_of_the_folders(converted):
    folder, said = converted
    assert "note: scored with my images, which tiny was trained on; --data takes others" in said
    build = folder / "build/tiny"
    tested = json.loads((build / "quantize.json").read_text())["test_images"]
    assert re.search(rf"accuracy: int8 top-1 \d+\.\d\d% of {tested} images", said)
    manifest = json.loads((build / "manifest.json").read_text(encoding="utf-8"))
    record = json.loads((build / "quantize.json").read_text())
    assert manifest["labels"] == sorted(CLASSES) and manifest["fit"] == "crop"
    assert manifest["accuracy"]["int8_top1"] == record["test_accuracy"]
    header = (build / "model_settings.h").read_text(encoding="ascii")
    names = re.findall(r'"((?:[^"\\]|\\.)*)"', header.partition("#define MODEL_LABELS")[2])[:3]
    assert [codecs.escape_decode(name.encode())[0].decode() for name in names] == sorted(CLASSES)
    assert "\n".join(sorted(CLASSES)).encode() in (build / "model.sqz").read_bytes()


@pytest.mark.long
def test_every_verb_remembers_the_data(converted):
    """Converted without DATA=; and so it is where the images are gone, which is said."""
    folder, _ = converted
    manifest = json.loads((folder / "build/tiny/manifest.json").read_text(encoding="utf-8"))
    assert manifest["data"] == "my images"
    again = command(folder, "model", "train", "--model", "tiny.toml", "--only")
    assert again.returncode == 0, again.stderr
    assert "note: images of my images, as build/tiny/train.json remembers; --data" in again.stdout
    assert "train: build/tiny/float.keras is up to date" in again.stdout
    (folder / "my images").rename(folder / "elsewhere")
    converted = command(folder, "convert", "--model", "tiny.toml")
    pruned = command(folder, "model", "prune", "--model", "tiny.toml")
    (folder / "elsewhere").rename(folder / "my images")
    assert converted.returncode == 0, converted.stderr
    assert (
        "note: my images: no such data any more, and tiny was trained on them: not scored anew; put them "
        "back, or give the images to score: --data\n"
    ) in converted.stdout
    manifest = json.loads((folder / "build/tiny/manifest.json").read_text(encoding="utf-8"))
    assert manifest["accuracy"]["measured"] == "when trained" and manifest["data"] == "my images"
    assert pruned.returncode == 1
    assert pruned.stderr == (
        "python -m model prune: error: my images: no such data any more; build/tiny/train.json remembers "
        "them; put them back, or give others: --data\n"
    )


def test_without_its_record_nobody_knows_the_classes(trained):
    folder, _ = trained
    record = folder / "build/tiny/quantize.json"
    kept = record.read_bytes()
    record.unlink()
    done = command(folder, "convert", "--model", "tiny.toml")
    record.write_bytes(kept)
    assert done.returncode == 1
    assert "quantized.keras: its quantize.json, which names the classes, is missing" in done.stderr


def test_starts_from_weights_that_it_is_given(trained):
    folder, _ = trained
    (folder / "second.toml").write_text(tiny("second"), encoding="utf-8")
    done = command(
        *(folder, "model", "train", "--model", "second.toml", "--data", "my images", "--only"),
        *("--epochs", "1", "--init", "build/tiny/float.keras"),
    )
    assert done.returncode == 0, done.stderr
    assert "starting from build/tiny/float.keras: 8 of 8 layers" in done.stdout
    records = [
        json.loads((folder / f"build/{name}/train.json").read_text(encoding="utf-8"))
        for name in ("tiny", "second")
    ]
    assert records[1]["init"]["sha256"] == records[0]["output_sha256"]
    assert records[1]["history"][0]["loss"] < 0.6 * records[0]["history"][0]["loss"]
    # The other network's weights are part of what the result depends on.
    again = ["model", "train", "--model", "second.toml", "--data", "my images", "--only", "--epochs", "1"]
    assert "up to date" in command(folder, *again, "--init", "tiny.toml").stdout
    assert "up to date" not in command(folder, *again, "--init", "nothing.keras").stdout


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.*HDF5")
def test_starts_from_an_h5(trained):
    """The verb itself: it looks at the file before TensorFlow does, and has to know what TensorFlow will."""
    folder, _ = trained
    keras_files.load(folder / "build/tiny/float.keras").save(folder / "theirs.h5")
    (folder / "third.toml").write_text(tiny("third"), encoding="utf-8")
    done = command(
        *(folder, "model", "train", "--model", "third.toml", "--data", "my images", "--only"),
        *("--epochs", "1", "--init", "theirs.h5"),
    )
    assert done.returncode == 0, done.stderr
    assert "starting from theirs.h5: 8 of 8 layers" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prune", "--data", "others"], "others: classes a, b; build/tiny/float.keras was made for fünf"),
        (["train", "--data", "others", "--init", "no.keras"], "--init no.keras: no.keras: no such file"),
        (["train", "--data", "others", "--init", "v1_1"], "build/v1_1/float.keras, build/v1_1/imported"),
        (["train", "--data", "one"], "one: 1 class folder; want at least two"),
        (["preview", "--data", "one"], "one: 1 class folder; want at least two"),
    ],
)
def test_mistakes(trained, arguments, message):
    folder, _ = trained
    if not (folder / "one").exists():
        images_of_digits(folder / "others", {"a": 5, "b": 5})
        images_of_digits(folder / "one", {"a": 5})
    done = command(folder, "model", *arguments, "--model", "tiny.toml")
    assert done.returncode == 1 and message in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1


def settings(tmp_path: Path) -> config.Config:
    path = tmp_path / "tiny.toml"
    path.write_text(tiny(), encoding="utf-8")
    return config.load(path)


@pytest.mark.parametrize(
    ("counts", "place", "words"),
    [
        ({"a": 9, "b": 4}, "b", "4 images, too few to keep some for testing; want at least 5 of each"),
        ({"train/a": 9, "train/b": 3, "test/a": 1, "test/b": 1}, "train/b",
         "4 images to train and test with; want at least 5 of each class"),
    ],
)  # fmt: skip
def test_too_few_images(tmp_path, counts, place, words):
    root = images_of_digits(tmp_path / "few", counts)
    with pytest.raises(UserError) as error:
        training_images.load(settings(tmp_path), str(root))
    assert str(error.value) == f"{root / place}: {words}"


def test_few_that_can_be_read(tmp_path):
    root = images_of_digits(tmp_path / "few", {"a": 9, "b": 5})
    (root / "b/000.png").write_bytes(b"")
    with pytest.raises(UserError, match="few/b: 4 images to train and test with; want at least 5"):
        training_images.load(settings(tmp_path), str(root))
    (root / "b/001.png").write_bytes(b"")
    (root / "b/002.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"few/b: 3 of 4 images cannot be read: .*b/000.png .*, .*mend"):
        training_images.load(settings(tmp_path), str(root))


def test_images_without_classes_and_lists_are_not_trained_on(tmp_path):
    root = images_of_digits(tmp_path, {"a": 5}) / "a"
    with pytest.raises(UserError, match="a: images without classes; to train, want a folder of images"):
        training_images.load(settings(tmp_path), str(root))
    (root / "labels.csv").write_text("file,label\n000.png,0\n001.png,1\n")
    with pytest.raises(UserError, match=r"labels\.csv: such a list does not say which images are for test"):
        training_images.load(settings(tmp_path), str(root))


def test_even_classes_need_no_remark(tmp_path, capsys):
    root = images_of_digits(tmp_path / "d", {"b": 16, "a": 13})
    mine, train, test = training_images.load(settings(tmp_path), str(root))
    assert mine.architecture.classes == 2 and mine.data.labels == ("a", "b")
    assert (np.bincount(train.y) + np.bincount(test.y)).tolist() == [13, 16]
    said = capsys.readouterr().out
    assert "2 classes of" in said and "weigh" not in said and "warning" not in said


def test_classes_of_few_images_are_named(tmp_path, capsys):
    root = images_of_digits(tmp_path / "d", {"b": 10, "a": 5, "c": 11})
    training_images.load(settings(tmp_path), str(root))
    said = (
        f"warning: {root}: 10 images or fewer of 2 classes: a (5), b (10): too few to learn from, or to tell"
    )
    assert capsys.readouterr().out.count(said) == 1


def test_a_second_result_without_data_names_those_of_the_first(tmp_path, monkeypatch):
    first = config.load("photos")
    second = dataclasses.replace(first, name="second")
    known = {}
    monkeypatch.setattr(training_images.records, "read", lambda path: known.get(path.parent.name, {}))
    training_images.check_named(second, first, tmp_path)  # neither has any: said where they are read
    known["photos"] = {"data": "my photos"}
    with pytest.raises(UserError, match=r"^second: no data yet; .* of photos: --data 'my photos'$"):
        training_images.check_named(second, first, tmp_path)
    known["second"] = {"data": "digits"}
    training_images.check_named(second, first, tmp_path)
