"""What the converter takes, and the one line that it says otherwise."""

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

from convert import tflite
from convert.lower import lower
from model.errors import UserError
from tests.convert.shared_files import baseline


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
        lower(tflite.parse(content, "x.tflite"))
    message = str(error.value)
    assert message.startswith("x.tflite: ")
    assert "\n" not in message
    return message


def test_macs_of_the_baselines():
    assert lower(tflite.read(baseline("v1_0"))).macs == 861_339_936
    assert lower(tflite.read(baseline("v1_1"))).macs == 349_151_936


def test_unsupported_op_is_named_with_index_and_tensor():
    message = refused(baseline("resnet8").read_bytes())
    assert "op 14 FULLY_CONNECTED" in message
    assert "tensor 36 'model/dense/MatMul;model/dense/BiasAdd'" in message


def test_dilation(small):
    def edit(model):
        first_conv(model).builtinOptions.dilationHFactor = 2

    assert "op 0 CONV_2D" in refused(edited(small, edit))


def test_stride_3(small):
    def edit(model):
        first_conv(model).builtinOptions.strideH = 3

    assert "stride 3x" in refused(edited(small, edit))


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
    from model.tf import keras, tf

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
