"""Figures of the report, computed once more from the artefacts: by LiteRT, numpy and arithmetic alone."""

import hashlib
import json
import math
import re
import types

import numpy as np
import pytest
from ai_edge_litert import interpreter as lite

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.host_tools.analyze import subject
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.report.sections import layers
from tests.host_tools.report.conftest import IMAGES


@pytest.fixture(scope="module")
def model(place):
    return (place / "build" / "digits" / "model.tflite").read_bytes()


@pytest.fixture(scope="module")
def litert(model):
    found = lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=lite.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    found.allocate_tensors()
    return found


@pytest.fixture(scope="module")
def convolutions(litert):
    """Of each convolution: its weights int8 [out, h, w, in], and the shape of its output."""
    shapes = {tensor["index"]: tensor["shape"] for tensor in litert.get_tensor_details()}
    return [
        (litert.get_tensor(op["inputs"][1]), shapes[op["outputs"][0]], op["outputs"][0])
        for op in litert._get_ops_details()
        if op["op_name"] == "CONV_2D"
    ]


@pytest.fixture(scope="module")
def answers(litert, convolutions):
    """Labels and logits' classes of the report's images, and the outputs of the first convolution."""
    images = sources.load("digits", "test", 28, 28, 1, IMAGES)
    source = litert.get_input_details()[0]
    scale, zero_point = source["quantization"]
    classes, outputs = [], []
    for x in images.x:
        value = np.round(x / 255 / scale).astype(np.int16) + zero_point
        litert.set_tensor(source["index"], np.clip(value, -128, 127).astype(np.int8)[np.newaxis])
        litert.invoke()
        classes.append(int(litert.get_tensor(litert.get_output_details()[0]["index"]).argmax()))
        outputs.append(litert.get_tensor(convolutions[0][2]).copy())
    return images.y, np.array(classes), np.stack(outputs)


def section(report, name):
    return report["sections"][name]


def tables(report):
    return {table["network"]: table for table in section(report, "confusion")["tables"]}


def dense(cells):
    found = np.zeros((10, 10), int)
    for label, taken, images in cells:
        found[label, taken] = images
    return found.tolist()


def test_files(report, model, place):
    summary = section(report, "summary")
    assert summary["tflite_bytes"] == len(model)
    sha256 = {link["what"]: link for link in section(report, "proof")["chain"]}
    assert sha256[".tflite"]["sha256"] == hashlib.sha256(model).hexdigest()
    engine = (place / "build" / "digits" / "model.sqz").read_bytes()
    assert sha256["engine model, any CPU"]["sha256"] == hashlib.sha256(engine).hexdigest()
    assert sha256[".tflite"]["verdict"] == "equal"
    assert sha256["firmware, stm32f405"]["verdict"] == "missing"
    assert sha256["firmware, stm32f405"]["needs"] == "make firmware MODEL=digits BOARD=stm32f405"


def test_layers(report, convolutions):
    table = section(report, "layers")
    rows = [row for row in table["rows"] if row["operator"] == "CONV_2D"]
    assert len(rows) == len(convolutions) == 14
    for row, (weights, shape, _) in zip(rows, convolutions, strict=True):
        assert row["weights"] == weights.size
        assert row["zeros"] == int((weights == 0).sum())
        assert row["distinct"] == len(np.unique(weights))
        assert row["output"] == shape[1:].tolist()
        assert row["macs"] == int(np.prod(shape)) * weights[0].size
    for key in ("macs", "weights", "zeros"):
        assert table["sums"][key] == sum(row[key] or 0 for row in table["rows"])
    assert section(report, "summary")["macs"] == table["sums"]["macs"]
    assert section(report, "summary")["time"]["cycles"] == table["sums"]["cost"]
    assert table["sums"]["milliseconds"] == pytest.approx(table["sums"]["cost"] / 168e3, abs=0.01)


def test_zeros_are_counted_in_large_layers_too():
    """Of 18,432 weights, four digits of the share of zeros would not say their number."""
    path = ZOO / "gtsrb" / "model.tflite"
    counted = []
    found = lite.Interpreter(model_path=str(path))
    for op in found._get_ops_details():
        if op["op_name"] == "CONV_2D":
            counted.append(int((found.get_tensor(op["inputs"][1]) == 0).sum()))
    unfit = types.SimpleNamespace(
        fit=None, subject=subject.of_tflite(path), profile=None, board=board_toml.load("stm32f405"),
        needs=lambda *_, **__: "",
    )  # fmt: skip
    rows = layers.gather(unfit)["rows"]
    assert [row["zeros"] for row in rows if row["operator"] == "CONV_2D"] == counted


