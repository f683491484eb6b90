"""Quantization-aware training keeps the zeros, with and without batch norm, and the .tflite is checked."""

import dataclasses

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.compress import guarantees
from squeezenet_mcu.model.compress.qat import kept, quantization_aware
from squeezenet_mcu.model.network import keras_files, to_tflite
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.settings.compression import Prune
from squeezenet_mcu.model.train.loop import fit
from tests.model.tiny import X, job, settings

SMALL = settings("complex", prune=Prune(1, 0.1, 0.5, {}, 0.0, "free", "even"))


def pruned_network(**changes):
    model = build(dataclasses.replace(SMALL, architecture=dataclasses.replace(SMALL.architecture, **changes)))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = layer.kernel.numpy()
            kernel[np.abs(kernel) < np.quantile(np.abs(kernel), 0.6)] = 0
            layer.kernel.assign(kernel)
    return model


# A batch of 64 is computed in two towers, which share the ranges and the moving averages.
@pytest.mark.parametrize(("changes", "batch"), [({}, 64), ({"batch_norm": False, "relu_logits": True}, 16)])
def test_zeros_input_and_concatenations(changes, batch, tmp_path):
    pruned = pruned_network(**changes)
    guaranteed = guarantees.made(pruned, SMALL)
    aware = quantization_aware(pruned, X)
    before = [w.numpy() for w in aware.trainable_weights]
    fit(job(aware, tmp_path, 3, kept(pruned, aware, ()), batch=batch))
    assert any((a != b.numpy()).any() for a, b in zip(before, aware.trainable_weights, strict=True))
    tflite = to_tflite.to_int8_tflite(aware)
    to_tflite.check(tflite, "x")
    assert set(guarantees.check(tflite, guaranteed, "x")) == set(guaranteed)
    path = tmp_path / "quantized.keras"
    keras_files.save(aware, path)
    assert to_tflite.to_int8_tflite(to_tflite.load_quantized(path)) == tflite
    again = tmp_path / "again.keras"
    keras_files.save(to_tflite.load_quantized(path), again)
    assert again.read_bytes() == path.read_bytes()

    with pytest.raises(
        UserError, match=r"x: fire2_expand3x3 has \d+ zeros of 288 in the .tflite; pruning guaranteed 288"
    ):
        guarantees.check(tflite, {"fire2_expand3x3": guarantees.Guarantee(288, None, None)}, "x")
    with pytest.raises(
        UserError, match=r"convolution fire9_squeeze1x1 is not in the .tflite; it has conv1, fire2"
    ):
        guarantees.check(tflite, {"fire9_squeeze1x1": guarantees.Guarantee(0, None, None)}, "x")


@pytest.mark.long  # not seen to end yet on a loaded machine
def test_a_dead_network_is_one_line():
    """LiteRT would end the program, with status 134 and no word."""
    model = build(
        dataclasses.replace(SMALL, architecture=dataclasses.replace(SMALL.architecture, relu_logits=True))
    )
    last = model.get_layer("conv10")
    last.bias.assign(last.bias * 0 - 1)
    last.kernel.assign(last.kernel * 0)
    dead = to_tflite.to_int8_tflite(quantization_aware(model, X))
    with pytest.raises(UserError, match=r"x: the network gives every image the same answer: it has died"):
        to_tflite.check_alive(dead, "x")
    to_tflite.check_alive(to_tflite.to_int8_tflite(quantization_aware(build(SMALL), X)), "x")


def test_an_input_that_is_not_the_pixel_is_refused():
    aware = quantization_aware(pruned_network(), X)
    for variable in aware.layers[1].non_trainable_weights:
        if variable.name.endswith("_max:0"):
            variable.assign(2.0)
    with pytest.raises(UserError, match=r"the input has scale 0.0078.*; want 0.0039.* and -128"):
        to_tflite.check(to_tflite.to_int8_tflite(aware), "x")


@pytest.mark.parametrize("content", [b"", b"junk"])
def test_a_file_that_is_no_model(tmp_path, content):
    path = tmp_path / "quantized.keras"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"quantized.keras: not a .keras file .*; want the zip"):
        to_tflite.load_quantized(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"no such file; want a \.keras or \.h5 file"):
        to_tflite.load_quantized(tmp_path / "none.keras")
