"""Images with a labels.csv beside them: file,label. Imports no TensorFlow."""

import csv
from pathlib import Path, PureWindowsPath

import numpy as np

from squeezenet_mcu.common.data import text
from squeezenet_mcu.common.data.classes import Wanted, counted_from_one, no_zero, some_of
from squeezenet_mcu.common.data.images import Form, Images
from squeezenet_mcu.common.data.reading import read_files
from squeezenet_mcu.common.errors import UserError

LABELS_FILE = "labels.csv"
_LINE = 100  # characters of a line in a message
# All of it is read into memory; CIFAR-10 has 60,000 images, and names of files have 4,096 characters at most.
_MOST = text.Most(size=32 << 20, lines=300_000, line=10_000)
_DIGITS = 9  # of a label; Python refuses to read some thousands
_MOST_CLASSES = 1 << 16


def _rows(path: Path) -> list[tuple[int, str, str]]:
    """Number of the line, file and label of each image, the label in digits. Raises UserError."""
    lines = text.lines_of(path, _MOST, "want lines of file,label")
    try:
        rows = list(csv.reader(lines))
    except csv.Error as error:
        raise UserError(f"{path}: not a table of text ({error}); want lines of file,label") from error
    if not rows or [cell.strip() for cell in rows[0]] != ["file", "label"]:
        raise UserError(f"{path}: begins with {','.join(rows[0] if rows else [])!r}; want file,label")
    found = []
    for number, row in enumerate(rows[1:], 2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue  # an empty line, or one that a spreadsheet has left empty
        if len(cells) != 2 or not cells[0] or not (cells[1].isascii() and cells[1].isdigit()):
            raise UserError(
                f"{path}:{number}: {','.join(row)[:_LINE]!r}; want file,label, the label a whole number"
            )
        found.append((number, cells[0], cells[1]))
    if not found:
        raise UserError(f"{path}: names no images; want a line file,label for each")
    return found


def _labels(path: Path, rows: list[tuple[int, str, str]], wanted: Wanted) -> list[int]:
    """The labels as numbers. UserError for one that is no class's."""
    classes = wanted.known or _MOST_CLASSES
    numbers = [int(label) if len(label) <= _DIGITS else _MOST_CLASSES for _, _, label in rows]
    for (number, _, label), value in zip(rows, numbers, strict=True):
        if value >= classes:
            whose = f"; {wanted.whose}" if wanted.count else ""
            raise UserError(
                f"{path}:{number}: label {label[:_LINE]}; want 0 to {classes - 1}{whose}"
                f"{counted_from_one(min(numbers), max(numbers), classes)}"
            )
    if wanted.count and (wrong := no_zero(min(numbers))):
        raise UserError(f"{path}: {wrong}")
    return numbers


def _file(root: Path, name: str) -> Path:
    """The file that a list calls `name`: Windows writes folder\\file."""
    path = root / name
    return path if "\\" not in name or path.exists() else root / PureWindowsPath(name).as_posix()


def listed(root: Path, form: Form, limit: int | None, wanted: Wanted) -> Images:
    """The images of `root`/labels.csv, in its order. See sources.load."""
    path = root / LABELS_FILE
    rows = _rows(path)
    y = np.array(_labels(path, rows, wanted), np.int64)
    names = wanted.names or [str(i) for i in range(wanted.count or y.max() + 1)]
    found = read_files(root, [_file(root, row[1]) for row in rows], y, form, names, limit=limit)
    if wanted.count:
        found.notices.extend(f"{path}: {notice}" for notice in some_of(y, wanted.count))
        if y.min() > 0:
            found.notices.append(f"{path}: no image of class 0; the labels are taken as counted from 0")
    return found
