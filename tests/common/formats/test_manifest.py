"""manifest.json: read back by type and range, and what two of its values say together."""

import json

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.litert import Reference
from tests.manifests import manifest

SIDES = {"scale": 1.0, "zero_point": -128, "preprocess": "byte"}


def of_input(**changed):
    return {"input": manifest()["input"] | changed}


AT_ODDS = {
    "as many labels as classes": ({"labels": ["one"]}, "labels: 1 of them; want 10"),
    "an image of gigabytes": (
        {"input": {"height": 4096, "width": 4096, "channels": 4096, **SIDES}},
        "input = 4096 x 4096 x 4096 values; want at most 16,777,216",
    ),
    "a comment's end": ({"model": "x*/int y;/*"}, "model = "),
    "a CMake list": ({"plan": [manifest()["plan"][0], manifest()["plan"][1] | {"kernel": "a;b"}]}, "kernel"),
    "no layers": ({"plan": []}, "plan: the whole: want array of length >= 1"),
    "a layer without its kernel": (
        {"plan": [{k: v for k, v in manifest()["plan"][1].items() if k != "kernel"}]}, "kernel is missing",
    ),
    "an unknown preprocessing": (of_input(preprocess="x"), 'input: preprocess "x": unknown; want byte, unit'),
    "that of three channels": (of_input(preprocess="torch"), "the input has 1 channel: want 1"),
    "byte of an older version": (of_input(scale=1 / 255), 'input: preprocess "byte" with scale 0.00392157: '),
    "a scale that is no float32": (of_input(scale=1e-60), 'input: preprocess "byte" with scale 1e-60: '),
    "an input's type": (of_input(edge="int4"), "want one of int8, uint8, float32"),
    "an engine that is none": ({"engine": "other"}, 'engine = "other"; want one of tflm'),
}  # fmt: skip


def read(folder, **changed):
    (folder / "manifest.json").write_text(json.dumps(manifest(**changed)))
    return read_manifest(folder)


@pytest.mark.parametrize("what", AT_ODDS)
def test_values_that_cannot_be(tmp_path, what):
    changed, said = AT_ODDS[what]
    with pytest.raises(UserError) as error:
        read(tmp_path, **changed)
    assert str(error.value).startswith(f"{tmp_path}/manifest.json: ")
    assert said in str(error.value)
    assert str(error.value).endswith(f"; run: make convert MODEL={tmp_path.name}")


def test_the_right_one_is_as_it_was(tmp_path):
    assert read(tmp_path) == manifest()
    assert read(tmp_path, engine="tflm", plan=[{"kind": "CONV_2D"}])["plan"] == [{"kind": "CONV_2D"}]


OTHER = {
    "rows": ({"input": {"height": 5}}, "input [1, 5, 28, 1]; want [1, 28, 28, 1]"),
    "classes": ({"output": {"classes": 11}}, "output: tensor = "),
    "a tensor": ({"output": {"tensor": 9999}}, "output: tensor = 9999, 10 classes; want an int8 tensor"),
    "a constant": ({"output": {"logits_tensor": 1}}, "output: logits_tensor = 1, 10 classes; want"),
}


def test_a_tflite_that_litert_refuses():
    with pytest.raises(
        UserError, match=r"toy: manifest.json: LiteRT refuses its .tflite \(.*run: make convert"
    ):
        Reference.of(manifest(), b"no model")


@pytest.mark.parametrize("what", OTHER)
def test_what_the_tflite_has_otherwise(what):
    from squeezenet_mcu.common.paths import ZOO

    tflite = (ZOO / "digits" / "model.tflite").read_bytes()
    right = manifest(
        tflite,
        input={"height": 28, "width": 28, "channels": 1, **SIDES},
        output={"classes": 10, "tensor": 53, "logits_tensor": 52},
    )
    logits, _ = Reference.of(right, tflite).infer(np.zeros((28, 28, 1), np.int8), 52)
    assert logits.shape == (10,)
    changed, said = OTHER[what]
    wrong = right | {key: right[key] | values for key, values in changed.items()}
    with pytest.raises(UserError) as error:
        Reference.of(wrong, tflite)
    assert str(error.value).startswith(f"toy: manifest.json: {said}")
    assert str(error.value).endswith("; run: make convert MODEL=toy")
