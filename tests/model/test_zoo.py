"""The shipped models are what their cards say: the .tflite from the weights, zeros, sizes, accuracies."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.select.choose import choose
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.model.card.card_tables import points
from squeezenet_mcu.model.card.publish import ZOO
from squeezenet_mcu.model.compress import guarantees
from squeezenet_mcu.model.network import to_tflite
from squeezenet_mcu.model.settings import config

NAMES = sorted(path.parent.name for path in ZOO.glob("*/quantized.keras"))
# What each was made to hold: int8 accuracy, weights as stored [B], dense MACs, an arena that suffices [B].
HELD: dict[str, dict[str, float]] = {
    "cifar10": {"accuracy": 0.89, "weights": 98_304, "macs": 12_500_000, "arena": 49_152},
    "digits": {"accuracy": 0.985, "weights": 16_384, "macs": 5_000_000, "arena": 24_576},
    "gtsrb": {"accuracy": 0.985, "weights": 61_440, "macs": 5_000_000, "arena": 24_576},
}
TEST_IMAGES = {"cifar10": 1000, "digits": 1000, "gtsrb": 6315}
MOST_LOST = 0.5  # points


def metrics_of(name: str) -> dict[str, Any]:
    return json.loads((ZOO / name / "metrics.json").read_text())


@functools.cache
def remade(name: str) -> bytes:
    """The .tflite, from the shipped weights."""
    return to_tflite.to_int8_tflite(to_tflite.load_quantized(ZOO / name / "quantized.keras"))


def test_all_are_there():
    assert list(HELD) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_nothing_tells_of_the_machine_that_made_it(name):
    source = metrics_of(name)["converted"]["accuracy"]["data"]
    assert Path(source).name == source


@pytest.mark.parametrize("name", NAMES)
def test_the_same_tflite_from_the_weights(name):
    assert remade(name) == (ZOO / name / "model.tflite").read_bytes()
    assert files.sha256(remade(name)) == metrics_of(name)["tflite_sha256"]
    to_tflite.check(remade(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_zeros(name):
    noted = metrics_of(name)["layers"]
    guaranteed = {layer: guarantees.Guarantee(**of["guaranteed"]) for layer, of in noted.items()}
    layers = guarantees.check(remade(name), guaranteed, name)
    assert {layer: seen.zeros for layer, seen in layers.items()} == {
        layer: of["zeros"] for layer, of in noted.items()
    }
    weights = sum(seen.weights for seen in layers.values())
    assert sum(seen.zeros for seen in layers.values()) >= 0.6 * weights
    assert sum(guarantee.zeros for guarantee in guaranteed.values()) >= 0.6 * weights


@pytest.mark.parametrize("name", NAMES)
def test_sizes(name):
    noted, held = metrics_of(name), HELD[name]
    assert noted["converted"]["macs"] <= held["macs"]
    assert noted["converted"]["weights_stored_bytes"] <= held["weights"]
    assert noted["board"]["weights_stored_bytes"] <= held["weights"]
    assert max(config.load(name).convert.flash_bytes.values()) <= held["weights"]


@pytest.mark.parametrize("name", NAMES)
def test_the_sram_that_suffices(name):
    """Without a limit conversion takes more, for speed: digits within 16 KB in all, the others 64 KB."""
    network = lower(tflite_file.read(ZOO / name / "model.tflite"))
    made = choose(network, Target("dsp", sram_bytes=int(HELD[name]["arena"])))
    assert made.fits
    assert made.plan.arena_bytes <= HELD[name]["arena"]
    for part, arena in (("converted", "engine_sram_bytes"), ("board", "arena_bytes")):
        assert metrics_of(name)[part][arena] <= (11_000 if name == "digits" else 64_000)


@pytest.mark.parametrize("name", NAMES)
def test_accuracies_beside_the_dense_baseline_s(name):
    stages = metrics_of(name)["stages"]
    int8, baseline = stages["quantize"], stages["dense"]
    assert int8["test_images"] == TEST_IMAGES[name]
    unseen = [part for part in ("test", "reserve") if f"{part}_accuracy" in int8]
    for part in unseen:
        assert int8[f"{part}_accuracy"] >= HELD[name]["accuracy"], part
    assert points(int8, baseline, unseen) >= -MOST_LOST
    if name == "cifar10":
        assert int8["reserve_images"] == 5000
        assert sum(int8[f"{part}_images"] for part in ("train", "validation", "reserve")) == 50_000


@pytest.mark.parametrize(
    ("name", "part"), [("cifar10", "test"), ("cifar10", "reserve"), ("digits", "test"), ("gtsrb", "test")]
)
def test_lost_against_the_dense_baseline_on_each_part(name, part):
    stages = metrics_of(name)["stages"]
    assert points(stages["quantize"], stages["dense"], [part]) >= -MOST_LOST


@pytest.mark.parametrize("name", NAMES)
def test_the_board_agreed(name):
    validated = metrics_of(name)["validated"]
    assert validated["board"] == "stm32f405" and validated["images"] == 500
    assert validated["differing_values"] == 0
    assert validated["compared_values"] == 500 * 2 * config.load(name).architecture.classes


def test_digits_are_as_accurate_as_noted():
    test = sources.load("digits", "test", 28, 28, 1)
    score = float((to_tflite.predictions(remade("digits"), test.x) == test.y).mean())
    assert score == metrics_of("digits")["test_accuracy"]
