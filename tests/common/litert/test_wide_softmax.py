"""SOFTMAX of so many equal classes that LiteRT ends the program: said before, exact elsewhere."""

import numpy as np
import pytest

from squeezenet_mcu.common import litert
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import objects, wide_softmax
from squeezenet_mcu.common.litert.apart import apart
from squeezenet_mcu.convert import command
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import graph_ops


def tflite(classes: int, flat: bool = False) -> bytes:
    """A dense layer of random weights on 2x2x3 values, and SOFTMAX; black images make all logits equal.

    flat: all images do, as its weights are zero.
    """
    g = RandomGraph(5, "wide")
    image = g.map("image", [1, 2, 2, 3], 1 / 255, -128)
    logits = graph_ops.dense(g, image, classes)
    model = objects.read(g.packed(image, g.softmax(logits)))
    graph = model.subgraphs[0]
    (dense,) = [op for op in graph.operators if len(op.inputs) == 3]
    _, weights, bias = (graph.tensors[int(index)] for index in dense.inputs)
    for tensor in (bias, weights) if flat else (bias,):
        model.buffers[tensor.buffer].data = np.zeros_like(model.buffers[tensor.buffer].data)
    return objects.packed(model)


BLACK = np.full((2, 2, 3), -128, np.int8)


def crashes(content: bytes) -> bool:
    def work():
        plain = litert.interpreter(content)
        plain.allocate_tensors()
        plain.set_tensor(plain.get_input_details()[0]["index"], BLACK[np.newaxis])
        plain.invoke()
        return b"ran"

    return apart(work) is None


def test_litert_ends_the_program_from_512_on():
    """Why all this is there: one more class than LiteRT can add up."""
    assert not crashes(tflite(511))
    assert crashes(tflite(512))


def test_it_is_said_before():
    reference = litert.Reference(tflite(512))
    with pytest.raises(UserError, match=r"of its 512 classes too many are equally likely .* to 512 times"):
        reference.run(BLACK)
    litert.Reference(tflite(511)).run(BLACK)
    assert litert.trouble(tflite(512)) is None


def test_other_images_are_computed_as_ever():
    content = tflite(600)
    whole = litert.interpreter(content)
    whole.allocate_tensors()
    reference = litert.Reference(content)
    logits = wide_softmax.parts(content).logits
    (output,) = whole.get_output_details()
    for seed in range(10):
        x = np.random.default_rng(seed).integers(-128, 128, (2, 2, 3)).astype(np.int8)
        whole.set_tensor(whole.get_input_details()[0]["index"], x[np.newaxis])
        whole.invoke()
        found, probabilities = reference.infer(x, logits)
        assert np.ptp(found.astype(int)) > 20
        np.testing.assert_array_equal(found, whole.get_tensor(logits).reshape(-1))
        np.testing.assert_array_equal(probabilities, whole.get_tensor(output["index"]).reshape(-1))


def test_few_classes_take_no_part_of_it():
    assert wide_softmax.parts(tflite(511)) is None
    assert wide_softmax.parts(b"no file at all") is None


def test_convert_says_it_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flat.tflite").write_bytes(tflite(1000, flat=True))
    words = ["--tflite", "flat.tflite", "--preprocess", "unit"]
    with pytest.raises(UserError, match="LiteRT cannot compute this network's SOFTMAX"):
        command.run(command.parser().parse_args(words))


def test_work_apart_takes_no_more_memory_than_it_may():
    def work() -> bytes:
        try:
            return b"took it" if bytearray(5 << 30) else b""
        except MemoryError:
            return b"could not"

    assert apart(work) == b"could not"
