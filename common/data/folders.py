"""Images in folders: a folder per class, or images alone. Imports no TensorFlow."""

from pathlib import Path

import numpy as np

from squeezenet_mcu.common.data import classes, pictures, reading, text
from squeezenet_mcu.common.data.classes import Wanted
from squeezenet_mcu.common.data.image_lists import LABELS_FILE
from squeezenet_mcu.common.data.images import Form, Images
from squeezenet_mcu.common.data.own_folders.division import divide
from squeezenet_mcu.common.errors import UserError

SPLITS = ("train", "test")
# What others call the parts of their data.
_PARTS = {*SPLITS, "dev", "eval", "testing", "training", "val", "valid", "validation"}
LEAST = 5  # images of a class in a folder that is not split: about a fifth is for testing


def _check_name(folder: Path) -> None:
    """UserError where no class can be called after `folder`."""
    if text.names_no_class(folder.name):
        raise UserError(
            f"{str(folder)!a}: control characters in a class's name, or no UTF-8; want it renamed"
        )


def _class_folders(root: Path, wanted: Wanted) -> classes.Sorted:
    """The folders in `root` and the class of each: in the order of their names, numbers in numeric order."""
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if folders and all(path.name.isdecimal() for path in folders):
        folders.sort(key=lambda path: int(path.name))
    if len(folders) < (1 if wanted.count and wanted.names else 2):
        found = "1 class folder" if folders else "no images, and no class folders"
        raise UserError(
            f"{root}: {found}; want at least two, a folder of images per class, or images with a "
            f"{LABELS_FILE} beside them; for calibration, images alone will do"
        )
    for path in folders:
        _check_name(path)
    return classes.of_folders(root, folders, wanted)


def images_of(folder: Path) -> tuple[list[Path], list[Path]]:
    """The image files of a class's folder and of the folders in it, sorted; those of kinds that are not read.

    Hidden ones are none.
    """
    found, others = [], []
    for path in folder.rglob("*"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts) or path.is_dir():
            continue
        if pictures.is_read(path):
            found.append(path)
        elif pictures.is_other(path):
            others.append(path)
    return sorted(found), sorted(others)


def folder(root: Path, split: str, form: Form, limit: int | None, wanted: Wanted) -> Images:
    """The images of `split` of the folder `root`, which has no list. See sources.load."""
    inside = sorted(root.iterdir())
    plain = [path for path in inside if pictures.is_read(path)]
    if plain and not any(path.is_dir() for path in inside):
        unknown = np.full(len(plain), -1, np.int64)
        found = reading.read_files(root, plain, unknown, form, wanted.names or [], limit=limit)
        found.notices.extend(reading.of_other_kinds(root, [p for p in inside if pictures.is_other(p)]))
        return found
    return _by_class(root, split, form, limit, wanted)


def _parts(root: Path, split: str, wanted: Wanted) -> dict[str, Path]:
    """The folders of training and of test images in `root`, `split` among them; none where it has classes."""
    inside = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    found = {path.name: path for path in inside if path.name in SPLITS}
    folded = [path.name.casefold() for path in inside]
    if set(SPLITS) <= set(folded):  # one of them alone, in capitals, may be a class: of vehicles, say
        for path, name in zip(inside, folded, strict=True):
            if name in SPLITS and found.setdefault(name, path).name != path.name:
                raise UserError(f"{root}: {found[name].name} and {path.name}; want one folder {name}")
    if split in found:
        return found
    names = {classes.composed(name) for name in wanted.names or []}
    if len(inside) > 1 and set(folded) <= _PARTS and not {path.name for path in inside} <= names:
        raise UserError(
            f"{root}: {', '.join(sorted(path.name for path in inside))} are parts of the data, not classes; "
            "call the folders train and test"
        )
    if found:
        raise UserError(f"{root}: there is no {root / split}; want both {root / 'train'} and {root / 'test'}")
    return {}


def _by_class(root: Path, split: str, form: Form, limit: int | None, wanted: Wanted) -> Images:
    """The images of folders that are classes."""
    parts = _parts(root, split, wanted)
    presplit = bool(parts)
    of_classes = _class_folders(parts.get(split, root), wanted)
    files: list[Path] = []
    y: list[int] = []
    not_read: list[Path] = []
    for index, place in of_classes.folders:
        found, others = images_of(place)
        not_read += others
        if not found:
            but = f", but {reading.kinds(others)}" if others else ""
            read = ", ".join(pictures.suffixes())
            raise UserError(f"{place}: no images ({read}){but}; want some of every class")
        if not presplit and len(found) < LEAST:
            raise UserError(
                f"{place}: {len(found)} images, too few to keep some for testing; "
                f"want at least {LEAST} of each"
            )
        files += found
        y += [index] * len(found)
    notices = [*of_classes.notices, *reading.of_other_kinds(root, not_read)]
    of_files, keys = np.array(y, np.int64), None
    if not presplit:
        division = divide(root, files, y, dict(of_classes.folders))
        kept = np.flatnonzero(division.is_test == (split == "test"))
        files, of_files, keys = [files[i] for i in kept], of_files[kept], division.keys[kept]
        if split == "train":  # once
            notices += division.notices
    # Of a few images a class, the share that can be read says little about the folder.
    places = dict(of_classes.folders) if limit is None or limit >= len(files) else {}
    read_ones = reading.read_files(root, files, of_files, form, of_classes.names, places, limit, keys)
    if wanted.count:
        notices += [f"{root}: {notice}" for notice in classes.some_of(of_files, wanted.count)]
    read_ones.notices.extend(notices)
    return read_ones
