"""Labelled images to train on: what is asked of them, and the classes that they bring. No TensorFlow."""

import shlex
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.image_lists import LABELS_FILE
from squeezenet_mcu.common.data.images import Images
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import records

LEAST = 5  # images of a class, those for testing included
FEW = 10  # so many and fewer are said: the accuracy on two test images tells nothing
_UNEVEN = 3
_SHOWN = 5


def source_of(settings: Config, folder: Path, given: str | None, stage: str = "train") -> str:
    """The data to train on: `given`, else the TOML's, else those of the training before in `folder`.

    A later `stage` takes those of the training before the TOML's. UserError where these are gone.
    """
    if given is not None:
        return given
    record = folder / "train.json"
    before = str(records.read(record).get("data", ""))
    if not before or (stage == "train" and settings.data.source):
        return settings.data.source
    if not sources.is_there(before):
        raise UserError(
            f"{before}: no such data any more; {record} remembers them; put them back, or give others: DATA= "
            "(--data)"
        )
    if stage == "train" and not sources.is_named(before):
        notice(f"images of {before}, as {record} remembers; DATA= (--data) takes others")
    return before


def check_named(settings: Config, first: Config, build: Path) -> None:
    """UserError where `settings`, a second result of the model `first`, has no data, but `first` has."""
    theirs = str(records.read(build / first.name / "train.json").get("data", ""))
    if theirs and not source_of(settings, build / settings.name, None):
        raise UserError(
            f"{settings.name}: no data yet; want a folder, an .npz or a name; with those of {first.name}: "
            f"--data {shlex.quote(theirs)}"
        )


def load(settings: Config, source: str, say: bool = True) -> tuple[Config, Set, Set]:
    """`settings` with the classes and the fit of the data, and the images of `source` to train on and to test

    with.

    Prints what was done to the images, and with `say` which classes there are and how uneven they are.
    Raises UserError unless there are as many classes as the TOML says, at least two, of LEAST images each.
    """
    train = _to_train(settings, source)
    test = _split(settings.with_fit(train.fit), source, "test", train.labels)
    _check_enough(source, train, test)
    if say:
        for line in [*_remarks(settings, source, train), *_few(source, train, test)]:
            notice(line)
    return _of(settings, train), Set(train.x, train.y, train.keys), Set(test.x, test.y)


def load_train(settings: Config, source: str) -> tuple[Config, Set]:
    """As `load`, but for the images to test with: these are not read."""
    train = _to_train(settings, source)
    return _of(settings, train), Set(train.x, train.y, train.keys)


def _of(settings: Config, train: Images) -> Config:
    """`settings` with what the images decide: the classes, and the fit where nobody has said one."""
    return settings.with_labels(train.labels).with_fit(train.fit)


def _to_train(settings: Config, source: str) -> Images:
    if source.startswith("random"):
        raise UserError(f'data "{source}" has no classes to learn; want labelled images')
    if (Path(source) / LABELS_FILE).is_file():
        raise UserError(
            f"{Path(source) / LABELS_FILE}: such a list does not say which images are for testing; to train, "
            "want a folder per class, or an .npz"
        )
    train = _split(settings, source, "train", settings.data.labels)
    if not train.labels:
        raise UserError(f"{source}: images without classes; to train, want a folder of images per class")
    wanted = settings.architecture.classes
    if wanted and len(train.labels) != wanted:
        raise UserError(
            f"{source}: {len(train.labels)} classes; want {wanted}, as [architecture] classes in "
            f"{settings.path} says"
        )
    return train


def _split(settings: Config, source: str, split: str, labels: list[str] | tuple[str, ...]) -> Images:
    size = settings.input
    found = sources.load(
        source, split, size.height, size.width, size.channels, labels=labels, fit=settings.data.fit
    )
    for text in found.notices:
        notice(f"{text} ({split})")
    return found


def _counts(train: Images, test: Images) -> npt.NDArray[np.int64]:
    """Images of each class, int64 [classes]."""
    classes = len(train.labels)
    return np.bincount(train.y, minlength=classes) + np.bincount(test.y, minlength=classes)


def _few(source: str, train: Images, test: Images) -> list[str]:
    """A line that names the classes of so few images that little can be learnt or said of them."""
    counts = _counts(train, test)
    few = np.flatnonzero(counts <= FEW)
    if not len(few):
        return []
    shown = ", ".join(f"{train.labels[i]} ({counts[i]})" for i in few[:_SHOWN])
    more = ", ..." if len(few) > _SHOWN else ""
    return [
        f"warning: {source}: {FEW} images or fewer of {len(few)} class{'es' if len(few) > 1 else ''}: "
        f"{shown}{more}: too few to learn from, or to tell how much was learnt; want 50 or more of each"
    ]


def _check_enough(source: str, train: Images, test: Images) -> None:
    counts = _counts(train, test)
    for index in np.flatnonzero(counts < LEAST)[:1]:
        where = train.places[index] if train.places else f'{source}: class "{train.labels[index]}"'
        raise UserError(
            f"{where}: {counts[index]} images to train and test with; want at least {LEAST} of each class"
        )


def _remarks(settings: Config, source: str, train: Images) -> list[str]:
    """Lines on the classes: which, where the data say it; the largest and the smallest, where far apart."""
    lines = []
    if train.fit == "crop" and not settings.data.fit:
        lines.append(
            f"{source}: the network is square, most images are not: cropped; --fit resize, or "
            f'fit = "resize" in [data], squeezes them whole'
        )
    if not settings.architecture.classes:
        shown = ", ".join(train.labels[:10]) + (", ..." if len(train.labels) > 10 else "")
        lines.append(f"{len(train.labels)} classes of {source}: {shown}")
    counts = np.bincount(train.y, minlength=len(train.labels))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] > _UNEVEN * counts[least]:
        balance = settings.train.balance
        weighed = f"rare classes weigh more in the loss ([train] balance = {balance:g})"
        if not balance:
            weighed = "to give rare classes more weight, set [train] balance (0 to 1)"
        lines.append(
            f"{source}: {counts[most]} images to train on of {train.labels[most]}, {counts[least]} "
            f"of {train.labels[least]}; {weighed}"
        )
    return lines
