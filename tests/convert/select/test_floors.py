"""tools.costs.floors: what the loops alone would take, and results that are not those of the network."""

import json

import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import Kind
from tools.costs import floors

TFLITE = ZOO / "digits" / "model.tflite"


def test_a_layer_takes_its_best_loop():
    network = lower(tflite_file.read(TFLITE))
    for layer in network.layers:
        if layer.kind is Kind.CONV_2D:
            out = network.buffers[layer.output]
            by_gemm = layer.macs + floors.OUTPUT * out.height * out.width * layer.out_channels
            least, loop = floors.floor(layer, network)
            assert least == by_gemm if loop == "gemm" else least < by_gemm


def result(**changes):
    layers = [{"layer": "conv1", "cycles": 7}]
    return {"tflite_sha256": files.sha256(TFLITE.read_bytes()), "engine": "dsp", "layers": layers} | changes


def test_the_results_of_the_network_are_taken(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps([result(engine="portable"), result()]))
    assert floors.cycles_of(path, TFLITE) == {"conv1": 7}


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "{}",
        "[]",
        json.dumps([result(tflite_sha256="0")]),
        json.dumps([result(layers=[{"cycles": None}])]),
    ],
)
def test_other_results_are_refused(tmp_path, content):
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"results.json: .* want what `make bench BOARD=stm32f405"):
        floors.cycles_of(path, TFLITE)