def test_weights(report, convolutions):
    found = section(report, "values")["weights"]
    weights = np.concatenate([weights.reshape(-1) for weights, _, _ in convolutions]).astype(int)
    assert (found["total"], found["zeros"]) == (weights.size, int((weights == 0).sum()))
    assert found["distinct"] == len(np.unique(weights))
    assert found["counts"] == np.histogram(weights[weights != 0], range(-128, 129, 4))[0].tolist()


def test_images(report, answers):
    labels, taken, outputs = answers
    values = section(report, "values")
    conv1 = values["activations"][0]
    assert (values["images"], conv1["layer"]) == (IMAGES, "conv1")
    assert (conv1["lowest"], conv1["highest"]) == (outputs.min(), outputs.max())
    assert conv1["levels"] == len(np.unique(outputs))
    assert conv1["at_top"] == pytest.approx((outputs == 127).mean(), abs=1e-5)
    mistakes = section(report, "mistakes")
    assert (mistakes["images"], mistakes["wrong"]) == (IMAGES, int((labels != taken).sum()))


def test_accuracies(report):
    card = json.loads((ZOO / "digits" / "metrics.json").read_text())
    rows = {row["network"]: row for row in section(report, "proof")["accuracies"]}
    for stage, network in (("train", "float"), ("prune", "pruned"), ("quantize", "QAT and int8")):
        assert rows[network]["share"] == card["stages"][stage]["test_accuracy"]
    z, n, p = 1.959964, 1000, 0.994  # Wilson's interval
    middle = (p + z * z / 2 / n) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    accuracy = section(report, "summary")["accuracy"]
    assert (accuracy["low"], accuracy["high"]) == pytest.approx((middle - half, middle + half), abs=1e-6)
    int8 = tables(report)["int8"]
    assert dense(int8["cells"]) == card["confusion"]
    assert int8["mistakes"] == np.sum(card["confusion"]) - np.trace(card["confusion"])
    assert int8["images_of"] == "all test images of digits"


def test_memory(report):
    memory = section(report, "memory")
    assert memory["columns"] == memory["steps"] < 240  # so the picture's columns are the steps
    held = np.zeros((memory["steps"], memory["arena_bytes"]), np.int8)
    for block in memory["blocks"]:
        for first, last in block["spans"]:
            held[first : last + 1, block["offset"] : block["offset"] + block["bytes"]] += 1
    assert held.max() == 1  # nothing lies where something else is in use
    total = held.sum(axis=1, dtype=int)
    assert memory["peak_step"] == total.argmax()
    assert memory["peak_bytes"] == total.max() + memory["state_bytes"]
    assert sum(part["bytes"] for part in memory["peak"]) == memory["peak_bytes"]  # the counters among them
    assert memory["peak"][-1] == {"name": "the schedule", "kind": "counters", "bytes": memory["state_bytes"]}
    assert memory["arena_bytes"] == memory["state_offset"] + memory["state_bytes"]
    assert memory["tflm_arena_bytes"] == 26816


def test_flash(report):
    flash = section(report, "flash")
    sizes = {part["name"]: part["bytes"] for part in flash["parts"]}
    assert sum(sizes.values()) == flash["total"] == 1 << 20
    assert flash["used"] == flash["total"] - sizes["free"]
    stored = {row["layer"]: row["stored_bytes"] for row in section(report, "layers")["rows"]}
    assert all(stored[name] == size for name, size in sizes.items() if name in stored)
    assert flash["weights"] == sum(stored.values())


def test_others(report):
    points = section(report, "pareto")["points"]
    published = [p for p in points if p["kind"] == "published"]
    for who, a_second, right in (
        ("Plumerai", 5.961, 176),
        ("HALE", 5.586, 175),
        ("ST Edge AI)", 6.036, 174),
        ("X-CUBE-AI 8.1", 4.673, 170),
        ("microTVM", 2.567, 173),
    ):
        (point,) = [p for p in published if who in p["name"]]
        assert point["milliseconds"] == pytest.approx(1000 / a_second, abs=0.05)
        assert (point["top1"], point["images"]) == (right / 200, 200)
    for p in published:
        assert re.fullmatch(r"(read )?20\d\d-\d\d-\d\d", p["date"]) and "/" in p["source"]
    (point,) = [p for p in published if "224 x 224" in p["name"]]
    assert (point["flash"], point["sram"]) == (round(762.56 * 1024), round(832.81 * 1024))
    (ours,) = [point for point in points if point["this"]]
    card = json.loads((ZOO / "digits" / "metrics.json").read_text())["validated"]
    assert (ours["name"], ours["kind"], ours["flash"]) == ("digits", "zoo", card["flash_bytes"])
