"""How answers are counted: shares of images, and how far chance may move them."""

import math

import numpy as np
import numpy.typing as npt

_Z = 1.959964  # of the normal distribution: 95 % lie within


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


def chance(one: int, other: int) -> float:
    """How probable it is that chance alone splits one + other images at least so unevenly.

    Of images that just one of two answers gets right, `one` is the first one's: the two-sided sign test
    (McNemar, 1947), exact.
    """
    count = one + other
    tail: float = sum(math.comb(count, k) for k in range(min(one, other) + 1)) / 2**count
    return min(1.0, 2 * tail)
