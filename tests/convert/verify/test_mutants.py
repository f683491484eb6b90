"""Damaged models give a status or an answer, never a fault: ASan and UBSan watch parser and kernels."""

from collections import Counter

import pytest

from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from tests.convert import mutants

MUTANTS = 100_000
PARTS = 2  # one for each process of `pytest -n 2`
OK, BAD_CHECKSUM = 0, 5


@pytest.fixture(scope="module")
def models():
    from squeezenet_mcu.convert.lowering import tflite_file
    from squeezenet_mcu.convert.lowering.operators import lower
    from tests.convert.random_nets import random_tflite

    whole = mutants.of(lower(tflite_file.parse(random_tflite(0))))  # with MEAN and SOFTMAX
    assert {"MEAN", "SOFTMAX"} <= whole.features
    return [*mutants.sound_models(), whole]


def check(outcomes, count):
    """The damage went where it was meant to go."""
    statuses: Counter = Counter()
    for outcome in outcomes:
        statuses.update(outcome.statuses)
        assert outcome.mutants == count == sum(outcome.statuses.values())
        assert outcome.refused == count - outcome.statuses[OK]
        assert outcome.refused > count / 10, "much damage is noticed"
        assert outcome.ran > count / 20, "some of the rest goes through the kernels"
    assert sum(o.ran_data for o in outcomes) > count * len(outcomes) / 10, "with other weights, too"
    assert statuses[BAD_CHECKSUM] == 0, "the CRC is good: nothing is refused for it alone"
    assert len(statuses) >= 7, "damage is noticed in many ways"


def test_every_kernel_and_encoding_is_there(models):
    found = Counter(name for model in models for name in model.features)
    kernels = {f"{m.kernel.name} {m.encoding.name}" for family in FAMILY_KERNELS.values() for m in family}
    kinds = {kind.name for kind in Kind} - {"CONV_2D"}
    for_two = {name for name in found if mutants.SHARED in name}
    assert set(found) - for_two == kernels | kinds
    assert for_two >= {f"{kind} {mutants.SHARED}" for kind in ("CONV_2D", "MAX_POOL", "ADD")}
    assert all(found[name] >= 2 for name in kernels)


def test_mutants(models, tmp_path):
    count = 60
    check(mutants.run(models, 0, count, tmp_path), count)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_mutants(models, tmp_path, part):
    count = -(-MUTANTS // PARTS // len(models))
    check(mutants.run(models, 1 + part, count, tmp_path), count)


def test_only_sound_models_are_damaged(tmp_path):
    """What the program is given must be sound: it refuses to damage what is damaged already."""
    with pytest.raises(AssertionError, match="status 2"):
        mutants.run([mutants.Sound(b"SQZ1" + bytes(200), frozenset())], 0, 1, tmp_path)
