"""How the images of a user's class folders are divided, and what the user should hear of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.data.own_folders import cache, near_duplicates, sides


@dataclass(frozen=True)
class Division:
    """bool [n]: for testing; float64 [n], see sides.Sides; int64 [n]: the group of pictures that are alike;

    lines for the user.
    """

    is_test: npt.NDArray[np.bool_]
    keys: npt.NDArray[np.float64]
    groups: npt.NDArray[np.int64]
    notices: list[str]


def divide(root: Path, paths: Sequence[Path], y: Sequence[int], places: Mapping[int, Path]) -> Division:
    """Of the image files `paths` below `root`, classes `y`; `places`: the folder of each class.

    Who asks twice, for the images to train on and for those to test with, has the answer once.
    """
    states = tuple((path, *_state(path)) for path in paths)
    return _divide(root, states, tuple(y), tuple(places.items()))


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=2)
def _divide(
    root: Path,
    states: tuple[tuple[Path, int, int], ...],
    y: tuple[int, ...],
    places: tuple[tuple[int, Path], ...],
) -> Division:
    paths = [path for path, _, _ in states]
    looks = cache.looks_of(root, paths)
    groups = near_duplicates.grouped(looks)
    of_images = np.array(y, np.int64)
    found = sides.divided(looks, groups, of_images)
    notices = _notices(root, paths, groups, of_images)
    of_class = dict(places)
    for index in found.apart:
        count = int((of_images == index).sum())
        notices.append(
            f"{of_class[index]}: all {count} images look like one: divided one by one, so the accuracy on "
            "the test images will look better than it is; take pictures of other things, places or light"
        )
    return Division(found.is_test, found.keys, groups, notices)


def _notices(
    root: Path, paths: list[Path], groups: npt.NDArray[np.int64], y: npt.NDArray[np.int64]
) -> list[str]:
    """One line, where there are pictures that are alike."""
    counts = np.bincount(groups)
    several = np.flatnonzero(counts > 1)
    if not len(several):
        return []
    alike = int(counts[several].sum())
    first = [paths[i].relative_to(root) for i in np.flatnonzero(groups == several[0])[:2]]
    line = (
        f"{root}: {alike} near-duplicates (the same picture, or next to it: {first[0]}, {first[1]}) in "
        f"{len(several)} group{'s' if len(several) > 1 else ''}: each kept together, to train or to test"
    )
    crossing = [group for group in several if len(set(y[groups == group].tolist())) > 1]
    if crossing:
        one = np.flatnonzero(groups == crossing[0])
        other = one[y[one] != y[one[0]]][0]
        line += (
            f"; {len(crossing)} of them in more than one class: {paths[one[0]].relative_to(root)}, "
            f"{paths[other].relative_to(root)}"
        )
    return [line]
