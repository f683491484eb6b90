"""`python -m convert` of imported weights: what it writes, keeps, refuses. v1.1 of 31 pixels, 10 classes."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common import files
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.labels import read_labels
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.model.importers import imported_model
from tests.convert.test_command import run
from tests.model.importers.weight_files import npz, random_weights

TOML = """
name = "mine"
[input]
height = 31
width = 31
channels = 3
[architecture]
family = "v1.1"
classes = 10
[weights]
preprocess = "torch"
fit = "crop"
[convert]
calibration = 6
weight_bits = { default = 8, conv10 = 6 }
"""
ARGUMENTS = ("--model", "mine.toml")


def make_images(folder, count, first=0):
    folder.mkdir()
    lines = ["file,label"]
    for i in range(count):
        smooth = np.random.default_rng(first + i).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(smooth).resize((40, 36), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
        lines.append(f"{i}.png,{i % 10}")
    (folder / "labels.csv").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder in which mine.toml has been converted, and what was printed."""
    from squeezenet_mcu.model.settings import config

    folder = tmp_path_factory.mktemp("imported")
    (folder / "mine.toml").write_text(TOML)
    npz(folder / "weights.npz", random_weights(config.load(folder / "mine.toml").kernels, density=0.5))
    make_images(folder / "images", 12)
    (folder / "names.txt").write_text("\n".join(f"n0000000{i} name {i}" for i in range(10)))
    done = run(
        folder,
        *ARGUMENTS,
        *("--weights", "weights.npz", "--calibration", "images", "--labels", "names.txt", "--data", "images"),
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def manifest_of(folder):
    return json.loads((folder / "build" / "mine" / "manifest.json").read_text())


def test_manifest(made):
    folder, printed = made
    manifest = manifest_of(folder)
    build = folder / "build" / "mine"
    assert manifest["labels"] == [f"name {i}" for i in range(10)]
    assert manifest["data"] == "" and manifest["fit"] == "crop"
    assert manifest["input"] == {
        "height": 31, "width": 31, "channels": 3, "scale": 1.0, "zero_point": -128, "preprocess": "byte",
        "edge": "int8",
    }  # fmt: skip
    assert manifest["float"] == {
        "file": "build/mine/imported.keras",
        "sha256": files.sha256((build / "imported.keras").read_bytes()),
        "divisor": 1.0,
    }
    for name in ("weights.npz", "mine.toml", "names.txt"):
        assert manifest["inputs"][name] == files.sha256((folder / name).read_bytes())
    bits = manifest["weight_bits"]
    assert bits.pop("conv10") == 6 and set(bits.values()) == {8} and len(bits) == 25
    # Every second of the 12 images served the calibration; the others were scored.
    images = sources.load(str(folder / "images"), "test", 31, 31, 3, fit="crop")
    assert manifest["calibration"] == {"source": "images", "sha256": sources.digests(images.x[::2])}
    assert manifest["accuracy"]["test_images"] == 6 and manifest["accuracy"]["differing_values"] == 0
    assert "left out 6 images that the conversion was calibrated with" in printed
    assert re.search(r"weights.npz: [\d,]+ parameters, [\d,]+ of [\d,]+ weights are zero \(50.\d%\)", printed)
    assert "quantizing by 6 images of images, weights of 8 bits in 25 layers, 6 bits in 1 layers" in printed


def test_the_weights_keep_to_their_bits(made):
    folder, _ = made
    file = tflite_file.read(folder / "build" / "mine" / "model.tflite")
    kernels = [file.tensors[op.inputs[1]] for op in file.ops if op.name == "CONV_2D"]
    largest = {kernel.shape[0]: int(np.abs(kernel.data.astype(int)).max()) for kernel in kernels}
    assert 28 <= largest[10] <= 31  # conv10: 2^(6-1) - 1; scales are powers of two to a sixth
    assert all(112 <= v <= 127 for k, v in largest.items() if k != 10)


def again(made, tmp_path, *arguments):
    folder = tmp_path / "copy"
    shutil.copytree(made[0], folder)
    return folder, run(folder, *ARGUMENTS, *arguments)


def test_without_images_the_int8_model_stays(made, tmp_path):
    folder, done = again(made, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "keeping build/mine/model.tflite, calibrated with images" in done.stdout
    old, new = manifest_of(made[0]), manifest_of(folder)
    for key in ("tflite_sha256", "engine_sha256", "labels", "calibration", "weight_bits", "float", "fit"):
        assert new[key] == old[key], key


@pytest.mark.long
def test_the_same_again_gives_the_same_model(made, tmp_path):
    folder, done = again(made, tmp_path, "--weights", "weights.npz", "--calibration", "images")
    assert done.returncode == 0, done.stderr
    assert manifest_of(folder)["tflite_sha256"] == manifest_of(made[0])["tflite_sha256"]
    assert manifest_of(folder)["labels"] == []  # none were given this time


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--weight-bits", "7"), "no images to quantize by"),
        (("--weight-bits", "3", "--calibration", "images"), "--weight-bits 3: want 4 to 8"),
        (("--calibration", "nowhere"), "nowhere: no such data"),
        (("--calibration", "empty"), "empty: no images, and no class folders; want"),
        (("--calibration", "random"), "not noise"),
        (("--weights", "absent.net"), "absent.net: no such file"),
        (("--weights", "names.txt"), 'names.txt: ".txt" is no format'),
        (("--labels", "two.txt"), "two.txt: 2 class names; the model has 10 classes"),
        (("--preprocess", "torch"), "--preprocess goes with --tflite"),
        (("--fit", "crop"), "--fit goes with --tflite"),
        (("--data", "used"), "calibrated with all of its images"),
    ],
)
def test_mistakes_are_one_line(made, tmp_path, arguments, says):
    folder = tmp_path / "copy"
    shutil.copytree(made[0], folder)
    (folder / "empty").mkdir()
    (folder / "two.txt").write_text("a\nb\n")
    (folder / "used").mkdir()
    shutil.copy(folder / "images" / "0.png", folder / "used")
    one_line(run(folder, *ARGUMENTS, *arguments), says)


