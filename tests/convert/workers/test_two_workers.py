"""Two workers make every row that one makes, under sanitizers, and no race is seen."""

import pytest

from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from tests.convert.workers import sharing

FAMILIES = tuple(FAMILY_KERNELS)


def cases(seeds):
    return [sharing.random_case(seed, FAMILIES[seed % len(FAMILIES)]) for seed in seeds]


def check(seeds, folder, program=None):
    outcomes = sharing.run(cases(seeds), folder, program)
    assert sum(outcome.halves > 0 for outcome in outcomes) > 0.6 * len(outcomes), (
        "most are really shared, some have no convolution"
    )


def test_random_networks(tmp_path):
    check(range(40), tmp_path)


@pytest.mark.long
def test_a_thousand_random_networks(tmp_path):
    for start in range(40, 1040, 100):
        check(range(start, start + 100), tmp_path)


@pytest.mark.long
def test_no_race_is_seen(tmp_path):
    check(range(40), tmp_path, sharing.under_tsan())
