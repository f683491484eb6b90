"""Accuracies are those of LiteRT fed with the framework's own preprocessing, whatever the input's type."""

import io

import numpy as np
import pytest

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert import command
from squeezenet_mcu.convert.outputs import tflm_arena
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.link.device import Result
from squeezenet_mcu.host_tools.studies import evaluate
from squeezenet_mcu.host_tools.validate import command as validate
from squeezenet_mcu.host_tools.validate.compare import compare_all
from tests.convert.colour_nets import EDGES, VALUES, colour_tflite, images, litert_answers

RULES = [*VALUES]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with images.npz, to work in, without the probe of TFLite Micro: it is not asked here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tflm_arena, "available", lambda: False)
    x, y = images()
    np.savez("images.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    return tmp_path


def convert(place, content: bytes, *options: str) -> None:
    (place / "net.tflite").write_bytes(content)
    assert command.run(command.parser().parse_args(["--tflite", "net.tflite", *options])) == 0


class Board:
    """In the place of a device: our engine on this machine."""

    def __init__(self, blob: bytes) -> None:
        self._engine = HostEngine(blob)

    def infer_many(self, images):
        return (Result(*self._engine.infer(image), 1, "cycles", 1, 1) for image in images)


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("rule", RULES)
def test_evaluate_and_validate_say_what_litert_says(place, rule, edge):
    content = colour_tflite(rule, edge)
    x, y = images()
    answers, inputs = litert_answers(content, VALUES[rule](x))
    right = answers == y
    assert right.mean() > 0.95
    convert(place, content, "--preprocess", rule)
    quiet = Console(file=io.StringIO())
    figures = evaluate.evaluate("net", "images.npz", None, None, quiet)
    assert (figures["int8_top1"], figures["engine_top1"]) == (right.mean(), right.mean())
    assert figures["differing_values"] == 0

    artefacts = validate.load_artefacts("net")
    tests = validate.load_tests(artefacts, "images.npz", 100)
    board = Board((artefacts.folder / "model.sqz").read_bytes())
    reference = Reference.of(artefacts.manifest, content)
    logits = artefacts.manifest["output"]["logits_tensor"]
    report = compare_all(board, reference, tests.images, tests.labels, logits)
    chosen = np.arange(100) * 120 // 100  # spread over the 120
    np.testing.assert_array_equal(tests.images, inputs[chosen])
    assert report.exact
    assert report.device_accuracy == report.python_accuracy == right[chosen].mean()


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("rule", ["unit", "tf"])
def test_labelled_images_tell_the_two_rules_of_minus_1_to_1_apart(place, capsys, rule, edge):
    """A network trained on pixel / 255 that was calibrated over -1 to 1: 17 % as "tf", not 97 %."""
    content = colour_tflite(rule, edge, covers=(-1, 1))
    x, y = images()
    right = (litert_answers(content, VALUES[rule](x))[0] == y).mean()
    convert(place, content, "--data", "images.npz")
    said = capsys.readouterr().out
    assert f"accuracy: int8 top-1 {right:.2%} of 120 images" in said
    other = {"unit": "tf", "tf": "unit"}[rule]
    wrong = (litert_answers(content, VALUES[other](x))[0] == y).mean()
    assert f"{rule} {right:.1%}" in said and f"{other} {wrong:.1%}" in said
    assert f"{rule} is taken; else say --preprocess {other}\n" in said
