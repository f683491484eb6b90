"""What model_settings.h says beside its numbers: how to read one output, and whose arena its figure is."""

import re

import pytest

from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import artefacts
from squeezenet_mcu.convert.outputs.settings_header import settings_header
from tests.convert import graph_ops as ops
from tests.convert.lowering.test_foreign_operators import start
from tests.manifests import manifest

ONE_OUTPUT = "q stands for (q - MODEL_OUTPUT_ZERO_POINT) * MODEL_OUTPUT_SCALE"


def header_of(outputs: int) -> str:
    """Of a network that ends in so many sigmoids."""
    g, image, x = start()
    content = g.packed(image, ops.unary(g, "LOGISTIC", ops.dense(g, g.mean(x), outputs)))
    converted = artefacts.convert(tflite_file.parse(content), "yes", [], "unit")
    return settings_header(artefacts.describe(converted, artefacts.Origin({}, ""), None), ["AddConv2D"])


def test_a_sigmoid_says_how_to_read_it():
    header = header_of(1)
    assert ONE_OUTPUT in header
    assert "0.5 or more means class 1" in header
    scale = float(re.search(r"MODEL_OUTPUT_SCALE (\S+)f\n", header)[1])
    zero_point = int(re.search(r"MODEL_OUTPUT_ZERO_POINT \((\S+)\)\n", header)[1])
    assert [(q - zero_point) * scale for q in (-128, 0, 127)] == [0, 0.5, 255 / 256]


def test_more_outputs_are_classes():
    assert ONE_OUTPUT not in header_of(2)


@pytest.mark.parametrize("arena", [2728, None])
def test_the_arena_is_that_of_the_model_beside_it(arena):
    header = " ".join(settings_header(manifest(engine_sram_bytes=arena), []).replace(" *", " ").split())
    assert ("for the model beside this header" in header) == (arena is not None)
    assert ("`make firmware` plans anew for its board" in header) == (arena is not None)
