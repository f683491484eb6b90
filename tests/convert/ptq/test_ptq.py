"""What a quantized network promises, whatever its family, bits and samples."""

import re

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.ptq import pipeline
from squeezenet_mcu.convert.ptq import weights as weight
from squeezenet_mcu.convert.ptq.pipeline import quantize
from squeezenet_mcu.convert.target import ANY_CPU
from tests.convert.ptq import ptq_nets

NETS = {
    "v1.0": lambda: ptq_nets.published("imagenet_v1_0", 48),
    "v1.1 with bypasses": lambda: ptq_nets.published("imagenet_v1_1", 48, bypass="simple"),
    "small": ptq_nets.small,
    "small with complex bypasses, logits of both signs": lambda: ptq_nets.small(False, "complex"),
}


def convolutions(model):
    return {layer.name: layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)}


def all_bits(model, bits):
    return dict.fromkeys(convolutions(model), bits)


def samples(model, count=8, seed=0):
    return ptq_nets.images(count, model.input_shape[1], seed)


def by_layer(content):
    """The CONV_2D of a .tflite by Keras name: (weights, bias, input) tensors."""
    file = tflite_file.parse(content)
    found = {}
    for op in file.ops:
        if op.name == "CONV_2D":
            weights, bias, source = (file.tensors[op.inputs[i]] for i in (1, 2, 0))
            name = re.search(r"(\w+)/Conv2D", file.tensors[op.outputs[0]].name)[1]
            found[name] = weights, bias, source
    return found


@pytest.fixture(scope="module", params=NETS, ids=lambda name: name.replace(" ", "-"))
def quantized(request):
    """A float model, its bits (all of 4 to 8 occur), and its .tflite."""
    model = NETS[request.param]()
    bits = {name: 8 - i % 5 for i, name in enumerate(convolutions(model))}
    return model, bits, quantize(model, samples(model), bits)


def test_weights_stay_within_their_bits_and_use_them(quantized):
    _, bits, content = quantized
    for name, (weights, _, _) in by_layer(content).items():
        top = (1 << (bits[name] - 1)) - 1
        assert top * 0.85 <= np.abs(weights.data.astype(int)).max() <= top, name


def test_weights_that_are_zero_stay_zero(quantized):
    model, _, content = quantized
    for name, (weights, _, _) in by_layer(content).items():
        kernel = convolutions(model)[name].kernel.numpy().transpose(3, 0, 1, 2)
        assert np.count_nonzero(kernel == 0) > kernel.size // 5
        assert not weights.data[kernel == 0].any(), name


def test_every_output_channel_has_a_scale_and_the_bias_has_the_product(quantized):
    _, _, content = quantized
    for name, (weights, bias, source) in by_layer(content).items():
        assert weights.scale.shape == bias.scale.shape == (weights.shape[0],)
        steps = 6 * np.log2(weights.scale.astype(np.float64))
        assert np.allclose(steps, np.round(steps), atol=1e-5), name
        assert len(np.unique(weights.scale)) > 1, name
        assert bias.scale.tobytes() == (source.scale[0] * weights.scale).tobytes(), name
        assert weights.zero_point == bias.zero_point == 0
        assert weights.type_name == "INT8" and bias.type_name == "INT32"


def test_the_input_is_the_pixel_less_128(quantized):
    file = tflite_file.parse(quantized[2])
    source = file.tensors[file.inputs[0]]
    assert (source.type_name, source.scale.tolist(), source.zero_point) == ("INT8", [1.0], -128)


def test_operators_that_hand_on_values_share_their_quantization(quantized):
    file = tflite_file.parse(quantized[2])
    assert "QUANTIZE" not in [op.name for op in file.ops]
    for op in file.ops:
        if op.name in ("CONCATENATION", "MAX_POOL_2D", "PAD"):
            inputs = op.inputs[:1] if op.name == "PAD" else op.inputs
            seen = {(file.tensors[t].scale[0], file.tensors[t].zero_point) for t in (*inputs, *op.outputs)}
            assert len(seen) == 1, op


def test_outputs_of_a_relu_have_zero_point_minus_128(quantized):
    file = tflite_file.parse(quantized[2])
    for op in file.ops:
        if op.name == "CONV_2D" and op.options.fusedActivationFunction == 1:
            assert file.tensors[op.outputs[0]].zero_point == -128


