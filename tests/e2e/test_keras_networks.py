"""Networks as people build them in Keras, made int8 by TFLite, on emulated boards: no int8 differs."""

import json
import re

import pytest
from PIL import Image

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.preprocess import quantize_images
from tests.e2e import keras_networks, verbs

IMAGES = 5


@pytest.mark.long
@pytest.mark.parametrize("name", keras_networks.NETWORKS)
def test_no_int8_differs_on_a_board(name, tmp_path):
    board = "mps2_an386" if name == "mobilenet_v1" else "stm32f405"
    content = keras_networks.tflite(name)
    (tmp_path / f"{name}.tflite").write_bytes(content)
    verbs.succeed(tmp_path, "convert", "--tflite", f"{name}.tflite", "--preprocess", "unit")
    manifest = json.loads((tmp_path / "build" / name / "manifest.json").read_text())
    edge, output = manifest["input"], manifest["output"]
    pictures = keras_networks.pictures(IMAGES, edge["height"], edge["width"])
    (tmp_path / "pictures").mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "pictures" / f"{number}.png")
    reference = Reference.of(manifest, content)
    quantized = quantize_images(pictures, edge)
    answers = {reference.infer(x, output["logits_tensor"])[0].tobytes() for x in quantized}
    assert len(answers) >= 3, "a network that answers pictures alike proves nothing"
    verbs.succeed(tmp_path, "host_tools", "firmware", "--model", name, "--board", board)
    words = ("--model", name, "--board", board, "--data", "pictures")
    printed = verbs.succeed(tmp_path, "host_tools", "validate", *words)
    (values,) = re.findall(r"exact, all (\d+) int8 values are equal", printed)
    # Logits and, of most networks, what comes behind them.
    assert int(values) in (IMAGES * output["classes"], 2 * IMAGES * output["classes"])
