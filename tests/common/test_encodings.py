"""Letters that the encoding of the output lacks: they are escaped, and the run goes on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common import files
from tests.manifests import manifest
from tests.model.commands.test_own_images import tiny

ROOT = Path(__file__).resolve().parents[2]
ENCODINGS = pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
NAME, ESCAPED = "猫", "\\u732b"


def run(folder: Path, encoding: str, *arguments: str) -> subprocess.CompletedProcess:
    """A command whose output goes to a file, or a pipe, of that encoding: `:strict` is Python's own way."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": f"{encoding}:strict"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True, check=False
    )


def images(folder: Path, *names: str) -> None:
    """Five images in each folder, and one file that is none."""
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(np.full((16, 16, 3), 40 * i, np.uint8)).save(folder / name / f"{i}.png")
    (folder / name / "bad.png").write_bytes(b"x")


def test_convert(tmp_path):
    images(tmp_path, NAME)
    shutil.copy(ROOT / "model/zoo/digits/model.tflite", tmp_path / "net.tflite")
    done = run(tmp_path, "cp1252", "convert", "--tflite", "net.tflite", "--data", NAME)
    assert done.returncode == 0, done.stderr
    assert f"{ESCAPED}/bad.png (of no format that is read): left out" in done.stdout.decode("cp1252")
    assert (tmp_path / "build/net/manifest.json").is_file()


@ENCODINGS
def test_what_train_says_of_the_images(tmp_path, encoding):
    images(tmp_path / "mine", "dog", NAME)
    (tmp_path / "tiny.toml").write_text(tiny(), encoding="utf-8")
    done = run(tmp_path, encoding, "model", "preview", "--model", "tiny.toml", "--data", "mine")
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode(encoding)
    assert (
        f"2 classes of mine: dog, {ESCAPED}" in said
        and f"{ESCAPED}/bad.png (of no format that is read): left out" in said
    )


@ENCODINGS
def test_validate(tmp_path, encoding):
    """It names the images before it looks for the device, which there is none of here."""
    images(tmp_path, NAME)
    build = tmp_path / "build/toy"
    build.mkdir(parents=True)
    (build / "model.tflite").write_bytes(b"the model")
    (build / "manifest.json").write_text(json.dumps(manifest(b"the model")))
    done = run(
        tmp_path, encoding, "host_tools", "validate", "--model", "toy", "--port", "socket://x", "--data", NAME
    )
    assert done.returncode == 1 and b"Traceback" not in done.stderr
    assert f"{ESCAPED}/bad.png (of no format that is read): left out" in done.stdout.decode(encoding)


def test_a_name_that_is_no_text_leaves_json_that_others_read():
    name = os.fsdecode(b"signs\xff") + NAME
    written = files.as_json({name: [name, "🦊", r"\udcff"]})
    assert written.isascii()
    wanted = f"signs?{NAME}"
    assert msgspec.json.decode(written) == {wanted: [wanted, "🦊", r"\udcff"]}