def test_the_engine_equals_litert(quantized):
    engine_model.make(tflite_file.parse(quantized[2]), [], ANY_CPU)  # raises unless it is proven


def test_at_8_bits_the_logits_are_close_to_the_floats():
    model = ptq_nets.published()
    content = quantize(model, samples(model, 16), all_bits(model, 8))
    x = samples(model, 16, seed=1)
    wanted, got = ptq_nets.float_logits(model, x), ptq_nets.int8_logits(content, x)
    assert np.square(got - wanted).mean() < 0.01 * wanted.var()


def test_compensated_rounding_beats_rounding_to_the_nearest_on_new_images(monkeypatch):
    model = ptq_nets.small()
    x = samples(model, 16, seed=1)
    wanted = ptq_nets.float_logits(model, x)

    def error():
        content = quantize(model, samples(model, 16), all_bits(model, 5))
        return np.square(ptq_nets.int8_logits(content, x) - wanted).mean()

    compensated = error()
    fit = pipeline._fit

    def plain(op, bits, exact, inexact):
        fit(op, bits, exact, inexact)  # runs it in float
        graph, source = exact.graph, inexact.quantization(op.inputs[0]).scale
        scales = weight.full_range(graph.weights(op), graph.bias(op), source, bits)
        rounded = weight.nearest(graph.weights(op), scales, bits)
        out = inexact.quantization(op.outputs[0]).scale
        return weight.integers(rounded, scales, graph.bias(op), source, out)

    monkeypatch.setattr(pipeline, "_fit", plain)
    assert compensated < 0.5 * error()


def test_the_same_arguments_give_the_same_bytes():
    first, second = ptq_nets.small(), ptq_nets.small()
    assert quantize(first, samples(first), all_bits(first, 7)) == quantize(
        second, samples(second), all_bits(second, 7)
    )


def test_progress_names_every_layer():
    model = ptq_nets.small()
    lines = []
    quantize(model, samples(model, 2), all_bits(model, 6), lines.append)
    for name in convolutions(model):
        assert [line for line in lines if line.startswith(f"{name}: 6 bits")], name
    assert all("\n" not in line for line in lines)


def test_a_network_that_answers_nothing_can_still_be_quantized():
    model = ptq_nets.small()
    for layer in convolutions(model).values():
        layer.set_weights([np.zeros_like(values) for values in layer.get_weights()])
    content = quantize(model, samples(model, 2), all_bits(model, 8))
    assert not ptq_nets.int8_logits(content, samples(model, 2)).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"images": np.zeros((2, 16, 16, 3), np.uint8)},
            r"images are uint8 \[2, 16, 16, 3\]; want uint8 \[n,",
        ),
        ({"images": np.zeros((2, 32, 32, 3), np.float32)}, "images are float32"),
        ({"images": np.zeros((0, 32, 32, 3), np.uint8)}, r"images are uint8 \[0, 32, 32, 3\]"),
        ({"bits": {"conv1": 9}}, "weight_bits of conv1 is 9; want 4 to 8"),
        ({"bits": {"conv10": 3}}, "weight_bits of conv10 is 3; want 4 to 8"),
        ({"bits": {"conv11": 8}}, "weight_bits names conv11; its convolutions are conv1, fire2_squeeze1x1"),
        ({"drop": "conv10"}, "weight_bits of conv10 is None; want 4 to 8"),
    ],
)
def test_mistakes_are_one_line(change, message):
    model = ptq_nets.small()
    bits = all_bits(model, 8) | change.get("bits", {})
    bits.pop(change.get("drop"), None)
    with pytest.raises(UserError, match=message) as error:
        quantize(model, change.get("images", samples(model, 2)), bits)
    assert "\n" not in str(error.value)


def test_operators_without_a_quantized_form_are_refused():
    source = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="sigmoid", name="conv1")(source)
    model = keras.Model(source, keras.layers.GlobalAveragePooling2D()(x), name="strange")
    with pytest.raises(UserError, match=r"LOGISTIC.*cannot be quantized; want one of CONV_2D"):
        quantize(model, np.zeros((1, 8, 8, 3), np.uint8), {"conv1": 8})
