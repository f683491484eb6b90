"""The search skips what cannot be better: by bounds that hold for whatever it would have found."""

import random

import pytest

from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.convert.select.assignment import NOTHING, Barred
from squeezenet_mcu.convert.select.known import Known
from squeezenet_mcu.convert.select.search import BATCHES, Search
from squeezenet_mcu.convert.target import Target

TARGET = Target("dsp", flash_bytes=60_000, sram_limit=30_000, cpu="cortex_m4")
BUDGET = 20_000


@pytest.fixture(scope="module")
def search():
    network = lower(tflite_file.read(ZOO / "gtsrb" / "model.tflite"))
    split(network)
    return Search(Known(network), TARGET)


def trials(search):
    """Batches, and the answer within BUDGET for each of several multipliers."""
    rng = random.Random(3)
    for _ in range(30):
        batches = {stage.first_layer: rng.choice((1, *BATCHES["dsp"])) for stage in search.stages}
        for multiplier in (0.0, 5.0, 60.0):
            for barred in (NOTHING, Barred(huffman=True)):
                found = search.assign(batches, BUDGET, multiplier, barred)
                if found is not None:
                    yield found, multiplier, barred


def test_no_answer_is_below_the_floors_of_its_stages(search):
    ratios = []
    for found, multiplier, barred in trials(search):
        floors = sum(
            search.floor(stage, found.batches[stage.first_layer], BUDGET, multiplier, barred)
            for stage in search.stages
        )
        ratios.append(floors / found.lagrangian(multiplier))
    assert max(ratios) <= 1 + 1e-9
    assert max(ratios) > 0.9, "a bound that is far below skips nothing"


def test_no_answer_that_fits_the_flash_costs_less_than_its_floor(search):
    limit = TARGET.flash_bytes - search.known.fixed_bytes
    ratios = []
    for found, multiplier, barred in trials(search):
        if found.stored <= limit:
            for other in (0.0, 5.0, 60.0):
                floor = search.floor_of_cost(found.batches, BUDGET, other, barred)
                ratios.append((floor / found.cost, other == multiplier))
    assert ratios
    assert max(ratio for ratio, _ in ratios) <= 1 + 1e-9
    assert max(ratio for ratio, same in ratios if same) > 0.8
