"""Operators of networks from elsewhere: each equals LiteRT in every int8, or is refused by name.

Where they come from is said at each; the networks are of our own making.
"""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import graph_ops as ops
from tests.convert.verify.test_exact import check


def start(seed: int = 3, side: int = 10, channels: int = 6) -> tuple[RandomGraph, int, int]:
    """A graph, its image and a map of some channels."""
    g = RandomGraph(seed, "operators from elsewhere")
    image = g.map("image", [1, side, side, 3], 1 / 255)
    return g, image, g.conv("conv1", image, channels, 3)


def kinds(content: bytes) -> list[Kind]:
    return [layer.kind for layer in lower(tflite_file.parse(content, "x.tflite")).layers]


def refused(content: bytes) -> str:
    with pytest.raises(UserError) as error:
        lower(tflite_file.parse(content, "x.tflite"))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ops.UNARY)
def test_one_input(name, tmp_path):
    """An activation that no convolution took in, of another scale than its input: a table."""
    g, image, x = start()
    x = ops.requantize(g, x, g.scale(x), -40)  # values on both sides of 0
    x = ops.unary(g, name, x, g.scale(x) * 0.7, -11)
    content = g.packed(image, g.mean(x, g.scale(x) * 0.5))
    assert Kind.LOOKUP in kinds(content)
    check(content, 2, tmp_path)


@pytest.mark.parametrize("name", ["MAXIMUM", "MINIMUM", "ADD", "MUL", "SUB"])
@pytest.mark.parametrize("first", [False, True])
def test_a_constant_of_one_value(name, first, tmp_path):
    """Rescaling layers, clip: a table, too."""
    g, image, x = start()
    alike = (
        {"constant_scale": g.scale(x), "constant_zero_point": -128} if name in ("MAXIMUM", "MINIMUM") else {}
    )
    scale, zero_point = (g.scale(x), -128) if alike else (g.scale(x) * 1.5, -20)
    x = ops.by_constant(g, name, x, np.array([-60]), scale, zero_point, first=first, **alike)
    content = g.packed(image, g.mean(x, g.scale(x)))
    assert (Kind.LOOKUP in kinds(content)) == (not alike), "clip only clamps: the convolution does it"
    check(content, 2, tmp_path)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("name", ["ADD", "MUL", "SUB"])
@pytest.mark.parametrize("seed", range(3))
def test_a_constant_for_each_channel(name, relu, seed, tmp_path):
    """A batch norm behind a ReLU: MUL and ADD by a constant for each channel."""
    g, image, x = start(seed)
    values = g.random.randint(-128, 128, 6)
    scale = g.scale(x) * {"ADD": 1.3, "SUB": 1.1, "MUL": 0.9}[name]
    constant = {"constant_scale": 1 / 100, "constant_zero_point": int(g.random.randint(-128, 128))}
    x = ops.by_constant(g, name, x, values, scale, -9, relu=relu, **constant)
    content = g.packed(image, g.mean(x, g.scale(x)))
    assert {"MUL": Kind.MUL_CONSTANT}.get(name, Kind.ADD_CONSTANT) in kinds(content)
    check(content, 2, tmp_path)


def test_a_constant_map_is_refused():
    g, image, x = start()
    x = ops.by_constant(g, "MUL", x, np.ones((1, 10, 10, 6)), g.scale(x))
    message = refused(g.packed(image, g.mean(x)))
    assert "op 1 MUL" in message
    assert "wanted one value, or one for each of 6 channels" in message


@pytest.mark.parametrize("name", ["RELU", "RELU6"])
def test_a_clamp_behind_a_concatenation_costs_nothing(name, tmp_path):
    """PyTorch's fire module with its ReLU behind the concatenation, of the same scale."""
    g, image, x = start()
    squeezed = g.conv("squeeze", x, 4, 1)
    parts = []
    for filters, kernel in ((5, 1), (7, 3)):  # without their own ReLU
        weights = g.random.randint(-127, 128, (filters, kernel, kernel, 4)).astype(np.int8)
        bias = g.random.randint(-500, 500, filters).astype(np.int32)
        parts.append(
            g.conv_of(f"expand{kernel}", squeezed, weights, [1 / 128] * filters, bias, 0.05, relu=False)
        )
        g.graph.tensors[parts[-1]].quantization.zeroPoint = np.array([-20], np.int64)
    x = g.concat("concat", *parts)
    g.graph.tensors[x].quantization.zeroPoint = np.array([-20], np.int64)
    x = ops.unary(g, name, x)
    content = g.packed(image, g.mean(g.conv("conv2", x, 5, 3), 0.5))
    assert set(kinds(content)) == {Kind.CONV_2D, Kind.MEAN}
    check(content, 2, tmp_path)


