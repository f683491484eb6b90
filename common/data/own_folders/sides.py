"""Which images of a user's class folders are for testing: by what is in the files, whatever they are called.

Each file's SHA-256 is a share of 1; an image is for testing where that is below a fifth. So no image that is
added moves another. What else the rule looks at are exceptions, and docs/data.md says what moves by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.data.own_folders.looks import Look

SHARE = 0.2
_DIGITS = 6  # bytes of a digest that make a share


@dataclass(frozen=True)
class Sides:
    """bool [n]: for testing; float64 [n]: a share of 1 by which to divide the others further, the same one

    for all images of a group; classes whose groups could not be kept together.
    """

    is_test: npt.NDArray[np.bool_]
    keys: npt.NDArray[np.float64]
    apart: list[int]


def _share(digest: bytes, use: int) -> float:
    """From 0 to less than 1; another one for each `use`."""
    part = digest[use * _DIGITS : (use + 1) * _DIGITS]
    return int.from_bytes(part, "big") / 2.0 ** (8 * _DIGITS)


def _rank(one: Look) -> tuple[int, int, bytes]:
    return one.pixels, one.size, one.digest[2 * _DIGITS :]


def _heads(looks: Sequence[Look], groups: npt.NDArray[np.int64]) -> list[Look]:
    """Of each group, the picture that it goes with: the one of the most pixels, and bytes.

    Of equals, one by a part of the digest that has no say in shares: large groups are as often for testing.
    """
    found: dict[int, Look] = {}
    for group, one in zip(groups.tolist(), looks, strict=True):
        other = found.setdefault(group, one)
        if _rank(one) > _rank(other):
            found[group] = one
    return [found[group] for group in range(len(found))]


def divided(looks: Sequence[Look], groups: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> Sides:
    """The side of each image; `groups`, `y` int64 [n]: of which group and class it is.

    A group goes where its largest picture goes, to train with where it is more than half of a class. Of a
    class without an image for testing, the group with the lowest share is; of one with nothing else, the
    highest is to train with. Where a class is one group, its images are divided one by one. Files that cannot
    be read count for none of this: each has a side of its own.
    """
    is_test = np.array([_share(one.digest, 0) < SHARE for one in looks], bool)
    keys = np.array([_share(one.digest, 1) for one in looks], np.float64)
    good = np.flatnonzero([one.pixels > 0 for one in looks])
    if not len(good):
        return Sides(is_test, keys, [])
    numbers = np.unique(groups[good], return_inverse=True)[1]
    found = _of_pictures([looks[int(i)] for i in good], numbers, y[good])
    is_test[good], keys[good] = found.is_test, found.keys
    return Sides(is_test, keys, found.apart)


def _of_pictures(looks: Sequence[Look], groups: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> Sides:
    """`divided`, of those that can be read; the numbers of the groups have no gaps."""
    heads = _heads(looks, groups)
    shares = np.array([_share(one.digest, 0) for one in heads])
    test = shares < SHARE
    of_class = {int(c): np.unique(groups[y == c], return_counts=True) for c in np.unique(y)}
    large = np.zeros(len(heads), bool)
    for own, counts in of_class.values():
        large[own[2 * counts > counts.sum()]] = True
    # A group of one is one image: it cannot be more than half where there are as many as are asked for.
    test &= ~large
    # In an order that no name decides.
    order = sorted(of_class, key=lambda c: (float(shares[of_class[c][0]].min()), c))
    for c in order:
        own = of_class[c][0]
        free = own[~large[own]]
        if not test[own].any() and len(free):
            test[free[shares[free].argmin()]] = True
    for c in order:
        own = of_class[c][0]
        if test[own].all() and len(own) > 1:
            test[own[shares[own].argmax()]] = False
    is_test = test[groups]
    apart = [c for c in order if len(set(is_test[y == c].tolist())) == 1]
    keys = np.array([_share(one.digest, 1) for one in heads])[groups]
    for c in apart:
        places = np.flatnonzero(y == c)
        _one_by_one(is_test, looks, places)
        keys[places] = [_share(looks[int(i)].digest, 1) for i in places]
    return Sides(is_test, keys, sorted(apart))


def _one_by_one(is_test: npt.NDArray[np.bool_], looks: Sequence[Look], places: npt.NDArray[np.int64]) -> None:
    """Divides the images at `places`, at least one on each side if there are two, whatever is alike."""
    shares = np.array([_share(looks[int(i)].digest, 0) for i in places])
    chosen = shares < SHARE
    if len(places) > 1:
        chosen[shares.argmax()] = False
        chosen[shares.argmin()] = True
        if shares.argmin() == shares.argmax():  # all of the same bytes
            chosen[:] = np.arange(len(chosen)) == 0
    is_test[places] = chosen
