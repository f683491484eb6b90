"""Quantization-aware training keeps the zeros, with and without batch norm, and the .tflite is checked."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.compress import guarantees
from squeezenet_mcu.model.compress.qat import check_runs, kept, quantization_aware
from squeezenet_mcu.model.network import keras_files, to_tflite
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.settings.compression import Prune
from squeezenet_mcu.model.train.divergence import Rate
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
@pytest.mark.parametrize(
    ("changes", "batch"),
    [({}, 64), pytest.param({"batch_norm": False, "relu_logits": True}, 16, marks=pytest.mark.long)],
)
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


def test_a_dead_network_is_an_error_with_advice_and_does_not_end_the_program():
    """Its logits are next to zero for every image: LiteRT calls abort() over the scale of SOFTMAX's input."""
    model = pruned_network(batch_norm=False, relu_logits=True)
    kernel, bias = model.get_layer("conv10").get_weights()
    model.get_layer("conv10").set_weights([kernel * 0, bias * 0 + 1e-9])
    aware = quantization_aware(model, X)
    tflite = to_tflite.to_int8_tflite(aware)
    rate = Rate(Path("my.toml"), "quantize", 0.05)
    with pytest.raises(UserError, match=r"^quantize: LiteRT crashes on it: .* from 0\.05 to 0\.005$"):
        check_runs(tflite, "quantize", rate)
    check_runs(to_tflite.to_int8_tflite(quantization_aware(pruned_network(), X)), "quantize", rate)


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