def test_a_clamp_of_a_map_that_others_read_is_a_layer(tmp_path):
    g, image, x = start()
    y = ops.unary(g, "RELU_N1_TO_1", x)
    total = g.map("sum", [1, 10, 10, 6], g.scale(x) * 1.5)
    g.add(ops.OPERATORS.ADD, ops.OPTIONS.AddOptions, schema.AddOptionsT(), [x, y], total)
    content = g.packed(image, g.mean(total))
    assert Kind.LOOKUP in kinds(content)
    check(content, 2, tmp_path)


@pytest.mark.parametrize(
    ("kernel", "stride", "same"), [(3, 1, True), (3, 2, True), (5, 1, False), (5, 2, True)]
)
def test_depthwise(kernel, stride, same, tmp_path):
    """MobileNet's."""
    g, image, x = start(side=13)
    x = ops.depthwise(g, x, kernel, stride, same=same)
    content = g.packed(image, g.mean(g.conv("conv2", x, 5, 1), 0.5))
    assert Kind.DEPTHWISE in kinds(content)
    check(content, 2, tmp_path)


def test_depthwise_of_one_channel_is_a_convolution(tmp_path):
    """litert-torch's first layer of a network for grey images."""
    g = RandomGraph(1, "grey")
    image = g.map("image", [1, 12, 12, 1], 1 / 255)
    x = ops.depthwise(g, image, 3, 2, multiplier=8)
    content = g.packed(image, g.mean(x, 0.5))
    assert kinds(content) == [Kind.CONV_2D, Kind.MEAN]
    check(content, 2, tmp_path)


def test_depthwise_of_two_outputs_a_channel_is_refused():
    g, image, x = start()
    assert "2 outputs for each input channel; wanted 1" in refused(
        g.packed(image, g.mean(ops.depthwise(g, x, multiplier=2)))
    )


def test_depthwise_takes_in_a_padding(tmp_path):
    """Keras' MobileNet: ZeroPadding2D, then a depthwise convolution of stride 2."""
    g, image, x = start()
    x = ops.depthwise(g, g.pad("pad", x, 1), 3, 2, same=False)
    content = g.packed(image, g.mean(x, 0.5))
    assert Kind.PAD not in kinds(content)
    check(content, 2, tmp_path)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_dense_of_a_mean(per_channel, seed, tmp_path):
    """GlobalAveragePooling2D, Dense, Dense, Softmax. LiteRT rounds a FULLY_CONNECTED once, not twice."""
    g, image, x = start(seed, channels=20)
    x = ops.dense(g, g.mean(x, g.scale(x)), 30, per_channel, relu=True)
    content = g.packed(image, g.softmax(ops.dense(g, x, 9, per_channel)))
    check(content, 40, tmp_path)


@pytest.mark.parametrize("side", [3, 7, 10])
def test_dense_of_a_map(side, tmp_path):
    """Flatten and Dense, whatever the map's size."""
    g, image, x = start(side=side)
    content = g.packed(image, ops.dense(g, ops.reshape(g, x, [1, side * side * 6]), 5))
    check(content, 6, tmp_path)


def test_dense_of_a_map_in_pytorch_s_order(tmp_path):
    """TRANSPOSE to channels first, flatten, then the weights as PyTorch had them."""
    g, image, x = start(side=4)
    x = ops.reshape(g, ops.transpose(g, x, [0, 3, 1, 2]), [1, 96])
    content = g.packed(image, ops.dense(g, x, 5))
    assert kinds(content) == [Kind.CONV_2D, Kind.DENSE]
    check(content, 6, tmp_path)


