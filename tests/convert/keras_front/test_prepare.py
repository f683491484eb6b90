"""What is done to a float network before int8 leaves its answers as they are."""

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.convert.keras_front import pixels as front_pixels
from squeezenet_mcu.convert.keras_front import prepare, quantize
from squeezenet_mcu.model.keras_import.build import build
from squeezenet_mcu.model.network import keras_graphs
from tests.convert.keras_front import nets

pytestmark = pytest.mark.filterwarnings("ignore:.*HDF5")
layers = keras.layers
X = nets.smooth(12)
TF, UNIT = layers.Rescaling(1 / 127.5, offset=-1), layers.Rescaling(1 / 255)
NORMAL = layers.Normalization(mean=[100.0, 120.0, 140.0], variance=[400.0, 900.0, 100.0])
# front layers, padding, PREPROCESS, what int8 = pixel - 128 leaves: the pixel of 0 (None: not folded), error
CASES = {
    "unit, padded": ((UNIT,), "same", None, 0, 1e-4),
    "tf, padded": ((TF,), "same", None, 128, 0.02),  # half a pixel at the border
    "tf, inside": ((TF,), "valid", None, 0, 1e-4),
    "normal, padded": ((NORMAL,), "same", None, None, 1e-4),
    "normal, inside": ((NORMAL,), "valid", None, 0, 1e-4),
    "two layers": ((UNIT, layers.Rescaling(2.0, -1.0)), "valid", None, 0, 1e-4),
    "torch, inside": ((), "valid", "torch", 0, 1e-4),
    "caffe, inside": ((), "valid", "caffe", 0, 1e-4),
    "caffe, padded": ((), "same", "caffe", None, 1e-4),
    "said and a layer": ((TF,), "valid", "mean=10:20:30,std=2", 0, 1e-4),
}


@pytest.mark.parametrize("name", CASES)
def test_pixels_go_into_the_first_convolution(name, tmp_path):
    front, padding, said, zero, error = CASES[name]
    given = front_pixels.of_rule(said or "byte", 3, "said")
    model = nets.network(*front, padding=padding, values=given.values(X))
    graph = keras_graphs.read(nets.saved(model, tmp_path / "a.h5"))
    wanted = model(given.values(X), training=False).numpy()
    core, pixels = prepare.red_first(*prepare.take_front(graph, given))
    whole = build(prepare.with_pixels(core, pixels))
    np.testing.assert_allclose(whole(X.astype(np.float32)).numpy(), wanted, atol=1e-4)
    core, inner, found = prepare.take_pixels(core, pixels)
    assert found == zero
    if zero is not None:
        assert inner.values(X).min() == int(X.min()) - zero  # the plain pixels
    ready = build(prepare.with_convolutional_heads(core))
    assert not any(isinstance(layer, layers.Dense) for layer in ready.layers)
    assert np.ptp(wanted, axis=0).max() > 0.1  # answers differ, else they prove nothing
    np.testing.assert_allclose(ready(inner.values(X)).numpy(), wanted, atol=error)


def test_heads_behind_flatten_become_convolutions(tmp_path):
    """A map of 7x7 and a vector do; a larger map stays for FULLY_CONNECTED."""
    for side, kinds in ((7, ["Conv2D", "Conv2D"]), (8, ["Dense", "Conv2D"])):
        model = keras.Sequential([
            layers.Input((side, side, 3)), layers.Flatten(),
            layers.Dense(5, "relu"), layers.Dense(3, "softmax"),
        ])  # fmt: skip
        graph = keras_graphs.read(nets.saved(model, tmp_path / "a.keras"))
        ready = prepare.with_convolutional_heads(graph)
        assert [layer.kind for layer in ready.layers if layer.kind in ("Conv2D", "Dense")] == kinds
        x = np.random.RandomState(1).rand(3, side, side, 3).astype(np.float32)
        np.testing.assert_allclose(build(ready)(x).numpy(), model(x).numpy(), atol=1e-5)


def test_blue_first_needs_a_convolution(tmp_path):
    model = keras.Sequential([layers.Input((4, 4, 3)), layers.MaxPooling2D(2), layers.Flatten()])
    graph = keras_graphs.read(nets.saved(model, tmp_path / "a.h5"))
    with pytest.raises(UserError, match="BGR pixels are wanted by a first layer that is no Conv2D"):
        prepare.red_first(graph, front_pixels.of_rule("caffe", 3, "said"))


@pytest.mark.parametrize("rule", ["byte", "unit", "tf", "torch", "mean=10:20:30,std=2:3:4"])
def test_no_pixel_is_clipped(rule):
    """The input's int8 cover all pixel values, with a whole zero point."""
    pixels = front_pixels.of_rule(rule, 3, "said")
    low, high = quantize.input_range(quantize.Samples(X, pixels, None))
    zero_point = -128 - low / ((high - low) / 255)
    assert zero_point == pytest.approx(round(zero_point), abs=1e-6)
    ends = [pixels.offset, pixels.offset + 255 * pixels.factor]
    assert low <= np.min(ends) + 1e-9
    assert high >= np.max(ends) - 1e-9
    assert (high - low) * 254 / 255 <= np.ptp(ends) + 1e-6


def test_which_networks_our_quantization_takes():
    conv = layers.Conv2D
    assert quantize.ours(nets.network(dense=False)) is not None
    for middle in (conv(8, 3, groups=2), conv(8, 3, dilation_rate=2), layers.PReLU(shared_axes=[1, 2])):
        assert quantize.ours(nets.network(middle=(middle,), dense=False)) is None
