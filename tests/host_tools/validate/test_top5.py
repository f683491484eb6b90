"""The device's answers by name: which classes, their order, the label's rank; tables and JSON."""

import io

import numpy as np

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.link.device import Result
from squeezenet_mcu.host_tools.validate import top5
from squeezenet_mcu.host_tools.validate.compare import Report

LABELS = [f"name{i}" for i in range(12)]
MANIFEST = {"labels": LABELS, "output": {"classes": 12, "scale": 1 / 256, "zero_point": -128}}


def logits(**of):
    values = np.full(12, -100, np.int8)
    for name, value in of.items():
        values[int(name[1:])] = value
    return values


def probabilities(**of):
    values = np.full(12, -128, np.int8)
    for name, value in of.items():
        values[int(name[1:])] = value
    return values


def test_highest_first_and_of_equal_ones_the_lower_class():
    assert top5.top_classes(logits(c3=5, c9=127, c1=5, c0=-128)) == (9, 1, 3, 2, 4)


def test_fewer_classes_than_five():
    assert top5.top_classes(np.array([-128, 3, 127], np.int8)) == (2, 1, 0)


def test_rank():
    best = logits(c7=9, c2=8, c4=7)
    given = probabilities(c7=0)
    assert [top5.answer(best, given, label).rank for label in (7, 2, 4, 11, -1)] == [1, 2, 3, None, None]


def test_json_has_names_and_fractions():
    made = top5.answer(logits(c7=9, c2=8), probabilities(c7=127, c2=-127), 2)
    unknown = top5.answer(logits(c7=9), probabilities(), -1)
    first, second = top5.as_json([made, unknown], MANIFEST)
    assert (first["image"], first["label"], first["name"], first["rank"]) == (0, 2, "name2", 2)
    assert [top["name"] for top in first["top"]] == ["name7", "name2", "name0", "name1", "name3"]
    assert [top["probability"] for top in first["top"][:3]] == [0.996094, 0.003906, 0.0]
    assert (second["image"], second["label"], second["name"], second["rank"]) == (1, None, None, None)
    nameless = top5.as_json([made], MANIFEST | {"labels": []})[0]
    assert (nameless["name"], nameless["top"][0]["name"]) == ("2", "7")


def shown(count):
    made = [top5.answer(logits(**{f"c{i % 12}": 9}), probabilities(), 3) for i in range(count)]
    stream = io.StringIO()
    top5.show(Console(file=stream, width=80), made, MANIFEST)
    return stream.getvalue()


def test_a_few_images_are_all_shown():
    text = shown(3)
    assert "images)" not in text
    assert "name2 0.000" in text


def test_of_many_images_some_are_shown():
    text = shown(100)
    assert "(20 of 100 images)" in text
    assert " 95 " in text


def test_confusion_has_the_pairs_that_occur():
    given = probabilities()
    answers = [
        top5.answer(logits(**{f"c{taken}": 9}), given, label)
        for label, taken in ((2, 2), (2, 7), (2, 7), (1, 1), (-1, 3))
    ]
    assert top5.confusion(answers) == [[1, 1, 1], [2, 2, 1], [2, 7, 2]]


def test_models_of_few_classes_have_no_table():
    assert top5.many_classes(MANIFEST)
    assert not top5.many_classes({"output": {"classes": 10}})


def test_the_report_counts_top_five():
    report = Report()
    given = probabilities()
    for device, python, label in (
        (logits(c7=9), logits(c7=9), 7),
        (logits(c7=9), logits(c7=9), 11),
        (logits(c7=9), logits(c11=9), 11),
        (logits(c7=9), logits(c7=9), -1),
    ):
        report.add(Result(device, given, 1, "cycles", 1, 1), python, given, label)
    assert report.device_top5_accuracy == 1 / 3
    assert report.python_top5_accuracy == 2 / 3
    assert [a.rank for a in report.answers] == [1, None, None, None]
