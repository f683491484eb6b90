"""Which --preprocess a .tflite's input asks for: what is derived, what is noted, what is refused."""

import contextlib
import io

import numpy as np
import pytest

from squeezenet_mcu.common.data.images import Images
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.statistics import chance
from squeezenet_mcu.convert import input_range
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.outputs import tflm_only
from tests.convert.colour_nets import EDGES, colour_tflite, images


def unasked(_count: int) -> Images | None:
    raise AssertionError("images are measured only where two rules fit")


def edge(covers: tuple[float, float], kind: str = "int8", rule: str = "unit") -> input_range.Edge:
    file = tflite_file.parse(colour_tflite(rule, kind, covers), "net.tflite")
    return input_range.edge_of(file, lower(file))


def settled(found: input_range.Edge, given: str | None = None, labelled=unasked) -> tuple[str, str]:
    """The rule, and the note."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        rule = input_range.settle(found, given, labelled)
    return rule, text.getvalue()


@pytest.mark.parametrize("kind", EDGES)
@pytest.mark.parametrize(
    ("covers", "rule", "said"),
    [
        ((0, 255), "byte", "covers 0 to 255, so pixels are taken as byte (pixels as they are)"),
        ((0, 244.1), "byte", "covers 0 to 244.1, so"),  # images that had nothing whiter
        ((0, 1), "unit", "covers 0 to 1, so pixels are taken as unit (pixel / 255)"),
        ((0, 0.957), "unit", "covers 0 to 0.957, so"),
    ],
)
def test_a_whole_byte_s_range_is_certain(covers, rule, said, kind):
    found, note = settled(edge(covers, kind))
    assert found == rule
    assert said in note
    assert note.count("\n") == 1


@pytest.mark.parametrize(
    ("covers", "says"),
    [
        ((-2.1179, 2.64), ["covers -2.1", "not 0 to 255, ", "torch would fit"]),
        ((-123, 151), ["covers -122.5 to 151.5", "caffe would fit"]),
        ((-128, 127), ["covers -128 to 127", 'caffe would fit, "mean=128,std=1" would use the whole range']),
        ((0, 0.6), ["covers 0 to 0.6", ": unit would fit if it was calibrated with dim images; or the mean"]),
        ((0, 26), ["covers 0 to 26", "byte would fit if it was calibrated with dim images"]),
    ],
)
def test_another_range_is_one_line_that_says_what_would_fit(covers, says):
    with pytest.raises(UserError) as error:
        settled(edge(covers))
    for words in ("net.tflite: its input ", "PREPROCESS= (--preprocess)", "mean=", *says):
        assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_the_free_rule_of_the_message_fits():
    found = edge((-3.1, 4.2))
    with pytest.raises(UserError) as error:
        settled(found)
    free = str(error.value).split('"')[1]
    assert settled(found, free) == (free, "")


@pytest.mark.parametrize(
    ("covers", "given", "wanted"),
    [
        ((0, 1), "byte", "; unit would fit"),
        ((0, 255), "unit", "; byte would fit"),
        ((0, 255), "tf", "; byte would fit"),
        ((-1, 1), "byte", "; unit or tf would fit"),
        ((-123, 151), "torch", "; caffe would fit"),
        ((-2.1179, 2.64), "caffe", "; torch would fit"),
        ((-40, 40), "mean=0,std=0.01", '"mean=127,std=3.187"'),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(covers, given, wanted):
    with pytest.raises(UserError) as error:
        settled(edge(covers), given)
    said = str(error.value)
    assert f"with PREPROCESS={given} " in said and "of the pixel values clip" in said
    assert wanted in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("covers", "given", "says"),
    [
        ((0, 1), "tf", "50% of the pixel values clip, 100% of the int8 range is used; unit would fit"),
        (
            (0, 0.6),
            "unit",
            "39% of the pixel values clip, 100% of the int8 range is used; unit would fit if it was",
        ),
        ((-2.1179, 2.64), "tf", "0% of the pixel values clip, 43% of the int8 range is used; torch would"),
    ],
)
def test_an_odd_rule_is_taken_with_a_note(covers, given, says):
    rule, note = settled(edge(covers), given)
    assert rule == given
    assert says in note


@pytest.mark.parametrize(
    ("covers", "given"), [((0, 1), "unit"), ((-1, 1), "unit"), ((-1, 1), "tf"), ((-2.1179, 2.64), "torch")]
)
def test_a_rule_that_fits_is_taken_without_a_word(covers, given):
    assert settled(edge(covers), given) == (given, "")


def test_blanks_in_a_free_rule_are_no_mistake():
    rule, _ = settled(edge((-1, 1)), "mean = 127.5, std = 127.5")
    assert rule == "mean=127.5,std=127.5"


@pytest.mark.parametrize("data", ["none", "unlabelled"])
def test_minus_1_to_1_without_labels_is_tf_with_a_note(data):
    x, y = images(12)
    found = {"none": None, "unlabelled": Images(x, np.full_like(y, -1), [], [])}[data]
    rule, note = settled(edge((-1, 1)), labelled=lambda _: found)
    assert rule == "tf"
    assert "only labelled images (--data) could tell; tf is taken: if " in note
    assert "if the network was trained on pixel / 255, say --preprocess unit\n" in note


def test_a_difference_by_chance_decides_nothing():
    """Four images, of which "unit" gets all and "tf" one: that happens."""
    x, y = images(4)
    rule, note = settled(edge((-1, 1)), labelled=lambda _: Images(x, y, [], []))
    assert rule == "tf"
    assert "of 4 labelled images LiteRT gets right: tf 25.0%, unit 100.0%, no more apart than chance" in note


def test_few_images_are_asked_for():
    asked = []

    def labelled(count: int) -> None:
        asked.append(count)

    small = edge((-1, 1))
    settled(small, labelled=labelled)
    large = input_range.Edge(small.file, small.size, small.scale, small.zero_point, 10**12, 0, 0)
    settled(large, labelled=labelled)
    assert asked == [200, 20]


@pytest.mark.parametrize("kind", EDGES)
def test_tflm_s_edge_is_the_same(kind):
    file = tflite_file.parse(colour_tflite("unit", kind), "net.tflite")
    assert tflm_only.edge(tflm_only.check(file)) == input_range.edge_of(file, lower(file))


def test_chance():
    assert chance(0, 0) == 1.0
    assert chance(5, 5) == 1.0
    assert chance(0, 3) == 0.25
    assert chance(8, 0) == chance(0, 8) == 2 / 2**8
    assert chance(1, 9) == pytest.approx(2 * 11 / 2**10)
