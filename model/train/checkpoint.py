"""Checkpoints of a training: one .npz, replaced atomically, with all that the next epoch depends on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from squeezenet_mcu.common import files
from squeezenet_mcu.common.archives import npy, zips
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.model.train.records import Epoch


class Meta(TypedDict):
    """What is beside the arrays; `fingerprint`: of the data and all settings; `fresh`: begun by --fresh."""

    fingerprint: str
    history: list[Epoch]
    fresh: NotRequired[bool]


def _meta(arrays: Any) -> Meta:
    return json_files.decode(str(arrays["meta"]).encode(), Meta, "meta", "want the notes of a checkpoint")


def _check_headers(path: Path) -> None:
    """ValueError, before numpy reads them, where what says how large the arrays are is too long."""
    with zips.opened(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                npy.header(stream)


def save(
    path: Path,
    fingerprint: str,
    history: list[dict[str, float]],
    variables: Sequence[Any],
    fresh: bool = False,
) -> None:
    """Writes the values of `variables`, and one entry of `history` per finished epoch, to `path`.

    `fresh`: the training was begun by --fresh, which then goes on from here: see begun_fresh.
    """
    arrays = {f"v{i:04}": variable.numpy() for i, variable in enumerate(variables)}
    meta = json.dumps({"fingerprint": fingerprint, "history": history, "fresh": fresh})
    with files.replacing(path) as temporary:
        np.savez(temporary, meta=np.array(meta), **arrays)


def restore(path: Path, fingerprint: str, variables: Sequence[Any], epochs: int) -> list[dict[str, float]]:
    """Sets `variables` from `path` and returns the history; [] if there is no checkpoint.

    `fingerprint` stands for the data and all settings: a checkpoint of another one raises UserError.
    """
    if not path.is_file():
        return []
    fresh = "start over with --fresh"
    try:
        _check_headers(path)
        with np.load(path, allow_pickle=False) as arrays:
            meta = _meta(arrays)
            values = [arrays[f"v{i:04}"] for i in range(len(arrays.files) - 1)]
    except Exception as error:  # zipfile and numpy let through whatever a damaged file causes
        raise UserError(f"{path}: not a readable checkpoint ({one_line(str(error))}); {fresh}") from error
    if meta["fingerprint"] != fingerprint:
        raise UserError(
            f"{path}: a checkpoint of other settings or data than these; restore them, or {fresh}"
        )
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        raise UserError(f"{path}: a checkpoint of another network than this one; {fresh}")
    if len(meta["history"]) > epochs or any(value.dtype.kind not in "fiub" for value in values):
        raise UserError(f"{path}: not a checkpoint of {epochs} epochs of numbers; {fresh}")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return cast(list[dict[str, float]], meta["history"])


def begun_fresh(path: Path, fingerprint: str) -> bool:
    """Whether there is a checkpoint of these settings and data, of a training that --fresh began."""
    try:
        _check_headers(path)
        with np.load(path, allow_pickle=False) as arrays:
            meta = _meta(arrays)
    except Exception:  # as above; also where there is none
        return False
    return meta["fingerprint"] == fingerprint and meta.get("fresh", False)


def kept(path: Path, fingerprint: str, epochs: int) -> str:
    """How far a training of `epochs` that ends early has come, by its checkpoint, and how it goes on."""
    try:
        _check_headers(path)
        with np.load(path, allow_pickle=False) as arrays:
            meta = _meta(arrays)
        done = len(meta["history"]) if meta["fingerprint"] == fingerprint else 0
    except Exception:  # as above
        done = 0
    if not done:
        return "no epoch is finished: the same command starts over"
    return f"{done} of {epochs} epochs are kept in {path}: the same command goes on from there"
