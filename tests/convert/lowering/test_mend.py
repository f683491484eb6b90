"""Files that nobody could run as they are: they are changed so that each int8 stays as it was."""

import ai_edge_litert.interpreter as lite
import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common import litert
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import mend, tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.verify.exactness import sample_images
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import graph_ops as ops
from tests.convert.lowering.test_operators import edited
from tests.convert.verify.test_exact import check


def mended(content: bytes) -> mend.Mended:
    return mend.mended(tflite_file.parse(content, "x.tflite"))


def small() -> bytes:
    g = RandomGraph(5, "to be mended")
    image = g.map("image", [1, 9, 8, 3], 1 / 255)
    x = g.conv("conv1", image, 6, 3)
    return g.packed(image, g.softmax(g.mean(g.conv("conv2", x, 4, 1), 0.5)))


def test_a_sound_file_stays_as_it_is():
    content = small()
    found = mended(content)
    assert found.file.content == content
    assert found.notes == []


@pytest.mark.parametrize("inputs", [2, 3])  # none, or -1
def test_a_convolution_without_bias_gets_zeros(inputs, tmp_path):
    def edit(model):
        for op in model.subgraphs[0].operators[:2]:
            op.inputs = [*op.inputs[:2], -1][:inputs]

    without = edited(small(), edit)
    assert "refuses it" in (litert.trouble(without) or "")
    found = mended(without)
    assert litert.trouble(found.file.content) is None
    check(found.file.content, 2, tmp_path)
    plain = {layer.name: layer for layer in lower(tflite_file.parse(small())).layers}
    for layer in lower(found.file).layers:
        if layer.weights is not None:
            assert np.array_equal(layer.weights, plain[layer.name].weights)
            assert np.array_equal(layer.bias, layer.weights.astype(int).sum(axis=(1, 2, 3)) * 128)


def test_a_depthwise_convolution_without_bias(tmp_path):
    g = RandomGraph(5, "no bias")
    image = g.map("image", [1, 9, 8, 3], 1 / 255)
    content = g.packed(image, g.mean(ops.depthwise(g, image, bias=False), 0.5))
    check(mended(content).file.content, 2, tmp_path)


def behind_the_flatbuffer(content: bytes) -> bytes:
    """Its larger constants after the flatbuffer, as ai-edge-quantizer writes them."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    large = [b for b in model.buffers if b.data is not None and len(b.data) > 20]
    pieces = [np.asarray(b.data, np.uint8).tobytes() for b in large]
    assert pieces
    for buffer, piece in zip(large, pieces, strict=True):
        buffer.data, buffer.offset, buffer.size = None, 1 << 20, len(piece)

    def packed() -> bytes:
        builder = flatbuffers.Builder(len(content))
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    at = [len(packed())]
    for piece in pieces:
        at.append(-(-(at[-1] + len(piece)) // 16) * 16)
    for buffer, begin in zip(large, at[:-1], strict=True):
        buffer.offset = begin
    whole = bytearray(packed())
    assert len(whole) == at[0]
    for begin, piece in zip(at, pieces, strict=False):
        whole[len(whole) :] = b"\0" * (begin - len(whole)) + piece
    return bytes(whole)


def test_weights_behind_the_flatbuffer_are_taken_in(tmp_path):
    found = mended(behind_the_flatbuffer(small()))
    assert found.notes == []
    plain = lower(tflite_file.parse(small())).layers
    for layer, wanted in zip(lower(found.file).layers, plain, strict=True):
        assert layer.weights is None or np.array_equal(layer.weights, wanted.weights)
    check(found.file.content, 2, tmp_path)


def test_weights_that_would_lie_behind_the_file_are_one_line():
    with pytest.raises(UserError, match=r"x.tflite: buffer \d+ lies at [\d,]+, [\d,]+ bytes; the file has"):
        mended(behind_the_flatbuffer(small())[:-40])


def test_channels_first_are_taken_channels_last(tmp_path):
    g = RandomGraph(5, "channels first")
    image = g.map("image", [1, 3, 9, 8], 1 / 255)
    x = g.conv("conv1", ops.transpose(g, image, [0, 2, 3, 1]), 6, 3)
    last = g.mean(x, 0.5)
    content = g.packed(image, last)
    found = mended(content)
    assert found.file.tensors[found.file.inputs[0]].shape == (1, 9, 8, 3)
    assert "takes [1, channels, height, width]" in found.notes[0]
    check(found.file.content, 2, tmp_path)
    # The same answers, to the same images in the other order.
    given, made = litert.interpreter(content), litert.Reference(found.file.content)
    given.allocate_tensors()
    for x in sample_images((9, 8, 3), 2):
        given.set_tensor(given.get_input_details()[0]["index"], x.transpose(2, 0, 1)[None])
        given.invoke()
        made.run(x)
        assert np.array_equal(given.get_tensor(last), made.tensor(last))


def test_other_orders_of_the_image_are_refused():
    g = RandomGraph(5, "width first")
    image = g.map("image", [1, 8, 9, 3], 1 / 255)
    x = g.conv("conv1", ops.transpose(g, image, [0, 2, 1, 3]), 6, 3)
    found = mended(g.packed(image, g.mean(x, 0.5)))
    with pytest.raises(UserError, match="its values are transposed; not supported"):
        lower(found.file)


def test_a_softmax_of_floats_at_the_end_is_left_to_the_reader(tmp_path):
    """litert-torch's PT2E leaves it in float."""
    g = RandomGraph(5, "floats at the end")
    image = g.map("image", [1, 9, 8, 3], 1 / 255)
    logits = g.mean(g.conv("conv1", image, 6, 3), 0.5)
    kinds = schema.TensorType
    floats = [g.tensor(name, [1, 6], kinds.FLOAT32, [], 0) for name in ("floats", "probabilities")]
    ops.operator(g, "DEQUANTIZE", 0, None, [logits], floats[0])
    softmax = schema.SoftmaxOptionsT(beta=1.0)
    ops.operator(g, "SOFTMAX", ops.OPTIONS.SoftmaxOptions, softmax, floats[:1], floats[1])
    found = mended(g.packed(image, floats[1]))
    assert found.file.outputs == (logits,)
    assert "SOFTMAX of floats" in found.notes[0]
    check(found.file.content, 2, tmp_path)


