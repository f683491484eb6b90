"""`python -m convert`: its outputs, and what it says to a mistake."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from tests.convert.random_nets import PREPROCESS, random_tflite

PIXELS = ("--preprocess", PREPROCESS)
REPO = Path(__file__).resolve().parents[2]
KEYS = {
    "model", "tflite_sha256", "engine_sha256", "macs", "weights_dense_bytes", "weights_stored_bytes",
    "engine_sram_bytes", "tflm_arena_bytes", "accuracy",
}  # fmt: skip
SETTINGS_MAIN = """
#include <stdio.h>
#include "model_settings.h"
#define X(method) #method " "
static const char* const labels[] = {MODEL_LABELS};
int main(void) {
  printf("%s|%d|%d|%s|%s", MODEL_NAME, MODEL_ARENA_BYTES, MODEL_OP_COUNT, MODEL_OPS(X), labels[1]);
  return sizeof(labels) / sizeof(labels[0]) == MODEL_LABEL_COUNT ? 0 : 1;
}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.run(
        [sys.executable, "-m", "convert", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("convert")
    content = random_tflite(1)
    (folder / "net.int8.tflite").write_bytes(content)
    classes = class_count(content)
    labels = [f"class {i}" for i in range(classes)]
    labels[1] = 'two  blanks "quoted" \\ über ??/'
    (folder / "names.txt").write_text("\n".join(labels), encoding="utf-8")
    done = run(folder, "--tflite", "net.int8.tflite", "--labels", "names.txt", *PIXELS)
    assert done.returncode == 0, done.stderr
    return folder / "build" / "net", done.stdout, labels


def class_count(content: bytes) -> int:
    from squeezenet_mcu.convert.lowering import tflite_file
    from squeezenet_mcu.convert.lowering.operators import lower

    network = lower(tflite_file.parse(content))
    return network.buffers[network.output_buffer].channels


def test_manifest(converted):
    folder, printed, labels = converted
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest.keys() >= KEYS
    assert manifest["model"] == "net"
    assert manifest["labels"] == labels
    for name, digest in manifest["files"].items():
        assert files.sha256((folder / name).read_bytes()) == digest
    assert set(manifest["files"]) == {p.name for p in folder.iterdir()} - {"manifest.json"}
    assert manifest["engine_sram_bytes"] == HostEngine((folder / "model.sqz").read_bytes()).arena_bytes
    assert manifest["macs"] == sum(row["macs"] for row in manifest["plan"])
    for row in manifest["plan"]:
        assert row["layer"] in printed


def test_golden_pair(converted):
    folder, _, _ = converted
    golden = np.load(folder / "golden.npz")
    logits, probabilities = HostEngine((folder / "model.sqz").read_bytes()).infer(golden["input"])
    np.testing.assert_array_equal(logits, golden["logits"])
    np.testing.assert_array_equal(probabilities, golden["probabilities"])


@pytest.mark.parametrize(
    "compiler", [("gcc", "-std=c11", "-xc"), ("g++", "-std=c++17", "-xc++")], ids=["c", "c++"]
)
def test_settings_header_compiles(converted, tmp_path, compiler):
    folder, _, labels = converted
    (tmp_path / "main.c").write_text(SETTINGS_MAIN)
    command = [
        *compiler,
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{folder}",
        tmp_path / "main.c",
        "-o",
        tmp_path / "main",
    ]
    subprocess.run(command, check=True)
    name, arena, ops, methods, label = subprocess.run(
        [tmp_path / "main"], check=True, capture_output=True
    ).stdout.decode().split("|")  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (name, int(arena), label) == ("net", manifest["engine_sram_bytes"], labels[1])
    assert int(ops) == len(methods.split())
    assert "AddConv2D" in methods


def test_same_input_gives_the_same_files(converted, tmp_path):
    folder, _, _ = converted
    (tmp_path / "net.int8.tflite").write_bytes((folder / "model.tflite").read_bytes())
    (tmp_path / "names.txt").write_text("\n".join(converted[2]), encoding="utf-8")
    assert run(tmp_path, "--tflite", "net.int8.tflite", "--labels", "names.txt", *PIXELS).returncode == 0
    again = tmp_path / "build" / "net"
    for path in folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_help_names_keras_files_where_they_take_an_option():
    from squeezenet_mcu.convert import command

    taken = {"calibration", "weight_bits", "labels", "preprocess", "fit"}
    actions = {action.dest: action.help for action in command.parser()._actions}
    assert {name for name, text in actions.items() if "a Keras file" in (text or "")} == taken


def test_images_without_labels_are_said_to_give_no_accuracy(converted, tmp_path):
    (tmp_path / "net.tflite").write_bytes((converted[0] / "model.tflite").read_bytes())
    done = run(tmp_path, "--tflite", "net.tflite", "--data", "random:3", *PIXELS)
    assert done.returncode == 0
    assert "note: random:3: the images have no labels: no accuracy is measured\n" in done.stdout
    assert "accuracy: " not in done.stdout


def test_an_accuracy_that_is_not_known_fails_the_budget(converted, tmp_path):
    (tmp_path / "net.tflite").write_bytes((converted[0] / "model.tflite").read_bytes())
    done = run(tmp_path, "--tflite", "net.tflite", "--data", "random:3", "--min-accuracy", "0.5", *PIXELS)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "python -m convert: error: net: its accuracy is not known: net was converted without labelled images "
        "of its classes (--data); so it does not meet --min-accuracy 0.5"
    )
    assert (tmp_path / "build/net/manifest.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--tflite", "net.tflite", "--engine", "tflm", "--min-accuracy", "0.5"],
            "--min-accuracy: not with --engine tflm, for which no accuracy is measured",
        ),
        (
            ["--tflite", "net.tflite", "--flash-bytes", "64X"],
            'argument --flash-bytes: "64X": want a size from',
        ),
        (["--tflite", "net.tflite", "--sram-bytes", "0"], 'argument --sram-bytes: "0": want a size from'),
        (["--tflite", "net.tflite", "--min-accuracy", "nan"], '"nan": want a share over 0 and at most 1'),
        (["--tflite", "absent.tflite"], "absent.tflite: no such file"),
        (["--tflite", "text.tflite"], 'not a .tflite file: its fifth to eighth byte are "o, I"; want "TFL3"'),
        (["--tflite", "empty.tflite"], "not a .tflite file: it has 0 bytes; want a whole one"),
        (["--model", "net.tflite"], "--model net.tflite: is a .tflite; give it as --tflite"),
        (["--model", "./NET.TFLITE"], "./NET.TFLITE: is a .tflite; give it as --tflite"),
        (["--model", "nonesuch"], "nonesuch"),
        (["--tflite", "net.tflite", "--labels", "two.txt"], "2 class names"),
        (["--model", "digits", "--preprocess", "torch"], "--preprocess goes with --tflite or a Keras file"),
    ],
)
def test_mistakes_are_one_line(tmp_path, arguments, says):
    (tmp_path / "text.tflite").write_text("hello, I am a text")
    (tmp_path / "empty.tflite").touch()
    (tmp_path / "net.tflite").write_bytes(random_tflite(1))
    (tmp_path / "two.txt").write_text("a\nb\n")
    done = run(tmp_path, *arguments)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("python -m convert: error:")]
    assert len(lines) == 1
    assert says in lines[0]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("build/*/*"))
