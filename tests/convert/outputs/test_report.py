"""The plan in the manifest: what a layer of any kind takes."""

from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.convert import command
from squeezenet_mcu.convert.network import Kind
from tests.convert import every_kind


def test_the_manifest_of_every_kind_of_layer_is_read_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.tflite").write_bytes(every_kind.tflite())
    words = ["--tflite", "net.tflite", "--preprocess", "unit"]
    assert command.run(command.parser().parse_args(words)) == 0
    plan = read_manifest(tmp_path / "build/net", "net")["plan"]
    assert {row["kind"] for row in plan} == {"INPUT", *(kind.name for kind in Kind)}
    found = {row["kind"]: (row["kernel"], row["weights"]) for row in plan if row["weights_bytes"]}
    assert found.pop("CONV_2D")
    assert found == {
        "DEPTHWISE": ("depthwise", 63), "DENSE": ("dense", 25), "LOOKUP": ("lookup", 256),
        "MUL_CONSTANT": ("mul_constant", 7), "ADD_CONSTANT": ("add_constant", 7),
    }  # fmt: skip