def with_an_elu_in_float(scale: float) -> tuple[bytes, int, int]:
    """Its image and the int8 behind the ELU, of this scale; before it, 0.05."""
    g = RandomGraph(5, "ELU")
    image = g.map("image", [1, 9, 8, 3], 1 / 255)
    x = ops.requantize(g, g.conv("conv1", image, 6, 3), 0.05, -30)
    kinds = schema.TensorType
    floats = [g.tensor(name, [1, 9, 8, 6], kinds.FLOAT32, [], 0) for name in ("before", "behind")]
    ops.operator(g, "DEQUANTIZE", 0, None, [x], floats[0])
    ops.operator(g, "ELU", 0, None, floats[:1], floats[1])
    out = g.map("out", [1, 9, 8, 6], scale, -100)
    g.add(ops.OPERATORS.QUANTIZE, ops.OPTIONS.QuantizeOptions, schema.QuantizeOptionsT(), [floats[1]], out)
    return g.packed(image, g.mean(g.conv("conv2", out, 4, 1), 0.5)), image, out


def test_an_elu_that_was_left_in_float_is_one_of_int8(tmp_path):
    """TensorFlow's converter quantizes no ELU."""
    content, image, out = with_an_elu_in_float(0.041)
    with pytest.raises(UserError, match="INT8 to FLOAT32 in the middle of the network, for ELU"):
        lower(tflite_file.parse(content))
    found = mended(content)
    assert [op.name for op in found.file.ops] == ["CONV_2D", "QUANTIZE", "ELU", "CONV_2D", "MEAN"]
    check(found.file.content, 2, tmp_path)
    # And the same answers as the file had, whose ELU only LiteRT's other kernels take.
    kind = lite.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runs = []
    for one in (content, found.file.content):
        runs.append(lite.Interpreter(model_content=one, experimental_op_resolver_type=kind,
                                     experimental_preserve_all_tensors=True))  # fmt: skip
        runs[-1].allocate_tensors()
        runs[-1].set_tensor(image, sample_images((9, 8, 3), 1)[0][None])
        runs[-1].invoke()
    assert np.array_equal(runs[0].get_tensor(out), runs[1].get_tensor(out))
    assert len(np.unique(runs[0].get_tensor(out))) > 50


def test_an_elu_in_float_that_rounds_otherwise_stays_and_is_refused():
    """With these scales every fourth value is a half, which the int8 ELU rounds the other way."""
    content, _, _ = with_an_elu_in_float(0.04)
    found = mended(content)
    assert found.file.content == content
    with pytest.raises(UserError, match="for ELU"):
        lower(found.file)
