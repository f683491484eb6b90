"""What the converter takes, and the one line that it says otherwise."""

import re

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from tests.convert import imagenet_nets, resnet8


def edited(content: bytes, edit) -> bytes:
    """The .tflite with `edit` applied to its ModelT."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    edit(model)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture(scope="module")
def small():
    from tests.convert.random_nets import random_tflite

    return random_tflite(1)


def first_conv(model):
    return next(op for op in model.subgraphs[0].operators if hasattr(op.builtinOptions, "dilationHFactor"))


def refused(content: bytes) -> str:
    with pytest.raises(UserError) as error:
        lower(tflite_file.parse(content, "x.tflite"))
    message = str(error.value)
    assert message.startswith("x.tflite: ")
    assert "\n" not in message
    return message


def test_macs_of_imagenet_s_networks():
    assert lower(imagenet_nets.parsed("v1_0")).macs == 861_339_936
    assert lower(imagenet_nets.parsed("v1_1")).macs == 349_151_936


def test_unsupported_op_is_named_with_index_and_tensor():
    """Of MLPerf Tiny's ResNet-8, after somebody has made its dense layer another operator."""

    def edit(model):
        code = model.operatorCodes[model.subgraphs[0].operators[14].opcodeIndex]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.L2_NORMALIZATION

    message = refused(edited(resnet8.tflite(), edit))
    assert "op 14 L2_NORMALIZATION" in message
    assert re.search(r"tensor \d+ 'dense'", message)


def test_dilation(small):
    def edit(model):
        first_conv(model).builtinOptions.dilationHFactor = 2

    assert "op 0 CONV_2D" in refused(edited(small, edit))


def test_stride_3(small):
    def edit(model):
        first_conv(model).builtinOptions.strideH = 3

    assert "stride 3x" in refused(edited(small, edit))


@pytest.mark.parametrize("stride", [0, 300])
def test_impossible_pool_stride(stride):
    from squeezenet_mcu.common.tf import keras

    stack = [keras.layers.MaxPooling2D(2), keras.layers.GlobalAveragePooling2D()]

    def edit(model):
        model.subgraphs[0].operators[0].builtinOptions.strideW = stride

    assert f"stride {stride}; wanted 1 to 255" in refused(edited(keras_tflite(stack, (8, 8, 1)), edit))


def test_activation(small):
    def edit(model):
        first_conv(model).builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.TANH

    assert "fused activation TANH" in refused(edited(small, edit))


def test_geometry_that_contradicts_the_shapes(small):
    def edit(model):
        options = first_conv(model).builtinOptions
        options.strideH = 3 - options.strideH

    assert "the geometry gives" in refused(edited(small, edit))


def test_float_model():
    from squeezenet_mcu.common.tf import keras, tf

    image = keras.Input((8, 8, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    float_tflite = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, x)).convert()
    message = refused(float_tflite)
    assert "FLOAT32" in message
    assert "int8" in message


@pytest.mark.parametrize("cut", [0, 3, 7, 100])
def test_truncated_file(small, cut):
    assert "not a .tflite" in refused(small[:cut]) or "damaged" in refused(small[:cut])


def test_not_a_tflite():
    assert "not a .tflite file" in refused(b"PK\x03\x04 something else")


@pytest.mark.parametrize("seed", range(3))
def test_bit_flips_are_one_line_or_a_network(small, seed):
    """Whatever a damaged file holds, `lower` says so in one line, or gives a network that can be planned."""
    rng = np.random.default_rng(seed)
    outcomes = {"refused": 0, "taken": 0}
    for _ in range(300):
        damaged = bytearray(small)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        try:
            network = lower(tflite_file.parse(bytes(damaged), "x.tflite"))
            HostEngine(
                blob.serialize(network, arena.plan(network), [])
            )  # which refuses what exceeds its limits
            outcomes["taken"] += 1
        except UserError as error:
            assert str(error).startswith("x.tflite: "), "refused while lowering, not by the engine"
            assert "\n" not in str(error)
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 0


def keras_tflite(layers: list, shape: tuple[int, int, int]) -> bytes:
    """An int8 .tflite of a plain stack of Keras layers."""
    from squeezenet_mcu.common.tf import keras, tf

    image = x = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, x))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    rng = np.random.default_rng(0)
    converter.representative_dataset = lambda: (
        [rng.normal(0, 1, (1, *shape)).astype(np.float32)] for _ in range(4)
    )
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def test_layer_names_are_different_and_no_word_fragments():
    from squeezenet_mcu.common.tf import keras

    stack = [keras.layers.Conv2D(4, 3, activation="relu") for _ in range(3)]
    network = lower(
        tflite_file.parse(keras_tflite([*stack, keras.layers.GlobalAveragePooling2D()], (12, 12, 1)))
    )
    names = [layer.name for layer in network.layers]
    assert len(set(names)) == len(names)
    assert "conv2" not in names  # Keras calls them conv2d, conv2d_1


def test_a_map_of_more_than_255_rows(tmp_path):
    """MEAN over a map that is higher than a byte can say."""
    from squeezenet_mcu.common.tf import keras
    from tests.convert.verify.test_exact import check

    stack = [keras.layers.Conv2D(2, 3, activation="relu"), keras.layers.GlobalAveragePooling2D()]
    check(keras_tflite(stack, (300, 6, 1)), 1, tmp_path)


def test_too_much_padding():
    from squeezenet_mcu.common.tf import keras

    stack = [
        keras.layers.ZeroPadding2D(300),
        keras.layers.Conv2D(2, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
    ]
    assert "300 rows or columns of padding; wanted at most 255" in refused(keras_tflite(stack, (8, 8, 1)))