def one_line(done, says):
    assert done.returncode == 1
    assert done.stderr.startswith("python -m convert: error:")
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr


@pytest.mark.parametrize("what", ["toml", "weights", "tflite", "manifest"])
def test_an_older_int8_model_is_not_taken_for_another(made, tmp_path, what):
    folder = tmp_path / "copy"
    shutil.copytree(made[0], folder)
    build = folder / "build" / "mine"
    if what == "toml":
        (folder / "mine.toml").write_text(TOML.replace("conv10 = 6", "conv10 = 7"))
    elif what == "weights":
        record = json.loads((build / imported_model.RECORD).read_text())
        with (build / imported_model.OUTPUT).open("ab") as file:
            file.write(b"x")
        record["output_sha256"] = files.sha256((build / imported_model.OUTPUT).read_bytes())
        (build / imported_model.RECORD).write_text(json.dumps(record))
    elif what == "tflite":
        (build / "model.tflite").write_bytes(b"x")
    else:
        (build / "manifest.json").write_text("[]")
    one_line(run(folder, *ARGUMENTS), "no images to quantize by")


def test_options_that_go_with_imported_weights(tmp_path):
    for option in (("--calibration", "x"), ("--weights", "x"), ("--weight-bits", "7")):
        keras = "" if option[0] == "--weights" else "a Keras file, or with "
        said = f"{option[0]} goes with {keras}a model whose TOML has a table [weights]"
        one_line(run(tmp_path, "--model", "digits", *option), said)


def test_nothing_imported_yet(tmp_path):
    (tmp_path / "mine.toml").write_text(TOML)
    one_line(run(tmp_path, *ARGUMENTS), "build/mine/imported.keras: missing; give the weights")


def test_labels(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("n01440764 tench\n\n n01443537  goldfish \nn0 x\nplain\n", encoding="utf-8")
    assert read_labels(path) == ["tench", "goldfish", "n0 x", "plain"]
    with pytest.raises(UserError, match="4 class names; the model has 5"):
        read_labels(path, 5)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="want UTF-8 text"):
        read_labels(path)


def test_a_thousand_labels_as_imagenet_has_them(tmp_path):
    path = tmp_path / "imagenet_labels.txt"
    path.write_text("".join(f"n{1440764 + 17 * i:08} class_{i},_of_a_thousand\n" for i in range(1000)))
    labels = read_labels(path, 1000)
    assert labels[0] == "class_0,_of_a_thousand" and labels[999] == "class_999,_of_a_thousand"
