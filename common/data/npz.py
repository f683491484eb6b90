"""Labelled images in an .npz, read within limits: what it declares is checked before memory is taken."""

import math
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.archives import npy, zips
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line

KEYS = ("x_train", "y_train", "x_test", "y_test")
MOST_BYTES = 2 << 30  # of an array; CIFAR-10's training images have 154 million
MOST_CLASSES = 1 << 16
# Real images shrink to a tenth at most; what shrinks so much is made to fill memory. Small ones do no harm.
_MOST_SHRUNK, _HARMLESS = 200, 64 << 20


def read(path: Path, split: str, channels: int = 3) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """x uint8 [n, h, w, c] and y int64 [n] of "train" or "test".

    c is 1 or 3, each of which becomes the other, or `channels` if that is another number.

    Raises UserError for a file that is none, lacks an array, or whose arrays are others, too large or empty.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; want an .npz with {', '.join(KEYS)}")
    try:
        with zips.opened(path) as archive:
            found = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            missing = [key for key in KEYS if key not in found]
            if missing:
                names = one_line(", ".join(found)) or "nothing"
                raise UserError(
                    f"{path}: holds {names}; want {', '.join(KEYS)}: {', '.join(missing)} missing"
                )
            x, y = (_array(path, archive, found[f"{key}_{split}"]) for key in ("x", "y"))
    except UserError:
        raise
    except Exception as error:  # zipfile and numpy let through whatever a damaged file causes
        raise UserError(f"{path}: not a readable .npz of plain arrays: {one_line(str(error))}") from error
    return _checked(path, split, x, y, channels)


def _array(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[np.generic]:
    """An array of the file, after a look at how large it says it is."""
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as stream:
        try:
            shape, dtype = npy.header(stream)
        except ValueError as error:
            raise UserError(
                f"{path}: {one_line(name)} {one_line(str(error))}; want an .npz of plain arrays"
            ) from error
        wanted = dtype.itemsize * math.prod(shape)  # Python's numbers do not overflow
        if wanted > MOST_BYTES or wanted > member.file_size:
            raise UserError(
                f"{path}: {name} is {dtype} {list(shape)}, {wanted:,} bytes of {member.file_size:,} in the "
                f"file; want all of them there, and at most {MOST_BYTES:,}"
            )
        if wanted > _HARMLESS and wanted > _MOST_SHRUNK * max(member.compress_size, 1):
            raise UserError(
                f"{path}: {name} unpacks from {member.compress_size:,} bytes to {wanted:,}; want real images"
            )
    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _checked(
    path: Path, split: str, x: npt.NDArray[np.generic], y: npt.NDArray[np.generic], channels: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    allowed = (1, 3) if channels in (1, 3) else (channels,)  # gray and RGB become each other
    shape = x.shape if x.ndim != 3 else (*x.shape, 1)
    if x.dtype != np.uint8 or len(shape) != 4 or shape[3] not in allowed:
        want = "[n, h, w] or [n, h, w, 1 or 3]" if allowed == (1, 3) else f"[n, h, w, {channels}]"
        raise UserError(f"{path}: x_{split} is {x.dtype} {list(x.shape)}; want uint8 {want}")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]  # Keras' own data sets come like this
    if not np.issubdtype(y.dtype, np.integer) or y.shape != x.shape[:1]:
        raise UserError(
            f"{path}: y_{split} is {y.dtype} {list(y.shape)}; want integers [{len(x)}], one for each image"
        )
    if not len(x) or 0 in x.shape:
        raise UserError(
            f"{path}: x_{split} is {list(x.shape)}, without images; want at least one of each class"
        )
    if int(y.max()) >= MOST_CLASSES:
        raise UserError(f"{path}: y_{split} has the label {y.max()}; want labels below {MOST_CLASSES:,}")
    return x.reshape(shape).astype(np.uint8, copy=False), y.astype(np.int64)
