"""Which pictures are the same one, in another size, compression or crop. Imports no TensorFlow."""

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.data.own_folders.looks import CROPS, Look

# Of the 63 bits of two hashes, at most so many differ. Of 1,300 photographs of ImageNet no two differ in
# fewer than 10; the same picture at a quarter of its size, or as JPEG of quality 30, in 4 at most.
_BITS = 10
# The difference of two small copies, in shares of the deviation within them. Of 100 photographs it
# finds all that were shrunk to a quarter, saved as JPEG of quality 30 or cut by 1 % of each side, and 97 that
# were cut by 3 %; it takes no two of the 1,300 for one, and 8 of 2,000 handwritten digits.
_DIFFERENCE = 0.2
_LEAST = 1.0  # gray levels of deviation
_COLOURS = 10.0  # levels that the mean colours of quarters differ by, root mean square
_BLOCK = 256  # pictures that are compared to all others at once
# The one as it is with the other as it is, or with some border cut off either, or more off one.
_ALIGNED = [(0, 0), *itertools.permutations(range(len(CROPS)), 2)]


class _Sets:
    """Disjoint sets of 0 ... count - 1, each called by its least member."""

    def __init__(self, count: int) -> None:
        self.of = np.arange(count)

    def join(self, one: int, others: npt.NDArray[np.int64]) -> None:
        """Makes the sets of `one` and of `others` one."""
        names = np.unique(self.of[np.append(others, one)])
        self.of[np.isin(self.of, names[1:])] = names[0]


def _alike(looks: Sequence[Look], one: int, others: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """bool [n]: which of the pictures `others` are like `one`, by their small copies, best aligned."""
    a = looks[one].copies.astype(np.float32)
    b = np.stack([looks[i].copies for i in others]).astype(np.float32)
    between = [np.sqrt(((a[i] - b[:, j]) ** 2).mean((1, 2))) for i, j in _ALIGNED]
    within = np.minimum(a[0].std(), b[:, 0].std((1, 2)))
    colours = np.stack([looks[i].colours for i in others]) - looks[one].colours.astype(np.float32)
    found: npt.NDArray[np.bool_] = (np.min(between, axis=0) < _DIFFERENCE * np.maximum(within, _LEAST)) & (
        np.sqrt((colours**2).mean((1, 2, 3))) < _COLOURS
    )
    return found


def grouped(looks: Sequence[Look]) -> npt.NDArray[np.int64]:
    """int64 [n]: the group of each picture, numbers from 0. A picture that is like no other is alone in it.

    Files of the same bytes are one picture, whatever is in them. Two pictures that are like a third one are
    in its group, too, however different they are.
    """
    sets = _Sets(len(looks))
    first: dict[bytes, int] = {}
    for i, one in enumerate(looks):
        if one.size and first.setdefault(one.digest, i) != i:
            sets.join(i, np.array([first[one.digest]]))
    _join_alike(sets, looks, np.flatnonzero([one.telling for one in looks]))
    return np.unique(sets.of, return_inverse=True)[1].astype(np.int64)


def _join_alike(sets: _Sets, looks: Sequence[Look], places: npt.NDArray[np.int64]) -> None:
    """Joins those of `looks` at `places` whose hashes and then copies are alike."""
    hashes = np.array([looks[i].hashes for i in places], np.uint64).reshape(-1, len(CROPS))
    for start in range(0, len(places), _BLOCK):
        block = hashes[start : start + _BLOCK]
        near = np.zeros((len(block), len(places) - start), bool)
        for i, j in _ALIGNED:
            near |= np.bitwise_count(block[:, i, np.newaxis] ^ hashes[np.newaxis, start:, j]) <= _BITS
        for row in np.flatnonzero(np.triu(near, 1).any(axis=1)):
            one = int(places[start + row])
            others = places[start + row + 1 + np.flatnonzero(near[row, row + 1 :])]
            others = others[sets.of[others] != sets.of[one]]
            if len(others):
                others = others[_alike(looks, one, others)]
            if len(others):
                sets.join(one, others)
