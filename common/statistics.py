"""How answers are counted: shares of images, and how far chance may move them."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

MISTAKES = 24  # as many as are worth looking at
CONFIDENCE = 0.95  # of an interval
_Z = 1.959964  # of the normal distribution: as much lies within


def hits(logits: np.ndarray, y: np.ndarray, k: int) -> npt.NDArray[np.bool_]:
    """For each image whether its label is among the k highest logits: bool [n]; logits [n, classes], y [n].

    Ties go to the lower class number, as arg max does.
    """
    order = np.argsort(-logits.astype(np.float64), axis=1, kind="stable")[:, :k]
    found: npt.NDArray[np.bool_] = (order == y[:, None]).any(axis=1)
    return found


def top_k(logits: np.ndarray, y: np.ndarray, k: int) -> float:
    """Share of hits() of the images with a label (y >= 0): logits [n, classes], y [n]."""
    known = y >= 0
    return float(hits(logits[known], y[known], k).mean())


def interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share measured on `count` images (Wilson, 1927), as fractions."""
    if count < 1:
        raise ValueError(f"count {count}: wanted at least 1")
    spread = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    middle, scale = share + _Z**2 / (2 * count), 1 + _Z**2 / count
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return (0.0 if share == 0 else low), (1.0 if share == 1 else high)


def surely_fewer(right: int, count: int, others_right: int, others: int) -> bool:
    """Whether `right` of `count` images is a smaller share than `others_right` of `others`, beyond chance.

    Fisher's exact test, one-sided, at 2.5 %.
    """
    wrong = count - right
    all_wrong = wrong + others - others_right
    ways = sum(
        math.comb(count, k) * math.comb(others, all_wrong - k)
        for k in range(wrong, min(count, all_wrong) + 1)
    )
    return ways / math.comb(count + others, all_wrong) < 0.025


def chance(one: int, other: int) -> float:
    """How probable it is that chance alone splits one + other images at least so unevenly.

    Of images that just one of two answers gets right, `one` is the first one's: the two-sided sign test
    (McNemar, 1947), exact.
    """
    count = one + other
    tail: float = sum(math.comb(count, k) for k in range(min(one, other) + 1)) / 2**count
    return min(1.0, 2 * tail)


def confusion(y: npt.NDArray[np.int64], found: npt.NDArray[np.int64], classes: int) -> list[list[int]]:
    """How many images of class `row` were taken for class `column`; y, found [n]."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (y, found), 1)
    return table.tolist()


def worst_mistakes(
    y: npt.NDArray[np.int64], found: npt.NDArray[np.int64], sure: npt.NDArray[np.float64]
) -> list[dict[str, Any]]:
    """The images that are taken for another class with the highest probabilities, the worst first.

    `y`, `found`, `sure` [n]: their classes, what they are taken for, with which probability. Of each mistake:
    its image, label, taken, probability.
    """
    wrong = np.flatnonzero(y != found)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]
    return [
        {
            "image": int(i),
            "label": int(y[i]),
            "taken": int(found[i]),
            "probability": round(float(sure[i]), 4),
        }
        for i in worst
    ]
