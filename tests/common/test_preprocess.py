"""common/preprocess.py: texts, values, rounding, and how well a rule fits an input's range."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import interpreter
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.common.preprocess import (
    PREPROCESSES,
    fit,
    fitting,
    for_channels,
    parse,
    plain,
    quantize_images,
    tables,
)
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert.colour_nets import VALUES

OURS = {"scale": 0.003921568859368563, "zero_point": -128, "preprocess": "unit"}
OF_IMAGENET_V1_0, OF_IMAGENET_V1_1 = (1.074509859085083, -14), (0.01865844801068306, -14)
RAMP = np.stack([np.arange(256), 255 - np.arange(256), np.arange(256) * 7 % 256], -1).astype(np.uint8)
# Where halves are many, and where there are none; a scale so small that all clips.
INPUTS = [(2 / 255, -1), (2 / 255, 0), (1 / 255, -128), (1.0, -128), (2.0, 3), (0.0187, -14), (1e-6, 0)]


def quantization(scale: float, zero_point: int, rule: str, edge: str = "int8") -> dict:
    return {"scale": float(np.float32(scale)), "zero_point": zero_point, "preprocess": rule, "edge": edge}


@pytest.mark.parametrize("scale", [OURS["scale"], 1 / 255, float(np.float32(1 / 255))])
def test_our_own_networks_take_pixel_less_128(scale):
    """All 256 values of every channel, as before there was another rule; "byte" with scale 1 likewise."""
    for source in (OURS | {"scale": scale}, OURS | {"scale": 1.0, "preprocess": "byte"}):
        for channels in (1, 3):
            assert plain(tables(channels, source))
            ramp = np.repeat(np.arange(256), channels).reshape(1, 16, 16, channels)
            found = quantize_images(ramp.astype(np.uint8), source)
            assert found.dtype == np.int8
            np.testing.assert_array_equal(found, ramp - 128)


@pytest.mark.parametrize("name", ["cifar10", "digits", "gtsrb"])
def test_that_is_so_of_all_that_are_shipped(name):
    details = interpreter((ZOO / name / "model.tflite").read_bytes()).get_input_details()[0]
    scale, zero_point = details["quantization"]
    assert plain(tables(3, quantization(scale, zero_point, "unit")))


def affine_quantize(scale: float, zero_point: int, values: np.ndarray) -> np.ndarray:
    """LiteRT's own QUANTIZE of float32 values."""
    g = RandomGraph(0, "a QUANTIZE")
    first = g.tensor("values", list(values.shape), schema.TensorType.FLOAT32, [], 0)
    last = g.map("quantized", list(values.shape), scale, zero_point)
    code, kind = schema.BuiltinOperator.QUANTIZE, schema.BuiltinOptions.QuantizeOptions
    model = interpreter(g.packed(first, g.add(code, kind, schema.QuantizeOptionsT(), [first], last)))
    model.allocate_tensors()
    model.set_tensor(first, values)
    model.invoke()
    return model.get_tensor(last)


@pytest.mark.parametrize("rule", VALUES)
def test_a_float_input_gets_what_litert_quantizes(rule):
    """To the last int8, halves included, with the framework's own float32 arithmetic before."""
    values = VALUES[rule](RAMP[np.newaxis])
    for scale, zero_point in INPUTS:
        found = quantize_images(RAMP[np.newaxis], quantization(scale, zero_point, rule, "float32"))
        np.testing.assert_array_equal(found, affine_quantize(scale, zero_point, values))


@pytest.mark.parametrize("edge", ["int8", "uint8"])
@pytest.mark.parametrize("rule", VALUES)
def test_an_int8_input_gets_what_numpy_s_round_makes(rule, edge):
    values = VALUES[rule](RAMP[np.newaxis])
    for scale, zero_point in INPUTS:
        found = quantize_images(RAMP[np.newaxis], quantization(scale, zero_point, rule, edge))
        wanted = np.clip(np.round(values / np.float32(scale)) + zero_point, -128, 127)
        np.testing.assert_array_equal(found, wanted)


