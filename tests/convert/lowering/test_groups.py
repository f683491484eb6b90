"""Operators that together make each int8 of one int8 are one table; other products of maps are refused."""

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import lookup
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.convert.target import ANY_CPU
from squeezenet_mcu.convert.verify import stored
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import graph_ops as ops
from tests.convert.lowering.test_foreign_operators import kinds, refused, start
from tests.convert.lowering.test_operators import keras_tflite
from tests.convert.verify.test_exact import check

ONE_TABLE = [Kind.CONV_2D, Kind.LOOKUP, Kind.CONV_2D, Kind.MEAN]


def swish(g: RandomGraph, x: int) -> int:
    return ops.of_two(g, "MUL", x, ops.unary(g, "LOGISTIC", x), g.scale(x) * 0.9, -115)


def hard_swish(g: RandomGraph, x: int) -> int:
    """x * relu6(x + 3) * (1 / 6), which TFLite's converter would write as one operator."""
    raised = ops.by_constant(g, "ADD", x, np.array([127]), 0.05, -60, 3 / 130)
    kept = ops.unary(g, "RELU6", raised, 6 / 255, -128)
    product = ops.of_two(g, "MUL", kept, x, g.scale(x) * 6, -100)
    return ops.by_constant(g, "MUL", product, np.array([61]), g.scale(x), -100, 1 / 384)


def magnitude(g: RandomGraph, x: int) -> int:
    return ops.of_two(g, "MAXIMUM", x, ops.unary(g, "NEG", x, g.scale(x), -40), g.scale(x), -40)


GROUPS = {
    "swish": swish,
    "hard swish": hard_swish,
    "|x|": magnitude,
    "x * x": lambda g, x: ops.of_two(g, "MUL", x, x, g.scale(x) * 2, -128),
    "x - tanh(x)": lambda g, x: ops.of_two(g, "SUB", x, ops.unary(g, "TANH", x), g.scale(x), -9),
    "x + |x|": lambda g, x: ops.of_two(g, "ADD", ops.unary(g, "ABS", x), x, g.scale(x) * 2, -128),
    "min(x, -x), of another scale": lambda g, x: ops.requantize(
        g, ops.of_two(g, "MINIMUM", ops.unary(g, "NEG", x, g.scale(x), -40), x, g.scale(x), -40), 0.02, 100
    ),
    "relu(swish(x))": lambda g, x: ops.unary(g, "RELU", swish(g, x), g.scale(x) * 0.7, -128),
    "swish(swish(x))": lambda g, x: swish(g, swish(g, x)),
}


def centred() -> tuple[RandomGraph, int, int]:
    """A graph, its image, and a convolution's map whose values are on both sides of 0."""
    g, image, _ = start()
    weights = g.random.randint(-127, 128, (6, 3, 3, 3)).astype(np.int8)
    scales = g.random.uniform(0.002, 0.02, 6).tolist()  # each channel's own; the map has one
    bias = g.random.randint(-500, 500, 6).astype(np.int32)
    x = g.conv_of("conv", image, weights, scales, bias, 0.05, relu=False)
    g.graph.tensors[x].quantization.zeroPoint = np.array([-40], np.int64)
    g.graph.operators.pop(0)  # the one that start() made
    return g, image, x


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_is_one_table(name, tmp_path):
    g, image, x = centred()
    x = GROUPS[name](g, x)
    content = g.packed(image, g.mean(g.conv("conv2", x, 4, 1), 0.5))
    tables = 2 if name == "swish(swish(x))" else 1
    assert kinds(content) == [Kind.CONV_2D, *[Kind.LOOKUP] * tables, Kind.CONV_2D, Kind.MEAN]
    check(content, 3, tmp_path)


@pytest.mark.parametrize("activation", ["swish", "mish"])
def test_activations_of_keras(activation, tmp_path):
    """As TFLite's converter writes them: LOGISTIC, MUL; EXP, ADD, LOG, TANH, MUL."""
    from squeezenet_mcu.common.tf import keras, tf

    functions = {"swish": "swish", "mish": lambda v: v * tf.tanh(tf.math.softplus(v))}
    make = functions[activation]
    stack = [
        keras.layers.Conv2D(6, 3, activation=make),
        keras.layers.Conv2D(4, 3, activation=make),
        keras.layers.GlobalAveragePooling2D(),
    ]
    content = keras_tflite(stack, (12, 12, 2))
    assert kinds(content) == [Kind.CONV_2D, Kind.LOOKUP] * 2 + [Kind.MEAN]
    check(content, 3, tmp_path)


