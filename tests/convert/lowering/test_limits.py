"""Every limit of the engine is checked while lowering: operator, value and limit in one line.

Just below a limit the engine takes the network, so that no limit is tighter than the engine's own.
"""

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

Graph = Callable[[], bytes]


def one_conv(channels: int, kernel: int, filters: int = 1) -> Graph:
    def make() -> bytes:
        g = RandomGraph(0, "limits")
        image = g.map("image", [1, 1, 1, channels], 1 / 255)
        return g.packed(image, g.mean(g.conv("conv1", image, filters, kernel)))

    return make


def one_mean(height: int, width: int, scale: float = 1 / 255) -> Graph:
    def make() -> bytes:
        g = RandomGraph(0, "limits")
        image = g.map("image", [1, height, width, 1], scale)
        return g.packed(image, g.mean(image))

    return make


def convs(count: int) -> Graph:
    """`count` convolutions and a MEAN."""

    def make() -> bytes:
        g = RandomGraph(0, "limits")
        image = x = g.map("image", [1, 1, 1, 1], 1 / 255)
        for i in range(count):
            x = g.conv(f"layer{i}", x, 1, 1)
        return g.packed(image, g.mean(x))

    return make


def softmax(classes: int, beta: float = 1.0) -> Graph:
    def make() -> bytes:
        g = RandomGraph(0, "limits")
        image = g.map("image", [1, 1, 1, classes], 2.0**-6)
        out = g.softmax(g.mean(image))
        g.graph.operators[-1].builtinOptions.beta = beta
        return g.packed(image, out)

    return make


def addition(scale: float) -> Graph:
    """An ADD of an image to a convolution of it; the scales of both are 1."""

    def make() -> bytes:
        g = RandomGraph(0, "limits")
        image = g.map("image", [1, 1, 1, 1], 1.0)
        other = g.conv("other", image, 1, 1, 1.0)
        out = g.map("sum", [1, 1, 1, 1], scale)
        options = schema.AddOptionsT()
        g.add(schema.BuiltinOperator.ADD, schema.BuiltinOptions.AddOptions, options, [image, other], out)
        return g.packed(image, g.mean(out, 1.0))

    return make


def picture(height: int, width: int) -> Graph:
    """Of 2 channels, a pool of it, and a MEAN."""

    def make() -> bytes:
        g = RandomGraph(0, "limits")
        image = g.map("image", [1, height, width, 2], 1 / 255)
        return g.packed(image, g.mean(g.pool("pool", image)))

    return make


def dense(bias: int) -> Graph:
    """A dense layer of one weight, whose output has a scale a 32nd of its sum's."""

    def make() -> bytes:
        g = RandomGraph(0, "limits")
        image = g.map("image", [1, 1, 1, 1], 1 / 256, -128)
        kinds = schema.TensorType
        weights = g.tensor("w", [1, 1], kinds.INT8, [1.0], 0, np.array([[127]], np.int8))
        biases = g.tensor("b", [1], kinds.INT32, [1 / 256], 0, np.array([bias], np.int32))
        out = g.map("out", [1, 1], 1 / 256 / 32)
        kind = schema.BuiltinOperator.FULLY_CONNECTED
        options = schema.BuiltinOptions.FullyConnectedOptions
        g.add(kind, options, schema.FullyConnectedOptionsT(), [image, weights, biases], out)
        return g.packed(image, out)

    return make


_MOST_SUM = (2**31 - 1) // 32
_MOST_PRODUCT = 127 * 255

# Limit, just within, just beyond, and what is said of the latter.
LIMITS = {
    "taps": (one_conv(65_535, 1), one_conv(1_338, 7),
             "op 0 CONV_2D, tensor 1 .*: 65,562 weights of one output channel; wanted at most 65,535"),
    "kernel": (one_conv(3, 7), one_conv(3, 8),
               "op 0 CONV_2D, tensor 1 .*: kernel 8x8; wanted at most 7"),
    "channels": (one_conv(1, 1, 65_535), one_conv(1, 1, 65_536),
                 r"op 0 CONV_2D, tensor 3 .*: sides and channels are \[1, 1, 65536\]; wanted 1 to 65,535"),
    "side": (one_mean(1, 65_535), one_mean(1, 65_536),
             r"tensor 0 'image' .*: sides and channels are \[1, 65536, 1\]; wanted 1 to 65,535"),
    "pixels of a MEAN": (one_mean(4096, 2048), one_mean(4096, 2049),
                         "op 0 MEAN, tensor 0 .*: MEAN over 8,392,704 pixels; wanted at most 8,388,608"),
    "layers": (convs(126), convs(128),
               "op 127 CONV_2D, tensor .*: makes them 129 feature maps; wanted at most 128"),
    "classes": (softmax(4095), softmax(4096),
                "op 1 SOFTMAX, tensor .*: SOFTMAX over 4096 classes; wanted at most 4095"),
    "beta": (softmax(3, 1.001 * 2.0**-20), softmax(3, 2.0**-20),
             "op 1 SOFTMAX, tensor .*: beta times scale is 1.49012e-08; wanted more than 1.49012e-08"),
    "scale of an ADD": (addition(1.01 * 2.0**-19), addition(2.0**-19),
                        "op 1 ADD, tensor .*: output scale 1.90[0-9]*e-06 is too small for its inputs: "
                        "their larger one is 1; wanted less than 524,288 times the output's"),
    "values of an image": (picture(4096, 2048), picture(4096, 2049),
                           "input tensor 0 .*: 16,785,408 values; wanted at most 16,777,216"),
    "sums of a dense layer": (dense(_MOST_SUM - _MOST_PRODUCT), dense(_MOST_SUM - _MOST_PRODUCT + 1),
                              "op 0 FULLY_CONNECTED, tensor 3 .*: sums of up to 2,147,483,648 steps of the"),
    "sums of a dense layer, below": (dense(-_MOST_SUM), dense(-_MOST_SUM - 1),
                                     "op 0 FULLY_CONNECTED, tensor 3 .*: sums of up to 2,147,483,648 steps"),
    "scale": (one_mean(2, 2), one_mean(2, 2, -1.0),
              "op 0 MEAN, tensor 0 .*: scale -1.0; wanted a finite one over 0"),
}  # fmt: skip


@pytest.mark.parametrize("limit", LIMITS)
def test_beyond_a_limit_is_refused_while_lowering(limit):
    _, beyond, says = LIMITS[limit]
    with pytest.raises(UserError, match=says) as error:
        lower(tflite_file.parse(beyond(), "x.tflite"))
    assert str(error.value).startswith("x.tflite: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("limit", LIMITS)
def test_the_engine_takes_what_is_within(limit):
    within, _, _ = LIMITS[limit]
    network = lower(tflite_file.parse(within(), "x.tflite"))
    HostEngine(blob.serialize(network, arena.plan(network), []))  # raises with its status if it does not