def test_halves_of_the_two_edges():
    """Pixels 1, 3, 5 of pixel / 2: away from zero in LiteRT, to the even number in Python."""
    x = np.array([1, 3, 5], np.uint8).reshape(1, 1, 3, 1)
    for edge, wanted in (("float32", [1, 2, 3]), ("int8", [0, 2, 2]), ("uint8", [0, 2, 2])):
        assert quantize_images(x, quantization(2.0, 0, "byte", edge)).ravel().tolist() == wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("keras", 'preprocess "keras": unknown; want byte, unit, tf, torch, caffe or mean=M,std=S'),
        ("", "unknown"),
        ("mean=1", "std is missing"),
        ("std=1", "mean is missing"),
        ("mean=1,std=0", "std 0; want 1e-06 or more"),
        ("mean=1,std=5:1e-7:5", "std 1e-07; want 1e-06 or more"),
        ("mean=nan,std=1", 'mean: "nan"; want a number'),
        ("mean=1,std=inf", 'std: "inf"; want a number'),
        ("mean=1e7,std=1", 'mean: "1e7"; want a number of pixel units, at most 1,000,000'),
        ("mean=1_0,std=1", 'mean: "1_0"; want a number'),
        ("mean=,std=1", 'mean: ""; want a number'),
        ("mean=1:2:,std=1", 'mean: ""; want a number'),
        ("mean=1,2,3,std=1", '"2" is no key=value; numbers have ":" between'),
        ("mean=1,std=1,scale=2", 'unknown key "scale"; want mean=M,std=S[,order=bgr]'),
        ("mean=1,std=1,mean=2", "mean twice"),
        ("mean=1,std=1,order=gbr", "order=gbr; want rgb or bgr"),
        ("mean=1,std=1*/", 'std: "1*/"; want a number'),
        ("mean=" + "1:" * 200 + "1,std=1", "characters; want 200 at most"),
    ],
)
def test_texts_that_are_no_rule(text, says):
    with pytest.raises(UserError) as error:
        parse(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "channels", "says"),
    [
        ("torch", 1, '"torch" has 3 numbers for mean; the input has 1 channel: want 1'),
        ("caffe", 1, "wants 3 channels (BGR); the input has 1"),
        ("mean=1,std=1,order=bgr", 4, "wants 3 channels (BGR); the input has 4"),
        ("mean=1:2,std=1", 3, "has 2 numbers for mean; the input has 3 channels: want 3 or 1"),
        ("mean=1,std=1:2:3", 4, "has 3 numbers for std; the input has 4 channels: want 4 or 1"),
    ],
)
def test_rules_of_other_channels(text, channels, says):
    with pytest.raises(UserError, match=f"{says}".replace("(", r"\(").replace(")", r"\)")):
        for_channels(text, channels)


def test_numbers_are_of_the_network_s_channels():
    """With order=bgr the first mean is that of blue, the first channel of the network's input."""
    free = "mean=104:117:123,std=1,order=bgr"
    source = quantization(1.0, 0, free)
    x = np.array([200, 100, 50], np.uint8).reshape(1, 1, 1, 3)
    assert quantize_images(x, source).ravel().tolist() == [50 - 104, 100 - 117, 200 - 123]
    np.testing.assert_array_equal(
        quantize_images(RAMP[np.newaxis], source),
        quantize_images(RAMP[np.newaxis], source | {"preprocess": "caffe"}),
    )
    swapped = quantize_images(RAMP[np.newaxis], quantization(1.0, -128, "mean=0,std=1,order=bgr"))
    np.testing.assert_array_equal(swapped[0], RAMP[:, ::-1].astype(np.int16) - 128)
    four = quantize_images(np.full((1, 1, 1, 4), 9, np.uint8), quantization(1, 0, "mean=1:2:3:4,std=1"))
    assert four.ravel().tolist() == [8, 7, 6, 5]


@pytest.mark.parametrize(
    ("channels", "source", "names"),
    [
        (1, (1 / 255, -128), ["unit"]),
        (3, (0.957 / 255, -128), ["unit"]),
        (3, (1.0, -128), ["byte"]),
        (3, (2 / 255, -1), ["unit", "tf"]),
        (3, OF_IMAGENET_V1_0, ["caffe"]),
        (3, OF_IMAGENET_V1_1, ["torch"]),
        (1, OF_IMAGENET_V1_1, []),
        (1, (0.6 / 255, -128), []),
    ],
)
def test_which_rules_fit_an_input(channels, source, names):
    assert fitting(channels, *source) == names


@pytest.mark.parametrize(
    ("rule", "source", "hopeless"),
    [
        ("byte", (1 / 255, -128), True),
        ("unit", (1.0, -128), True),
        ("byte", (2 / 255, -1), True),
        ("caffe", OF_IMAGENET_V1_1, True),
        ("torch", OF_IMAGENET_V1_0, True),
        ("tf", (1 / 255, -128), False),
        ("unit", (0.6 / 255, -128), False),
        ("tf", OF_IMAGENET_V1_1, False),
    ],
)
def test_rules_that_cannot_be_meant_and_rules_that_are_odd(rule, source, hopeless):
    found = fit(rule, 3, *source)
    assert not found.good
    assert found.hopeless == hopeless


def test_every_named_rule_is_tried_here():
    assert set(PREPROCESSES) <= set(VALUES)
