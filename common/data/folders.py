"""Images in folders: a folder per class, a list, or images alone. Imports no TensorFlow."""

import csv
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.data import images
from squeezenet_mcu.common.data.images import Form, Images, colour, spread
from squeezenet_mcu.common.errors import UserError

SPLITS = ("train", "test")
SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
LABELS_FILE = "labels.csv"
_SHOWN = 5
_LINE = 100  # characters of a line in a message
_MOST_BYTES = 32 << 20  # of labels.csv
_MOST_ROWS = 300_000  # all are read into memory; CIFAR-10 has 60,000 images
_DIGITS = 9  # of a label; Python refuses to read some thousands
_MANY = 500  # images, of which reading takes long enough to show how far it is


def _composed(name: str) -> str:
    """Letters and accents in one, as keyboards write them: macOS keeps them apart in names of files."""
    return unicodedata.normalize("NFC", name)


def _class_of(folder: Path) -> str:
    """The class that `folder` is called after."""
    name = _composed(folder.name)
    # An engine's model has a name a line, and everything is UTF-8.
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        raise UserError(
            f"{str(folder)!a}: control characters in a class's name, or no UTF-8; want it renamed"
        )
    return name


def _class_folders(root: Path, names: list[str] | None) -> tuple[list[Path], list[str]]:
    """The folder of each class, in the order of `names` (by default their own, numbers in numeric order)."""
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    numeric = bool(folders) and all(path.name.isdecimal() for path in folders)
    if numeric:
        folders.sort(key=lambda path: int(path.name))
    if len(folders) < 2:
        raise UserError(
            f"{root}: {len(folders)} class folders; want at least two, a folder of images per class, or "
            f"images with a {LABELS_FILE} beside them"
        )
    by_name: dict[str, Path] = {}
    for path in folders:
        same = by_name.setdefault(_class_of(path), path)
        if same is not path:
            raise UserError(f"{path}: another folder's name looks the same; want one folder a class")
    if names is None:
        return folders, list(by_name)
    wanted = [_composed(name) for name in names]
    if (
        set(by_name) != set(wanted)
        and numeric
        and [int(path.name) for path in folders] == list(range(len(names)))
    ):
        return folders, names
    strange = sorted(set(by_name) - set(wanted))
    missing = [name for name in wanted if name not in by_name]
    if strange or missing:
        problem = f'"{strange[0]}" is not a class' if strange else f'no folder "{missing[0]}"'
        raise UserError(
            f"{root}: {problem}; want the model's {len(names)} classes, or the numbers 0 to {len(names) - 1}"
        )
    return [by_name[name] for name in wanted], names


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")  # macOS leaves ._name.png


def _images_of(folder: Path) -> list[Path]:
    """The image files of a class's folder and of the folders in it, but for hidden ones, sorted."""
    found = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if _is_image(path) and not path.is_dir() and not any(part.startswith(".") for part in parts):
            found.append(path)
    return sorted(found)


