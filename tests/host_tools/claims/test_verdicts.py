"""When a claim holds, what its JSON says, what becomes of a file of weights, of accuracies, traffic."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import CONFIGS, ZOO
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.host_tools.claims import accuracy, claim, compression, export, paper, training
from squeezenet_mcu.host_tools.claims.claim import Claim, Found
from squeezenet_mcu.model.distributed import traffic
from squeezenet_mcu.model.settings import config

IDS = [
    "parameters", "parameters-by-line", "fewer-parameters", "alexnet-megabytes", "megabytes",
    "squeeze-ratio-megabytes", "pruned-parameters", "compressed-8-bit", "smaller-8-bit",
    "under-half-megabyte", "smaller-6-bit", "top-1", "top-5", "compressed-top-1", "compressed-top-5",
    "simple-bypass-top-1", "simple-bypass-top-5", "complex-bypass-top-1", "complex-bypass-top-5",
    "training-bytes", "export-bytes", "export-difference-bytes", "memory", "simple-bypass-megabytes",
    "complex-bypass-megabytes", "v1.1-computation", "v1.1-parameters",
]  # fmt: skip


def of(rule, paper_figure, unit="times"):
    return Claim("id", "Topic", "It is so.", "table 9", rule, paper_figure, unit)


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [
        ("exactly", [100], [99, 101]),
        ("about", [97.1, 100, 102.9], [96.9, 103.1]),
        ("at most", [100, 1], [100.1]),
        ("at least", [100, 1000], [99.9]),
    ],
)
def test_rules(rule, right, wrong):
    assert {claim.verdict(of(rule, 100), Found(figure, "")) for figure in right} == {"holds"}
    assert {claim.verdict(of(rule, 100), Found(figure, "")) for figure in wrong} == {"does not hold"}
    assert claim.verdict(of(rule, 100), Found(None, "")) == "not computed"


def test_megabytes_are_of_either_size_but_a_limit_is_strict():
    assert claim.in_unit(of("about", 4.8, "MB"), 4_993_696) == 4_993_696 / 2**20
    assert claim.in_unit(of("about", 240, "MB"), 243_860_896) == 243.860896
    assert claim.verdict(of("at most", 0.5, "MB"), Found(500_000, "")) == "holds"
    assert claim.verdict(of("at most", 0.5, "MB"), Found(500_001, "")) == "does not hold"
    said = claim.as_json(of("about", 4.8, "MB"), Found(4_993_696, "counted"))
    assert said["detail"] == {"bytes": 4_993_696, "megabyte": 1 << 20}


def test_what_was_not_computed_has_no_figure_but_a_command():
    said = claim.as_json(of("about", 9), Found(None, "it failed"))
    assert (said["ours"], said["verdict"], said["needs"]) == (None, "not computed", "make claims")
    assert claim.as_json(of("about", 9), Found(9, "counted"))["needs"] == ""


def test_ids_do_not_change():
    """Reports find claims by them."""
    assert [each.id for each in paper.CLAIMS] == IDS
    json.dumps([claim.as_json(each, Found(None, "")) for each in paper.CLAIMS])


@pytest.mark.parametrize("kind", ["simple", "complex"])
def test_the_command_of_a_bypass_makes_such_a_toml(tmp_path, kind):
    """Its `sed` does to v1_0.toml what is done here."""
    (about,) = (each for each in paper.CLAIMS if each.id == f"{kind}-bypass-top-1")
    edits = f"""s/v1_0/{kind}/; s/bypass = "none"/bypass = "{kind}"/"""
    assert about.needs.startswith(f"sed '{edits}' model/configs/v1_0.toml > {kind}.toml; make train ")
    text = (CONFIGS / "v1_0.toml").read_text()
    path = tmp_path / f"{kind}.toml"
    path.write_text(text.replace("v1_0", kind).replace('bypass = "none"', f'bypass = "{kind}"'))
    assert config.load(path).architecture.bypass == kind


def deep_compressed(path: Path, entries: int) -> None:
    """A Deep Compression file of v1.0 with so many entries in each layer, all 0.5, no gap between them."""
    shapes = config.load("imagenet_v1_0").kernels
    codebook = np.zeros(256, "<f4")
    codebook[1] = 0.5
    parts = [np.full(len(shapes), entries, "<u4").tobytes()]
    for *_, outputs in shapes.values():
        bias = np.ones(outputs, "<f4")
        indices, gaps = np.ones(entries, np.uint8), np.zeros((entries + 1) // 2, np.uint8)
        parts += [codebook.tobytes(), bias.tobytes(), indices.tobytes(), gaps.tobytes()]
    path.write_bytes(b"".join(parts))


def test_a_file_of_compressed_weights_is_told_part_by_part(tmp_path):
    path = tmp_path / "weights.net"
    deep_compressed(path, entries=7)
    parts = compression.parts(path)
    assert (parts.counts, parts.codebooks, parts.biases) == (26 * 4, 26 * 1024, 3976 * 4)
    assert (parts.indices, parts.gaps, parts.nonzero) == (26 * 7, 26 * 4, 26 * 7 + 3976)
    assert parts.counts + parts.codebooks + parts.biases + parts.indices + parts.gaps == parts.size
    found = compression.of_file(path)
    assert found["compressed-8-bit"].figure == path.stat().st_size
    assert found["smaller-8-bit"].figure == 243_860_896 / path.stat().st_size


def test_traffic_of_a_step():
    cost = traffic.figures(2, 1_248_424, (4_998_301, 4_998_301), ["127.0.0.1"])
    found = training.answer(cost)
    assert found.figure == 243_860_896 / 4_998_301
    assert "4,998,301 B sent by each of two workers" in found.how
    with pytest.raises(UserError, match="not counted on this system; want Linux"):
        training.answer(traffic.figures(2, 1_248_424))


@pytest.mark.parametrize(("low", "high", "verdict"), [(0.5, 0.58, "holds"), (0.5, 0.57, "does not hold")])
def test_accuracy_is_compared_by_its_interval(low, high, verdict):
    figures = {"images": 400, "data": "images", "int8_top1": 0.55, "int8_top5": 0.8}
    for k in (1, 5):
        figures |= {f"keras_top{k}": 0.55, f"keras_top{k}_interval": [low, high]}
    found = accuracy.answers(figures, Path("a.caffemodel"))
    (about,) = (each for each in paper.CLAIMS if each.id == "top-1")
    assert claim.verdict(about, found["top-1"]) == verdict
    assert math.isclose(found["top-1"].figure, 55)
    assert "not the 50,000 of the paper" in found["top-1"].how
    assert set(accuracy.answers(figures, Path("a.net"))) == {"compressed-top-1", "compressed-top-5"}


def weights_of(content: bytes) -> list[np.ndarray]:
    file = tflite_file.parse(content, "net.tflite")
    return [file.tensors[op.inputs[1]].data for op in file.ops if op.name == "CONV_2D"]


@pytest.mark.parametrize("layers", [1, None])
def test_a_retrained_network_has_as_many_zeros_in_other_places(layers):
    before = (ZOO / "digits" / "model.tflite").read_bytes()
    pairs = list(zip(weights_of(before), weights_of(export.retrained(before, layers, 1)), strict=True))
    assert [not np.array_equal(old, new) for old, new in pairs] == (
        [True] * len(pairs) if layers is None else [False] * (len(pairs) - 1) + [True]
    )
    for old, new in pairs:
        assert np.array_equal(*(np.sort(w.reshape(len(w), -1), axis=1) for w in (old, new)))
