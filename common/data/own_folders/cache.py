"""Looks at the pictures of a folder, once: what was seen of many is kept in build/, until a file changes."""

import contextlib
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.archives import npy, zips
from squeezenet_mcu.common.data.own_folders.looks import CROPS, SIDE, Look, look
from squeezenet_mcu.common.paths import BUILD

MANY = 500  # pictures, which take a second or more
_FOLDER = ".pictures"  # in build/; no model's name begins with a dot
_MOST, _MOST_NAMES = 1_000_000, 1 << 26  # pictures, bytes of their names
_VERSION = 1  # of what is noted, and of how it is computed
_KINDS: dict[str, tuple[str, tuple[int, ...]]] = {
    "changed": ("<i8", ()),
    "digest": ("|u1", (32,)),
    "pixels": ("<i8", ()),
    "size": ("<i8", ()),
    "hashes": ("<u8", (len(CROPS),)),
    "copies": ("|u1", (len(CROPS), SIDE, SIDE)),
    "colours": ("|u1", (2, 2, 3)),
    "telling": ("|b1", ()),
}


def looks_of(root: Path, paths: Sequence[Path]) -> list[Look]:
    """What is in the files `paths`, all below `root`."""
    names = [path.relative_to(root).as_posix() for path in paths]
    changed = [_changed(path) for path in paths]
    note = _note(root)
    known = _read(note) if len(paths) >= MANY else {}
    found: list[Look] = []
    quiet = len(paths) < MANY or not sys.stdout.isatty()
    fresh = False
    for i in terminal.track(range(len(paths)), f"looking at {root}", disable=quiet):
        time, one = known.get(names[i], (0, None))
        if one is None or time != changed[i] or one.size != _size(paths[i]):
            one, fresh = look(paths[i]), True
        found.append(one)
    if fresh and len(paths) >= MANY:
        with contextlib.suppress(OSError):  # it is only quicker with it
            _write(note, names, changed, found)
    return found


def _note(root: Path) -> Path:
    name = hashlib.sha256(str(root.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]
    return BUILD / _FOLDER / f"{name}.npz"


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _write(note: Path, names: list[str], changed: list[int], looks: list[Look]) -> None:
    # Names as bytes with zeros between them: numpy's own would take the longest one's room for each.
    text = "\0".join(names).encode(errors="surrogateescape")
    columns: dict[str, Any] = {"changed": changed} | {
        name: [getattr(one, name) for one in looks] for name in _KINDS if name not in ("changed", "digest")
    }
    columns["digest"] = [list(one.digest) for one in looks]
    arrays: dict[str, Any] = {name: np.array(columns[name], kind) for name, (kind, _) in _KINDS.items()}
    with files.replacing(note) as temporary:
        np.savez(temporary, version=np.int64(_VERSION), names=np.frombuffer(text, np.uint8), **arrays)


def _is_sound(note: Path) -> bool:
    """Whether the arrays in `note` have the types and sizes that are written: said before they are read."""
    with zips.opened(note) as archive:
        headers = {}
        for member in archive.infolist():
            with archive.open(member) as stream:
                headers[member.filename.removesuffix(".npy")] = npy.header(stream)
    count, most = headers["changed"][0][0], headers["names"][0][0]
    wanted: dict[str, Any] = {
        name: ((count, *shape), np.dtype(kind)) for name, (kind, shape) in _KINDS.items()
    }
    wanted |= {"version": ((), np.dtype("<i8")), "names": ((most,), np.dtype("|u1"))}
    return headers == wanted and count <= _MOST and most <= _MOST_NAMES


def _read(note: Path) -> dict[str, tuple[int, Look]]:
    """When each file was changed that was looked at, and what was seen; {} where nothing is noted."""
    if not note.is_file():
        return {}
    try:
        if not _is_sound(note):
            return {}
        with np.load(note, allow_pickle=False) as noted:
            if int(noted["version"]) != _VERSION:
                return {}
            names = noted["names"].tobytes().decode(errors="surrogateescape").split("\0")
            found = {name: noted[name] for name in _KINDS}
    except Exception:  # zipfile and numpy let through whatever a damaged file causes; it is made anew
        return {}
    if len(names) != len(found["changed"]):
        return {}
    return {
        name: (
            int(found["changed"][i]),
            Look(
                digest=found["digest"][i].tobytes(),
                pixels=int(found["pixels"][i]),
                size=int(found["size"][i]),
                hashes=found["hashes"][i],
                copies=found["copies"][i],
                colours=found["colours"][i],
                telling=bool(found["telling"][i]),
            ),
        )
        for i, name in enumerate(names)
    }
