"""TensorFlow Lite Micro (the wheel): same answers, and the arena that the settings header promises."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert import command
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import tflm_arena
from squeezenet_mcu.convert.outputs.artefacts import convert
from squeezenet_mcu.convert.verify import exactness, host_engine
from squeezenet_mcu.host_tools.bench import small_net
from tests.convert import imagenet_nets
from tests.convert.lowering.test_operators import edited
from tests.convert.random_nets import random_tflite

if not tflm_arena.available():
    pytest.skip("the tflite-micro wheel exists for x86-64 Linux only", allow_module_level=True)

from tflite_micro import runtime


def without_softmax(content: bytes) -> bytes:
    """The same network, ending at the logits."""

    def edit(model):
        graph = model.subgraphs[0]
        softmax = graph.operators.pop()
        graph.outputs = softmax.inputs

    return edited(content, edit)


def check_same(content: bytes, images: int) -> None:
    c = convert(tflite_file.parse(content), "x", [], "byte")
    source = c.network.buffers[c.network.input_buffer]
    x = exactness.sample_images((source.height, source.width, source.channels), images, seed=5)
    reference, engine = Reference(content), host_engine.HostEngine(c.engine_model)
    micro = runtime.Interpreter.from_bytes(content, arena_size=4 << 20)
    logits = runtime.Interpreter.from_bytes(without_softmax(content), arena_size=4 << 20)
    for image in x:
        answers = [reference.infer(image, c.network.logits_tensor), engine.infer(image)]
        from_micro = []
        for interpreter in (logits, micro):
            interpreter.set_input(image[np.newaxis], 0)
            interpreter.invoke()
            from_micro.append(interpreter.get_output(0).reshape(-1))
        for logit, probability in answers:
            np.testing.assert_array_equal(logit, from_micro[0])
            np.testing.assert_array_equal(probability, from_micro[1])


@pytest.mark.parametrize("name", [pytest.param("v1_0", marks=pytest.mark.long), "v1_1"])
def test_imagenet_networks_on_tflm(name):
    check_same(imagenet_nets.content(name), 2)


@pytest.mark.parametrize("seed", [0, 1, 2, 4])  # int8 at both edges, ending in SOFTMAX
def test_random_networks_on_tflm(seed):
    check_same(random_tflite(seed), 3)


@pytest.mark.parametrize("seed", [0, 1])
def test_measured_arena_is_the_smallest(seed, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(random_tflite(seed))
    size = tflm_arena.arena_bytes(str(path), "x")
    interpreter = runtime.Interpreter.from_file(str(path), arena_size=size)
    interpreter.set_input(np.zeros(interpreter.get_input_details(0)["shape"], np.int8), 0)
    interpreter.invoke()
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_file(str(path), arena_size=size - 1024)


def test_a_crash_of_tflm_is_a_note_and_no_end(tmp_path, monkeypatch, capsys):
    """Its arena is only for comparison; with ENGINE=tflm the model is of no use, in one line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tflm_arena, "_PROBE", "import os; os.abort()")
    (tmp_path / "net.tflite").write_bytes(small_net.tflite())
    words = ["--tflite", "net.tflite"]
    assert command.run(command.parser().parse_args(words)) == 0
    said = "net.tflite: TFLite Micro itself crashes on it in an arena of any size"
    assert f"note: {said}; our engine runs it\n" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "build/net/manifest.json").read_text())
    assert manifest["tflm_arena_bytes"] is None and manifest["tflm_problem"] == said
    header = (tmp_path / "build/net/model_settings.h").read_text()
    assert "TFLite Micro itself does not run this model" in header
    with pytest.raises(UserError, match=f"^{re.escape(said)}$"):
        command.run(command.parser().parse_args([*words, "--engine", "tflm"]))


CRASHING = """
import os, sys
for line in sys.stdin:
    size = int(line)
    if {crash}:
        os.abort()
    print("fits" if size >= 48_000 else "small", flush=True)
"""


@pytest.mark.parametrize(
    "crash", ["size == 16 << 10", "size < 48_000", "16 << 10 < size < 47_000 and size % 64"]
)
def test_a_crash_in_an_arena_that_is_too_small_counts_as_a_refusal(crash, monkeypatch):
    """TFLM's wheel crashes in some: which sizes the search tries must not decide."""
    monkeypatch.setattr(tflm_arena, "_PROBE", CRASHING.format(crash=crash))
    assert tflm_arena.arena_bytes("net.tflite", "net") == 48_000


def test_operators_with_a_scalar_output_multiply_nothing():
    """A SHAPE gives a vector, a STRIDED_SLICE of it a scalar."""
    scalar = replace(imagenet_nets.parsed("v1_0").tensors[0], shape=())
    assert scalar.hwc == (1, 1, 1)