def test_a_transposed_map_is_refused_by_others():
    g, image, x = start()
    x = ops.transpose(g, x, [0, 2, 1, 3])
    message = refused(g.packed(image, g.mean(g.conv("conv2", x, 4, 1))))
    assert "op 2 CONV_2D" in message
    assert "its values are transposed" in message


def test_dense_of_too_many_values_is_refused():
    g = RandomGraph(0, "wide")
    image = g.map("image", [1, 200, 200, 2], 1 / 255)
    content = g.packed(image, ops.dense(g, ops.reshape(g, image, [1, 80_000]), 2))
    assert "80,000 weights of one output channel; wanted at most 65,535" in refused(content)


def test_maximum_of_a_map(tmp_path):
    """GlobalMaxPooling2D."""
    g, image, x = start()
    content = g.packed(image, ops.dense(g, ops.reduce_max(g, x), 4))
    assert Kind.MAX_POOL in kinds(content)
    check(content, 4, tmp_path)


def test_quantize_in_the_middle(tmp_path):
    """PT2E's before a pool whose input is a concatenation."""
    g, image, x = start()
    x = g.fire("fire2", x, 4, 6)
    x = g.pool("pool2", ops.requantize(g, x, g.scale(x) * 1.1, -100))
    g.graph.tensors[x].quantization.zeroPoint = np.array([-100], np.int64)
    check(g.packed(image, g.mean(g.conv("conv3", x, 4, 1), 0.5)), 2, tmp_path)


def test_shapes_are_folded(tmp_path):
    """Keras' Flatten with an open batch: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    g, image, x = start(side=5)
    kinds_ = schema.TensorType
    shape = g.tensor("shape", [4], kinds_.INT32, [], 0)
    ops.operator(g, "SHAPE", ops.OPTIONS.ShapeOptions, schema.ShapeOptionsT(outType=2), [x], shape)
    ends = [g.tensor(f"end{i}", [1], kinds_.INT32, [], 0, np.array([i], np.int32)) for i in (0, 1)]
    ones = g.tensor("ones", [1], kinds_.INT32, [], 0, np.array([1], np.int32))
    batch = g.tensor("batch", [], kinds_.INT32, [], 0)
    options = schema.StridedSliceOptionsT(shrinkAxisMask=1)
    ops.operator(g, "STRIDED_SLICE", ops.OPTIONS.StridedSliceOptions, options, [shape, *ends, ones], batch)
    rest = g.tensor("rest", [], kinds_.INT32, [], 0, np.array(150, np.int32))
    to = g.tensor("to", [2], kinds_.INT32, [], 0)
    packs = schema.PackOptionsT(valuesCount=2)
    ops.operator(g, "PACK", ops.OPTIONS.PackOptions, packs, [batch, rest], to)
    flat = g.map("flat", [1, 150], g.scale(x))
    ops.operator(g, "RESHAPE", ops.OPTIONS.ReshapeOptions, schema.ReshapeOptionsT(), [x, to], flat)
    check(g.packed(image, ops.dense(g, flat, 4)), 4, tmp_path)


def test_a_slice_of_a_map_is_refused():
    g, image, x = start()
    kinds_ = schema.TensorType
    ends = [g.tensor(f"end{i}", [4], kinds_.INT32, [], 0, np.full(4, i, np.int32)) for i in range(3)]
    out = g.map("slice", [1, 1, 1, 1], g.scale(x))
    options = schema.StridedSliceOptionsT()
    ops.operator(g, "STRIDED_SLICE", ops.OPTIONS.StridedSliceOptions, options, [x, *ends], out)
    assert "op 1 STRIDED_SLICE" in refused(g.packed(image, g.mean(out)))


def test_int16_activations_are_named():
    g, image, x = start()
    g.graph.tensors[x].type = schema.TensorType.INT16
    assert "int16 activations; wanted int8" in refused(g.packed(image, g.mean(x)))


@pytest.mark.parametrize("scale", [0.0, -0.5, np.nan, np.inf])
def test_a_scale_that_is_none_is_refused(scale):
    g, image, x = start()
    g.graph.tensors[x].quantization.scale = np.array([scale], np.float32)
    assert "wanted a finite one over 0" in refused(g.packed(image, g.mean(x, 0.1)))


@pytest.mark.parametrize("make", ["conv", "requantize", "mean", "mul"])
def test_a_multiplier_beyond_those_of_the_kernels_is_refused(make):
    """LiteRT holds 2^30 at most; what it computes beyond that is anybody's guess."""
    g, image, x = start()
    if make == "conv":
        x = g.conv("conv2", x, 4, 1, 1e-20)
    elif make == "requantize":
        x = ops.requantize(g, x, 1e-20)
    elif make == "mul":
        x = ops.by_constant(g, "MUL", x, np.arange(6), 1e-20)
    message = refused(g.packed(image, g.mean(x, 1e-20 if make == "mean" else None)))
    assert "wanted at most 1,073,741,824 times" in message


