"""Data that do not belong to the model: convert, evaluate and validate refuse them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.studies import evaluate
from squeezenet_mcu.host_tools.validate import command as validate
from tests.manifests import manifest

ROOT = Path(__file__).resolve().parents[2]
SAID = {
    "from_1": "label 10; want 0 to 9; the model has 10 classes; these are counted from 1: take 1 from each",
    "seven": "seven: 7 class folders (a, b, c, d, e, ...); the model has 10 classes; want as many folders",
}
DATA = pytest.mark.parametrize("data", SAID)


@pytest.fixture
def images(tmp_path):
    """A list whose labels are counted from 1, and seven folders; the models have ten classes."""
    for name in (*(f"seven/{letter}" for letter in "abcdefg"), "from_1"):
        (tmp_path / name).mkdir(parents=True)
        for i in range(10):
            Image.fromarray(np.full((9, 9), 20 * i, np.uint8)).save(tmp_path / name / f"{i}.png")
    lines = "".join(f"{i}.png,{i + 1}\n" for i in range(10))
    (tmp_path / "from_1/labels.csv").write_text(f"file,label\n{lines}")
    return tmp_path


@DATA
def test_evaluate_and_validate(images, data):
    toy = manifest(labels=[])
    with pytest.raises(UserError, match="the model has 10 classes") as error:
        evaluate._test_set(toy, str(images / data), None)
    assert SAID[data] in str(error.value)
    with pytest.raises(UserError, match="the model has 10 classes"):
        validate.load_tests(validate.Artefacts(toy, b"", images), str(images / data), 100)


def test_convert(images):
    shutil.copy(ROOT / "model/zoo/digits/model.tflite", images / "net.tflite")
    done = subprocess.run(
        [sys.executable, "-m", "convert", "--tflite", "net.tflite", "--data", "seven"],
        cwd=images, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert SAID["seven"] in done.stderr and "accuracy" not in done.stdout
    assert not (images / "build/net").exists()


def test_data_of_the_model_are_scored(images):
    """The same list, counted from 0."""
    (images / "from_1/labels.csv").write_text("file,label\n" + "".join(f"{i}.png,{i}\n" for i in range(10)))
    assert evaluate._test_set(manifest(labels=[]), str(images / "from_1"), None).y.tolist() == list(range(10))
