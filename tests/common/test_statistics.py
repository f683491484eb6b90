"""How answers are counted, and the interval of what was counted."""

import numpy as np
import pytest

from squeezenet_mcu.common import statistics


def test_ties_go_to_the_lower_class():
    logits = np.array([[5, 7, 7, 1], [5, 7, 7, 1], [0, 0, 0, 0]], np.int8)
    assert statistics.hits(logits, np.array([1, 2, 3]), 1).tolist() == [True, False, False]
    assert statistics.hits(logits, np.array([1, 2, 3]), 2).tolist() == [True, True, False]


def test_the_lowest_int8_is_not_the_highest():
    """-(-128) is -128 in int8: the order is taken in wider numbers."""
    assert statistics.hits(np.array([[-128, 0]], np.int8), np.array([0]), 1).tolist() == [False]


def test_images_without_a_label_do_not_count():
    logits = np.eye(4, dtype=np.int8)
    assert statistics.top_k(logits, np.array([0, 1, 0, -1]), 1) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("share", "count", "wanted"),
    # Of Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
    [
        (81 / 263, 263, (0.2553, 0.3662)),
        (15 / 148, 148, (0.0624, 0.1605)),
        (0 / 20, 20, (0.0, 0.1611)),
        (1 / 29, 29, (0.0061, 0.1718)),
        (1.0, 20, (1 - 0.1611, 1.0)),
    ],
)
def test_interval(share, count, wanted):
    assert statistics.interval(share, count) == pytest.approx(wanted, abs=5e-5)


def test_interval_of_nothing():
    with pytest.raises(ValueError, match="count 0"):
        statistics.interval(0.0, 0)