def listed(root: Path, form: Form, limit: int | None, names: list[str] | None) -> Images:
    """The images of `root`/labels.csv, in its order. See data.load."""
    path = root / LABELS_FILE
    try:
        text = files.read_input(path, _MOST_BYTES, "want lines of file,label").decode("utf-8-sig")
        rows = list(csv.reader(text.splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a table of text ({error}); want lines of file,label") from error
    if not rows or [cell.strip() for cell in rows[0]] != ["file", "label"]:
        raise UserError(f"{path}: begins with {','.join(rows[0] if rows else [])!r}; want file,label")
    if len(rows) > _MOST_ROWS:
        raise UserError(f"{path}: {len(rows):,} lines; want at most {_MOST_ROWS:,}")
    found: list[Path] = []
    y: list[int] = []
    classes = len(names) if names else 1 << 16
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue  # an empty line
        if len(row) != 2 or not row[0].strip() or not (row[1].strip().isascii() and row[1].strip().isdigit()):
            line = ",".join(row)[:_LINE]
            raise UserError(f"{path}:{number}: {line!r}; want file,label, the label a whole number")
        if len(row[1].strip()) > _DIGITS or int(row[1]) >= classes:
            label = row[1].strip()[:_LINE]
            raise UserError(f"{path}:{number}: label {label}; want 0 to {classes - 1}")
        found.append(root / row[0].strip())
        y.append(int(row[1]))
    if not found:
        raise UserError(f"{path}: names no images; want a line file,label for each")
    chosen = spread(len(found), limit)
    names = names or [str(i) for i in range(max(y) + 1)]
    return _read_files(root, [found[i] for i in chosen], np.array(y, np.int64)[chosen], form, names)


def folder(root: Path, split: str, form: Form, limit: int | None, names: list[str] | None) -> Images:
    """The images of `split` of the folder `root`, which has no list. See data.load."""
    plain = sorted(path for path in root.iterdir() if _is_image(path))
    if plain and not any(path.is_dir() for path in root.iterdir()):
        some = [plain[i] for i in spread(len(plain), limit)]
        return _read_files(root, some, np.full(len(some), -1, np.int64), form, names or [])
    presplit = any((root / part).is_dir() for part in SPLITS)
    if presplit and not (root / split).is_dir():
        raise UserError(f"{root}: there is no {root / split}; want both {root / 'train'} and {root / 'test'}")
    folders, names = _class_folders(root / split if presplit else root, names)
    chosen_files: list[Path] = []
    y: list[int] = []
    for index, place in enumerate(folders):
        found = _images_of(place)
        if not found:
            raise UserError(f"{place}: no images ({', '.join(sorted(SUFFIXES))}); want some of every class")
        if not presplit and len(found) < 5:
            raise UserError(
                f"{place}: {len(found)} images, none left for testing (every fifth); want at least 5 of each"
            )
        kept = [path for i, path in enumerate(found) if presplit or (i % 5 == 4) == (split == "test")]
        chosen_files += kept
        y += [index] * len(kept)
    chosen = spread(len(chosen_files), limit)
    paths = [chosen_files[i] for i in chosen]
    # Of a few images a class, the share that can be read says little about the folder.
    places = folders if len(chosen) == len(chosen_files) else []
    return _read_files(root, paths, np.array(y, np.int64)[chosen], form, names, places)


def _read_files(
    root: Path,
    paths: list[Path],
    y: npt.NDArray[np.int64],
    form: Form,
    names: list[str],
    places: Sequence[Path] = (),
) -> Images:
    """The images in `paths`, classes `y`; those that cannot be read are left out, see _check_unreadable."""
    x = np.empty((len(paths), *form.size), np.uint8)
    whole = np.ones(len(paths), bool)
    resized, recoloured = 0, 0
    quiet = len(paths) < _MANY or not sys.stdout.isatty()
    for i, path in enumerate(terminal.track(paths, f"reading {root}", disable=quiet)):
        try:
            x[i], wrong_size, wrong_colour = images.read(path, *form.size, form.fit)
            resized += wrong_size
            recoloured += wrong_colour
        except Exception:  # Pillow's decoders let through whatever a broken file leads them to
            whole[i] = False
    notices = []
    if not whole.all():
        bad = [path for path, good in zip(paths, whole, strict=True) if not good]
        _check_unreadable(root, bad, whole, y, places)
        notices.append(f"{root}: {_unreadable(bad, len(paths))}: left out")
    if recoloured:
        notices.append(f"{root}: turned {recoloured} images to {colour(form.size[2])}")
    if resized:
        notices.append(f"{form.notice(root, resized)} (bilinear)")
    return Images(x[whole], y[whole], names, notices, tuple(places))


def _unreadable(bad: list[Path], count: int) -> str:
    shown = ", ".join(str(path) for path in bad[:_SHOWN]) + (", ..." if len(bad) > _SHOWN else "")
    return f"{len(bad)} of {count} images cannot be read: {shown}"


def _check_unreadable(
    root: Path,
    bad: list[Path],
    whole: npt.NDArray[np.bool_],
    y: npt.NDArray[np.int64],
    places: Sequence[Path],
) -> None:
    """UserError where more than half of the images cannot be read, or of a class's in one of `places`."""
    fix = "; mend or remove them"
    for index, place in enumerate(places):
        of_class = whole[y == index]
        broken = [path for path in bad if place in path.parents]
        if len(broken) > 1 and 2 * len(broken) > len(of_class):  # one file stops nobody
            raise UserError(f"{place}: {_unreadable(broken, len(of_class))}{fix}")
    if 2 * len(bad) > len(whole):
        raise UserError(f"{root}: {_unreadable(bad, len(whole))}{fix}")
