"""All operators that keep a .tflite from our engine are named, each with the reason that lowering gives."""

import re

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import objects
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert.lowering import survey, tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.lowering.tflite_file import OperatorError
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import graph_ops as ops


def several() -> bytes:
    """Operators that are not in the table, one of too large a kernel, and convolutions between them."""
    g = RandomGraph(5, "three reasons")
    image = g.map("image", [1, 24, 24, 3], 1 / 255)
    x = g.conv("conv1", image, 6, 3)
    x = ops.operator(g, "SQUARE", *ops.NO_OPTIONS, [x], g.map("squares", ops.shape_of(g, x), 0.1))
    x = g.conv("conv2", x, 6, 9)
    x = g.conv("conv3", x, 6, 3)
    x = ops.operator(g, "FLOOR", *ops.NO_OPTIONS, [x], g.map("floors", ops.shape_of(g, x), 0.1))
    x = g.conv("conv4", x, 6, 3)
    return g.packed(image, g.mean(x, g.scale(x)))


def changed(change) -> bytes:
    """`several()` after `change` of its sub-graph."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(several(), 0))
    change(model.subgraphs[0])
    return objects.packed(model)


def test_each_operator_is_named_with_its_own_reason():
    file = tflite_file.parse(several(), "x.tflite")
    found = survey.problems(file)
    assert [(p.op.index, p.op.name) for p in found] == [(1, "SQUARE"), (2, "CONV_2D"), (4, "FLOOR")]
    assert found[1].reason == "kernel 9x9; wanted at most 7"
    assert all(p.reason.startswith("is not supported; ENGINE=tflm") for p in (found[0], found[2]))
    assert [p.tensor.name for p in found][::2] == ["squares", "floors"]


def test_lowering_names_the_others_behind_the_first():
    with pytest.raises(UserError) as error:
        lower(tflite_file.parse(several(), "x.tflite"))
    said = str(error.value)
    assert said.startswith("x.tflite: op 1 SQUARE, tensor ")
    assert said.endswith("; so are op 2 CONV_2D, op 4 FLOOR: make analyze TFLITE= says why")
    assert "\n" not in said


def test_one_alone_is_said_as_ever():
    g = RandomGraph(5, "one reason")
    image = g.map("image", [1, 24, 24, 3], 1 / 255)
    x = g.conv("conv1", image, 6, 9)
    content = g.packed(image, g.mean(x, g.scale(x)))
    with pytest.raises(OperatorError, match=r"op 0 CONV_2D, .*: kernel 9x9; wanted at most 7$"):
        lower(tflite_file.parse(content, "x.tflite"))


def test_a_network_that_is_lowered_has_no_problems():
    for path in ZOO.glob("*/model.tflite"):
        assert survey.problems(tflite_file.read(path)) == []


def test_what_is_wrong_with_the_file_comes_before_its_operators():
    def other(graph):
        graph.tensors[graph.inputs[0]].shape = np.array([1, 24, 72], np.int32)
        graph.outputs = np.array([graph.outputs[0], graph.outputs[0]], np.int32)

    found = survey.problems(tflite_file.parse(changed(other), "x.tflite"))
    assert not isinstance(found[0], OperatorError)
    assert re.match(r"x\.tflite: 1 inputs, 2 outputs; wanted 1 and 1", str(found[0]))
    assert {p.op.name for p in found if isinstance(p, OperatorError)} >= {"SQUARE", "FLOOR"}


@pytest.mark.parametrize("number", range(7))
def test_an_operator_without_its_inputs_is_one_more_problem(number):
    def without(graph):
        graph.operators[number].inputs = np.zeros(0, np.int32)

    found = survey.problems(tflite_file.parse(changed(without), "x.tflite"))
    assert {p.op.index for p in found} == {1, 2, 4, number}
    if number not in (1, 2, 4):
        assert next(p.reason for p in found if p.op.index == number) == "is damaged or inconsistent"
    assert all("\n" not in str(problem) for problem in found)


def test_a_tensor_that_is_made_twice_ends_the_survey():
    def twice(graph):
        graph.operators[3].outputs = graph.operators[0].outputs

    (found,) = survey.problems(tflite_file.parse(changed(twice), "x.tflite"))
    assert found.op.index == 3 and found.reason == "is made by op 0 already"


def test_more_operators_than_any_network_has_are_refused_before_they_are_unpacked(monkeypatch):
    g = RandomGraph(7, "many")
    image = g.map("image", [1, 8, 8, 3], 1 / 255)
    content = g.packed(image, g.softmax(g.mean(g.conv("conv1", image, 4, 3))))
    monkeypatch.setattr(tflite_file.schema.ModelT, "InitFromObj", None)  # would be called
    monkeypatch.setattr(tflite_file, "_MOST_OPERATORS", 2)
    with pytest.raises(UserError, match="3 operators; want at most 2"):
        tflite_file.parse(content)
