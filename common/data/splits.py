"""Which training images to validate on, and which to keep for the end. Imports no TensorFlow."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Set:
    """Images uint8 [n, h, w, c], their classes int64 [n]; `keys` float64 [n] or None, see images.Images."""

    x: npt.NDArray[np.uint8]
    y: npt.NDArray[np.int64]
    keys: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Parts:
    """The training images in three: to train on, to choose by, and to score once in the end."""

    train: Set
    validation: Set | None
    reserve: Set | None


def _part(images: Set, mask: npt.NDArray[np.bool_]) -> Set | None:
    return Set(images.x[mask], images.y[mask]) if mask.any() else None


def split(images: Set, reserve: float, validation: float, block: int) -> Parts:
    """`images` in three, see Parts; `reserve` and `validation` are shares of all of them.

    The reserve is taken first, so that it does not depend on what is left for validation. Images with keys
    are divided by these, unless blocks of several are asked for.
    """
    if images.keys is not None and block == 1:
        kept = held_out_by_key(images.y, images.keys, 0, reserve)
        rest = Set(images.x[~kept], images.y[~kept])
        mask = held_out_by_key(rest.y, images.keys[~kept], reserve, reserve + validation)
        return Parts(Set(rest.x[~mask], rest.y[~mask]), _part(rest, mask), _part(images, kept))
    kept = held_out(images.y, reserve, block)
    rest = Set(images.x[~kept], images.y[~kept])
    mask = held_out(rest.y, validation / (1 - reserve), block)
    return Parts(Set(rest.x[~mask], rest.y[~mask]), _part(rest, mask), _part(images, kept))


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


def held_out_by_key(
    y: npt.NDArray[np.int64], keys: npt.NDArray[np.float64], low: float, high: float
) -> npt.NDArray[np.bool_]:
    """Which of the training images, classes `y`, to validate on: those whose key is from `low` to `high`.

    So added images move no others. Images of one key stay together. Of a class without any, those of the
    lowest key that is not below `low` are; never all of a class.
    """
    if high <= low:
        return np.zeros(len(y), bool)
    chosen = (keys >= low) & (keys < high)
    classes = [np.flatnonzero(y == label) for label in np.unique(y)]
    for of_class in classes:
        free = keys[of_class][keys[of_class] >= low]
        if not chosen[of_class].any() and len(free):
            chosen[keys == free.min()] = True
    for of_class in classes:
        if chosen[of_class].all():
            chosen[keys == keys[of_class].max()] = False
    return chosen


def class_weights(y: npt.NDArray[np.int64], balance: float) -> npt.NDArray[np.float32]:
    """What an image of each class weighs in the loss, float32 [classes]: 1 on average over the images `y`.

    `balance` 0: the same; 1: each class as much in all; between: its count ** -balance.
    """
    counts = np.bincount(y).astype(np.float64)
    weights = np.where(counts > 0, np.maximum(counts, 1) ** -balance, 0)
    found: npt.NDArray[np.float32] = (weights * len(y) / (weights * counts).sum()).astype(np.float32)
    return found
