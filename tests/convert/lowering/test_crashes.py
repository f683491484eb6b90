"""Models that LiteRT's own checks end a program for: one line, and no program ends."""

import flatbuffers
import pytest

from squeezenet_mcu.common import litert
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert import command
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.host_tools.bench import small_net
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

SCALE = 7.8e-9  # of logits that are always zero: a dead layer before them, or calibration with black images


def dead() -> bytes:
    g = RandomGraph(0, "dead")
    image = g.map("image", [1, 4, 4, 3], 1 / 255)
    return g.packed(image, g.softmax(g.mean(g.conv("conv1", image, 4, 1), SCALE)))


def run(folder, monkeypatch, *words: str) -> int:
    monkeypatch.chdir(folder)
    (folder / "net.tflite").write_bytes(dead())
    return command.run(command.parser().parse_args(["--tflite", "net.tflite", *words]))


def test_a_dead_layer_is_named(tmp_path, monkeypatch):
    said = "op 2 SOFTMAX, .*: beta times scale is 7.8e-09; wanted more than 1.49012e-08"
    with pytest.raises(UserError, match=f"^net.tflite: {said}"):
        run(tmp_path, monkeypatch)


def test_tflm_s_conversion_survives_it_too(tmp_path, monkeypatch):
    with pytest.raises(
        UserError, match=r"^net.tflite: LiteRT itself crashes on it; want a model that it runs"
    ):
        run(tmp_path, monkeypatch, "--engine", "tflm")
    assert not (tmp_path / "build").exists()


def test_only_a_crash_is_one():
    assert litert.trouble(dead()) == "crashes on it"
    assert litert.trouble(small_net.tflite()) is None
    assert litert.trouble(b"no model").startswith("refuses it (")


@pytest.mark.parametrize("number", [-1, -2, 99])
def test_a_tensor_that_there_is_not(number):
    """-1 would be Python's last one."""
    whole = tflite_file.schema.ModelT.InitFromObj(tflite_file.schema.Model.GetRootAs(small_net.tflite(), 0))
    operator = whole.subgraphs[0].operators[0]
    operator.inputs = [number, *operator.inputs[1:]]
    builder = flatbuffers.Builder(0)
    builder.Finish(whole.Pack(builder), b"TFL3")
    with pytest.raises(UserError, match=rf"x: tensor {number}; the file has 0 to \d+"):
        tflite_file.parse(bytes(builder.Output()), "x")
