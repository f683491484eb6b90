"""Which class of a network an image is of: by the names of folders, or by numbers. Never a guess.

What the data leave open is refused in one line: an accuracy over classes that are not the network's would
look like any other.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError

_SHOWN = 5
_SYNSET = re.compile(r"n\d{8}")
_IMAGENET, _FIRST_OF_IMAGENET = 1000, "tench"
# What other lists call the classes of the data that have names of their own.
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ALSO = {"plane": "airplane", "car": "automobile"} | {word: str(n) for n, word in enumerate(_DIGITS)}


@dataclass(frozen=True)
class Wanted:
    """The classes that images are loaded for.

    `names`: in their order; None where nobody has named them. `count`: how many the network has whose answers
    are to be scored; the images may then be of some of its classes alone. None: images to train on, which
    bring the classes or have all of `names`.
    """

    names: list[str] | None
    count: int | None = None

    @property
    def known(self) -> int | None:
        """How many classes there are; None where the images say it."""
        return len(self.names) if self.names else self.count

    @property
    def whose(self) -> str:
        """What has so many classes, for an error."""
        return f"the model has {self.known} class{'' if self.known == 1 else 'es'}"


@dataclass(frozen=True)
class Sorted:
    """Class folders, each with its class; the names of all classes; lines for the user."""

    folders: list[tuple[int, Path]]
    names: list[str]
    notices: list[str]


def composed(name: str) -> str:
    """Letters and accents in one, as keyboards write them: macOS keeps them apart in names of files."""
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    """What is left of a name where capitals, spaces, hyphens and underscores make no difference."""
    return composed(re.sub(r"[\s_-]+", " ", composed(name).casefold()).strip())


def listed(items: Sequence[object]) -> str:
    """The first of them."""
    return ", ".join(str(item) for item in items[:_SHOWN]) + (", ..." if len(items) > _SHOWN else "")


def counted_from_one(low: int, high: int, classes: int | None) -> str:
    """What an error about labels from `low` to `high` adds where they seem to begin with 1; else ""."""
    if low == 1 and classes in (None, high):
        return f"; these are counted from 1: take 1 from each, so that they are 0 to {high - 1}"
    return ""


def no_zero(low: int) -> str:
    """What is wrong with labels of which `low` is the least; "" if nothing is.

    Labels that are counted from 1, of a list that lacks the last class, look like labels of some classes.
    A few images of many classes, as of ImageNet, may have neither 0 nor 1: that gets a notice.
    """
    if low != 1:
        return ""
    return (
        "labels from 1, no image of class 0; if they are counted from 1, take 1 from each; else "
        "add an image of class 0, or name the classes (LABELS=) and sort the images into folders of these "
        "names"
    )


def some_of(y: npt.NDArray[np.int64], classes: int) -> list[str]:
    """A notice where the images, of the classes `y`, are not of all classes: their accuracy is of these."""
    seen = len(np.unique(y))
    if seen == classes:
        return []
    return [f"images of {seen} of the model's {classes} classes: the accuracy is of these alone"]


def of_folders(root: Path, folders: list[Path], wanted: Wanted) -> Sorted:
    """The class of each of `folders` of `root`. UserError, in one line, where it is not certain."""
    by_name = {composed(path.name): path for path in folders}
    if len(by_name) < len(folders):
        path = next(path for path in folders if by_name[composed(path.name)] is not path)
        raise UserError(f"{path}: another folder's name looks the same; want one folder a class")
    if wanted.known is None:  # they say themselves which classes there are
        return Sorted(list(enumerate(folders)), list(by_name), [])
    named = set(by_name) <= {composed(name) for name in wanted.names or []}
    numbers = [int(path.name) for path in folders if path.name.isdecimal()]
    if not named and len(numbers) == len(folders):
        found = _by_number(root, folders, numbers, wanted)
        if found is not None:
            return found
    return _by_name(root, by_name, wanted) if wanted.names else _in_order(root, folders, wanted)


def _by_number(root: Path, folders: list[Path], numbers: list[int], wanted: Wanted) -> Sorted | None:
    """Folders that are called by the numbers of their classes; None where they cannot be meant so."""
    count = wanted.known
    assert count is not None
    names = wanted.names or [str(i) for i in range(count)]
    pairs = list(zip(numbers, folders, strict=True))
    notices = _sorted_otherwise(root, folders, range(count), wanted)
    if numbers == list(range(count)):
        return Sorted(pairs, names, notices)
    if numbers == list(range(1, count + 1)):
        notices = [
            f"{root}: the folders 1 to {count} are taken for the classes 0 to {count - 1}",
            *_sorted_otherwise(root, folders, range(1, count + 1), wanted),
        ]
        return Sorted([(number - 1, path) for number, path in pairs], names, notices)
    if wanted.count and numbers[0] == 0 and numbers[-1] < count and len(set(numbers)) == len(numbers):
        # Without 0 among them, they might be counted from 1.
        return Sorted(pairs, names, notices)
    return None


def _sorted_otherwise(root: Path, folders: list[Path], numbers: Sequence[int], wanted: Wanted) -> list[str]:
    """A notice where `folders`, called by some of `numbers`, have another order as text, as 10 before 2 has.

    Whoever trained the network elsewhere has most likely numbered the classes by that order.
    """
    shown = [path.name for path in folders]
    if len(shown) < len(numbers):  # the order of the others counts, too
        digits = min(map(len, shown))
        shown = [f"{number:0{digits}}" for number in numbers]
    if not wanted.count or shown == sorted(shown):
        return []
    return [
        f"{root}: the folders are taken in the order of their numbers; Keras and torchvision sort them as "
        f"text ({listed(sorted(shown))}): if the network was trained so, convert it with LABELS= (--labels), "
        "the folders' names one a line in that order"
    ]


def _in_order(root: Path, folders: list[Path], wanted: Wanted) -> Sorted:
    """The classes of a network without names: as many folders, in their order."""
    if len(folders) != wanted.count:
        raise UserError(
            f"{root}: {len(folders)} class folders ({listed([path.name for path in folders])}); "
            f"{wanted.whose}; want as many folders, or the numbers 0 to {(wanted.count or 1) - 1}"
        )
    notice = (
        f"{root}: the model does not name its classes: 0 to {len(folders) - 1} are taken for "
        f"{listed([path.name for path in folders])}, the folders in their order"
    )
    notices = [notice, *_sorted_otherwise(root, folders, range(len(folders)), wanted)]
    return Sorted(list(enumerate(folders)), [composed(path.name) for path in folders], notices)


def _by_name(root: Path, by_name: dict[str, Path], wanted: Wanted) -> Sorted:
    """Folders that are called after their classes."""
    assert wanted.names is not None
    names = [composed(name) for name in wanted.names]
    if _is_imagenet(list(by_name), names):
        notice = f"{root}: WordNet's numbers, in their order, are taken for ImageNet's classes 0 to 999"
        return Sorted(list(enumerate(by_name.values())), wanted.names, [notice])
    exactly, nearly = _places(names), _places([_folded(name) for name in names])
    found: dict[int, Path] = {}
    notices = []
    strange, otherwise = [], []
    for name, path in by_name.items():
        same = exactly.get(name) or nearly.get(_folded(name))
        if same is None:
            strange.append(name)
            continue
        if len(same) > 1:
            raise UserError(
                f"{path}: the classes {listed(same)} of the model are all called so; want folders with the "
                f"numbers 0 to {len(names) - 1}, or names that differ"
            )
        if same[0] in found:
            raise UserError(
                f'{path}: {found[same[0]]} is of the class "{names[same[0]]}", too; want one folder a class'
            )
        found[same[0]] = path
        if name not in exactly:
            otherwise.append(f'"{name}" for "{names[same[0]]}"')
    missing = [name for i, name in enumerate(names) if i not in found]
    if strange or (missing and not wanted.count):
        problem = f'no folder "{missing[0]}"' if not strange else f'"{strange[0]}" is not a class'
        if strange and not found:
            problem += ", nor is any other folder"
        raise UserError(
            f"{root}: {problem}; want the model's {len(names)} classes ({listed(names)}), or the "
            f"numbers 0 to {len(names) - 1}"
        )
    if otherwise:
        notices.append(f"{root}: folders that are not spelled like their classes: {listed(otherwise)}")
    return Sorted(sorted(found.items()), wanted.names, notices)


def _places(names: list[str]) -> dict[str, list[int]]:
    """Where each name stands: more than once, if more than one class has it."""
    found: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        found.setdefault(name, []).append(i)
    return found


def _is_imagenet(folders: list[str], names: list[str]) -> bool:
    """Whether they are the 1,000 folders of ImageNet, and the names its classes'.

    Everybody counts these in the order of WordNet's numbers; a tench is the first.
    """
    return (
        len(folders) == len(names) == _IMAGENET
        and all(map(_SYNSET.fullmatch, folders))
        and names[0].casefold().startswith(_FIRST_OF_IMAGENET)
    )


def of_named(source: str, own: list[str], wanted: Wanted) -> tuple[list[int], list[str]]:
    """For data with classes `own`: which of the wanted classes each is; the names of all."""
    if wanted.known is None:
        return list(range(len(own))), own
    if not wanted.names:
        if wanted.known != len(own):
            raise UserError(
                f"{source}: {len(own)} classes ({listed(own)}); {wanted.whose}; want its own data"
            )
        return list(range(len(own))), own
    places = {_ALSO.get(_folded(name), _folded(name)): i for i, name in enumerate(wanted.names)}
    missing = [name for name in own if _folded(name) not in places]
    if missing:
        raise UserError(
            f'{source}: "{missing[0]}" is no class of the model, whose {len(wanted.names)} are '
            f"{listed(wanted.names)}; want its own data"
        )
    return [places[_folded(name)] for name in own], wanted.names


def check_range(place: str, y: npt.NDArray[np.int64], wanted: Wanted) -> None:
    """UserError where a label of `y`, as numbers, is none of the wanted classes'."""
    classes = wanted.known
    low, high = int(y.min()), int(y.max())
    if low < 0 or (classes is not None and high >= classes):
        most = "" if classes is None else f" to {classes - 1}"
        whose = "" if classes is None else f" for {classes} classes"
        raise UserError(
            f"{place}: labels {low} to {high}; want 0{most or ' or more'}{whose}"
            f"{counted_from_one(low, high, classes)}"
        )
