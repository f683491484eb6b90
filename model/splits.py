"""Which training images to validate on. Imports no TensorFlow."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Set:
    """Images uint8 [n, h, w, c] and their classes int64 [n]."""

    x: npt.NDArray[np.uint8]
    y: npt.NDArray[np.int64]


def held_out(y: npt.NDArray[np.int64], share: float, block: int) -> npt.NDArray[np.bool_]:
    """Which of the training images to validate on: about `share` of each class, in whole blocks.

    A class's images, in order, are cut in blocks of `block` (frames of one filmed object); evenly spread
    blocks are held out, at least one (but never a class's only one). The choice depends on nothing random.
    """
    chosen = np.zeros(len(y), bool)
    if not share:
        return chosen
    for label in np.unique(y):
        of_class = np.flatnonzero(y == label)
        blocks = math.ceil(len(of_class) / block)
        count = min(max(1, round(share * blocks)), blocks - 1)
        for number in ((np.arange(count) + 0.5) * blocks / max(count, 1)).astype(int):
            chosen[of_class[number * block : (number + 1) * block]] = True
    return chosen
