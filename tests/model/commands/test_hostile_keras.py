"""A .keras file that is not to be loaded is refused before TensorFlow is imported, or anything is written."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile

import pytest

from squeezenet_mcu.common.paths import CONFIGS, ZOO

MEGABYTES = 150  # TensorFlow alone takes 600
RUN = r"""
import argparse, json, re, sys
from pathlib import Path
from squeezenet_mcu.convert import command as convert
from squeezenet_mcu.common import cli
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.studies import evaluate
what, *words = sys.argv[1:]
if what == "convert":
    status = cli.guarded(convert.run, convert.parser().parse_args(words), "convert")
elif what == "evaluate":
    manifest = json.loads(words[0])
    status = cli.guarded(lambda _: evaluate._float_model(manifest) and 0, argparse.Namespace(), "evaluate")
else:
    sys.argv[1:] = words
    status = console.model()
peak = int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) // 1024
print(json.dumps([status, peak, "tensorflow" in sys.modules]))
"""
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="Linux says how much memory a program has taken"
)


@pytest.fixture
def hostile(tmp_path):
    """The shipped network, with a layer that runs code."""
    path = tmp_path / "bad.keras"
    with zipfile.ZipFile(ZOO / "digits/quantized.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                config["config"]["layers"][1].update(module=None, class_name="Lambda")
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return path


def refused(folder, *words):
    command = [sys.executable, "-c", RUN, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    *printed, figures = done.stdout.splitlines() or [""]
    assert done.returncode == 0, done.stderr
    status, megabytes, tensorflow = json.loads(figures)
    assert status == 1 and done.stderr.count("\n") == 1 and "Lambda" in done.stderr, done.stderr
    assert not tensorflow and megabytes < MEGABYTES
    return printed


@pytest.mark.parametrize("stage", ["train", "prune", "quantize", "taught"])
def test_a_stage(tmp_path, hostile, stage):
    toml = tmp_path / "mine.toml"
    toml.write_text((CONFIGS / "digits.toml").read_text().replace('name = "digits"', 'name = "mine"'))
    words = ["model", stage, "--model", str(toml)]
    if stage == "train":
        words += ["--init", str(hostile)]
    elif stage == "taught":
        toml.write_text(toml.read_text() + f'\n[distill]\nteacher = "{hostile}"\n')
        words[1] = "train"
    else:
        (tmp_path / "build/mine").mkdir(parents=True)
        for name in ("float.keras", "pruned.keras"):
            shutil.copy(hostile, tmp_path / "build/mine" / name)
    assert refused(tmp_path, *words) == []
    assert not list(tmp_path.rglob("preview.png"))


def test_a_conversion(tmp_path, hostile):
    (tmp_path / "build/digits").mkdir(parents=True)
    shutil.copy(hostile, tmp_path / "build/digits/quantized.keras")
    refused(tmp_path, "convert", "--model", "digits")


def test_an_evaluation(tmp_path, hostile):
    entry = {"file": str(hostile), "sha256": hashlib.sha256(hostile.read_bytes()).hexdigest()}
    refused(tmp_path, "evaluate", json.dumps({"model": "mine", "float": entry}))
