"""The layers and activations that docs/from-elsewhere.md lists: lowered, or refused as the page says."""

import re
from functools import partial

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import ROOT
from squeezenet_mcu.common.tf import keras, tf
from squeezenet_mcu.convert.lowering import mend, tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from tests.convert.lowering.test_operators import keras_tflite

layers = keras.layers


def activation(function):
    return lambda: layers.Lambda(function)


def merged(layer):
    """Of two convolutions of the map."""
    return lambda: lambda x: layer()([layers.Conv2D(4, 3)(x), layers.Conv2D(4, 3)(x)])


def excited():
    """Squeeze and excite."""

    def of(x):
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        return layers.Multiply()([x, layers.Conv2D(4, 1, activation="sigmoid")(gate)])

    return of


NAMED = (
    "linear",
    "relu",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
    "elu",
    "gelu",
    "swish",
    "softplus",
    "exponential",
)
ACTIVATIONS = {name: partial(layers.Activation, name) for name in NAMED} | {
    "relu6": activation(tf.nn.relu6),
    "leaky_relu": activation(tf.nn.leaky_relu),
    "hard_swish": activation(lambda v: v * tf.nn.relu6(v + 3.0) * (1.0 / 6.0)),
    "mish": activation(lambda v: v * tf.tanh(tf.math.softplus(v))),
}
LAYERS = {
    "Conv2D": partial(layers.Conv2D, 4, 3),
    "DepthwiseConv2D": partial(layers.DepthwiseConv2D, 3),
    "SeparableConv2D": partial(layers.SeparableConv2D, 5, 3),
    "Dense": lambda: lambda x: layers.Reshape((1, 1, 6))(layers.Dense(6)(layers.Flatten()(x))),
    "BatchNormalization": layers.BatchNormalization,
    "ReLU": layers.ReLU,
    "LeakyReLU": layers.LeakyReLU,
    "ELU": layers.ELU,
    "MaxPooling2D": layers.MaxPooling2D,
    "AveragePooling2D": layers.AveragePooling2D,
    "GlobalAveragePooling2D": partial(layers.GlobalAveragePooling2D, keepdims=True),
    "GlobalMaxPooling2D": partial(layers.GlobalMaxPooling2D, keepdims=True),
    "Concatenate": merged(layers.Concatenate),
    "Add": merged(layers.Add),
    "Average": merged(layers.Average),
    "ZeroPadding2D": partial(layers.ZeroPadding2D, 2),
    "Rescaling": partial(layers.Rescaling, 1 / 3, 0.1),
    "Normalization": partial(layers.Normalization, mean=[0.1] * 4, variance=[1.0, 2.0, 1.0, 0.5]),
}
REFUSED = {
    "PReLU": (partial(layers.PReLU, shared_axes=[1, 2]), "PRELU.* want LeakyReLU.*ENGINE=tflm"),
    "Subtract": (merged(layers.Subtract), "SUB of two maps is not supported.*ENGINE=tflm"),
    "Multiply": (merged(layers.Multiply), "MUL of two maps is not supported.*ENGINE=tflm"),
    "Maximum": (merged(layers.Maximum), "MAXIMUM of two maps is not supported.*ENGINE=tflm"),
    "squeeze-and-excite": (excited, "MUL of two maps is not supported.*ENGINE=tflm"),
    "Cropping2D": (partial(layers.Cropping2D, 1), "STRIDED_SLICE"),
    "selu": (partial(layers.Activation, "selu"), "GREATER.* want elu.*ENGINE=tflm"),
    "softsign": (partial(layers.Activation, "softsign"), "DIV.* want tanh.*ENGINE=tflm"),
    "threshold": (partial(layers.ReLU, threshold=0.3), "GREATER.* or a plain ReLU"),
    "depth_multiplier": (partial(layers.DepthwiseConv2D, 3, depth_multiplier=2), "2 outputs for each input"),
    "Dense layer": (partial(layers.Dense, 6), "is not supported"),
    "Softmax": (layers.Softmax, "SOFTMAX over more than one pixel"),
    "Reshape": (partial(layers.Reshape, (4, 16, 4)), "reshaped from 8x8x4"),
}


def lowered(make):
    """Between two convolutions, so that no rule for an end of the network applies."""
    stack = [layers.Conv2D(4, 3), make(), layers.Conv2D(4, 1), layers.GlobalAveragePooling2D()]
    return lower(mend.mended(tflite_file.parse(keras_tflite(stack, (10, 10, 2)))).file)


def page(begin: str, end: str) -> str:
    text = " ".join((ROOT / "docs/from-elsewhere.md").read_text(encoding="utf-8").split())
    return text[text.index(begin) : text.index(end, text.index(begin))]


@pytest.mark.parametrize("name", [*LAYERS, *ACTIVATIONS])
def test_is_lowered(name):
    assert lowered((LAYERS | ACTIVATIONS)[name]).layers


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(name):
    make, says = REFUSED[name]
    with pytest.raises(UserError, match=says):
        lowered(make)


def test_the_page_lists_them_all():
    """No layer stands in its list that is tried neither here nor at the end of every network."""
    listed = set(re.findall(r"\w+", page("InputLayer, Conv2D", "; Sequential"))) - {"and"}
    assert listed - {"InputLayer", "Activation", "Flatten"} <= {*LAYERS, *REFUSED}
    refused = page("**What is read but not converted.**", "All others")
    assert [name for name in REFUSED if name not in refused] == []
    assert [name for name in ACTIVATIONS if name not in page("the activations linear", "Make the")] == []