def test_its_table_is_that_of_the_formula():
    """Within a step and a half: half a step of its own, and one of the sigmoid's, 1/256, times x."""
    g, image, x = centred()
    content = g.packed(image, g.mean(g.conv("conv2", swish(g, x), 4, 1), 0.5))
    layer = next(la for la in lower(tflite_file.parse(content)).layers if la.kind is Kind.LOOKUP)
    real = (lookup.VALUES.astype(float) + 40) * 0.05
    wanted = np.clip(real / (1 + np.exp(-real)) / (0.05 * 0.9) - 115, -128, 127)
    assert np.abs(layer.constant - wanted).max() <= 1.5


def test_a_group_at_both_ends_of_a_concatenation(tmp_path):
    g, image, x = centred()
    other = ops.requantize(g, g.conv("other", image, 5, 3), g.scale(x) * 0.9, -115)
    made = g.concat("concat", swish(g, x), other)
    g.graph.tensors[made].quantization.zeroPoint = np.array([-115], np.int64)
    x = swish(g, made)
    check(g.packed(image, g.mean(g.conv("conv2", x, 4, 1), 0.5)), 3, tmp_path)


def test_a_map_between_that_somebody_else_reads(tmp_path):
    """The nearest group without such a map is taken: relu(x), which a pool reads, stays."""
    g, image, x = centred()
    kept = ops.unary(g, "RELU", x, g.scale(x) * 0.5, -128)
    y = ops.by_constant(g, "MUL", swish(g, kept), np.array([90]), 0.03, -100)
    total = ops.of_two(g, "ADD", y, g.conv("conv2", kept, 6, 3), 0.1, -100)
    content = g.packed(image, g.mean(total, 0.1))
    assert kinds(content) == [Kind.CONV_2D, *[Kind.LOOKUP] * 2, Kind.CONV_2D, Kind.ADD, Kind.MEAN]
    check(content, 3, tmp_path)


def test_a_map_between_that_a_convolution_reads_too_is_refused():
    g, image, x = centred()
    gate = ops.unary(g, "LOGISTIC", x)
    y = ops.of_two(g, "MUL", x, gate, 0.05)
    total = ops.of_two(g, "ADD", y, g.conv("conv2", gate, 6, 3), 0.1)
    assert "op 2 MUL" in refused(g.packed(image, g.mean(total)))


@pytest.mark.parametrize("name", ["MUL", "SUB", "MAXIMUM", "MINIMUM"])
def test_two_different_maps_are_refused(name):
    g, image, x = centred()
    out = ops.of_two(g, name, x, g.conv("conv2", x, 6, 3), g.scale(x))
    message = refused(g.packed(image, g.mean(out)))
    assert f"op 2 {name}" in message
    assert f"{name} of two maps is not supported" in message
    assert "ENGINE=tflm" in message


def test_squeeze_and_excite_is_refused():
    """A map by one value for each of its channels, which come from the whole map."""
    g, image, x = centred()
    gate = ops.reshape(g, ops.unary(g, "LOGISTIC", g.mean(x)), [1, 1, 1, 6])
    out = g.map("scaled", ops.shape_of(g, x), g.scale(x))
    kind, make = ops.OF_TWO["MUL"]
    g.add(ops.OPERATORS.MUL, kind, make(), [x, gate], out)
    assert "MUL of two maps is not supported" in refused(g.packed(image, g.mean(out)))


def test_a_wrong_table_of_a_group_is_found():
    """The check of what is stored computes the table by its own way through the file."""
    g, image, x = centred()
    content = g.packed(image, g.mean(g.conv("conv2", swish(g, x), 4, 1), 0.5))
    file = tflite_file.parse(content)
    made = engine_model.prepare(file, [], ANY_CPU)
    table = next(la for la in made.network.layers if la.kind is Kind.LOOKUP).constant.tobytes()
    assert made.content.count(table) == 1
    at = made.content.index(table)
    wrong = made.content[:at] + bytes([made.content[at] ^ 1]) + made.content[at + 1 :]
    stored.check(file, made.network, made.content)
    with pytest.raises(UserError, match="its constant in the engine's model is not that of op 2 MUL"):
        stored.check(file, made.network, wrong)