def test_a_tensor_made_twice_is_refused():
    g, image, x = start()
    g.graph.operators.append(g.graph.operators[0])
    assert "op 1 CONV_2D" in (message := refused(g.packed(image, g.mean(x))))
    assert "is made by op 0 already" in message


def test_an_operator_that_writes_its_input_is_refused():
    g, image, x = start()
    g.graph.operators[0].outputs = [image]
    assert "is the input already" in refused(g.packed(image, g.mean(x)))


def test_a_float_network_is_told_where_scripts_are():
    """What most tools write first: the page has the step that makes int8 of it."""
    g, image, x = start()
    g.graph.tensors[image].type = schema.TensorType.FLOAT32
    message = refused(g.packed(image, g.mean(x)))
    assert "FLOAT32; wanted a fully int8-quantized .tflite" in message
    assert message.endswith("docs/from-elsewhere.md has scripts")


def test_a_file_without_a_layer_is_one_line():
    g = RandomGraph(3, "none")
    image = g.map("image", [1, 1, 1, 4], 1 / 255, -128)
    content = g.packed(image, ops.reshape(g, image, [1, 4]))
    with pytest.raises(UserError, match="no operator computes anything; wanted a network"):
        lower(tflite_file.parse(content, "x.tflite"))


def test_transposed_values_at_the_end_are_one_line():
    g = RandomGraph(3, "turned")
    image = g.map("image", [1, 4, 4, 3], 1 / 255, -128)
    x = ops.reshape(g, ops.dense(g, image, 6), [1, 2, 3, 1])
    x = ops.reshape(g, ops.transpose(g, x, [0, 2, 1, 3]), [1, 6])
    with pytest.raises(UserError, match="output: its values are transposed"):
        lower(tflite_file.parse(g.packed(image, x), "x.tflite"))


def test_vectors_in_other_forms_are_not_concatenated():
    g = RandomGraph(3, "rank 3")
    image = g.map("image", [1, 4, 4, 3], 1 / 255, -128)
    x = ops.reshape(g, ops.dense(g, image, 20), [1, 4, 5])
    parts = [ops.unary(g, "TANH", x), ops.unary(g, "TANH", x)]
    options = schema.ConcatenationOptionsT()
    options.axis = 2
    both = g.map("both", [1, 4, 10], 1 / 128, 0)
    g.add(ops.OPERATORS.CONCATENATION, ops.OPTIONS.ConcatenationOptions, options, parts, both)
    content = g.packed(image, ops.reshape(g, both, [1, 40]))
    with pytest.raises(UserError, match="not supported in a CONCATENATION"):
        lower(tflite_file.parse(content, "x.tflite"))


def test_a_slope_for_each_channel_is_refused_with_a_way_out():
    """Keras' PReLU."""
    g, image, x = start()
    slopes = g.tensor("slopes", [1, 1, 6], schema.TensorType.INT8, [1 / 64], 0, np.arange(6, dtype=np.int8))
    out = g.map("prelu", [1, 10, 10, 6], g.scale(x))
    ops.operator(g, "PRELU", *ops.NO_OPTIONS, [x, slopes], out)
    message = refused(g.packed(image, g.mean(out)))
    assert "op 1 PRELU" in message
    assert "want LeakyReLU" in message
    assert "ENGINE=tflm" in message
