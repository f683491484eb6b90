"""What the weights of a .keras file may be: plain arrays of numbers, all of them in the file itself.

HDF5 has more: datasets whose data are other files' (external storage, virtual datasets, external links), and
datasets that say they are large and hold nothing. Here a file is looked through before Keras reads it.
"""

import io
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line, shown

MOST_WEIGHTS = 30_000_000  # 120 MB; SqueezeNet v1.0 has 1.25 million
_MOST_OBJECTS = 5_000
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def check(data: bytes, path: Path, part: str = "model.weights.h5") -> None:
    """UserError unless `data`, the HDF5 `part` of the file `path`, holds groups and plain arrays alone."""
    if not data.startswith(_SIGNATURE):
        raise UserError(f"{path}: {part} does not begin as HDF5 does; want a whole file, as Keras writes it")
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _check_group(file, path)
    except UserError:
        raise
    except Exception as error:  # h5py lets through whatever a damaged file causes
        raise UserError(
            f"{path}: {part} is damaged ({one_line(str(error))}); want a whole file, as Keras writes it"
        ) from error


def _check_group(file: Any, path: Path) -> None:
    """Every object once. No recursion, and no end of it: groups may hold each other."""
    import h5py

    waiting, objects, weights = [("", file)], 0, 0
    while waiting:
        place, group = waiting.pop()
        for name in group:
            objects += 1
            where = f"{place}/{name}"
            if objects > _MOST_OBJECTS:
                raise UserError(
                    f"{path}: model.weights.h5 has over {_MOST_OBJECTS:,} parts; want at most so many"
                )
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _error(path, where, "is a link to elsewhere")
            found = group[name]
            if isinstance(found, h5py.Group):
                waiting.append((where, found))
                continue
            if not isinstance(found, h5py.Dataset):
                raise _error(path, where, "is no array")
            _check_array(found, path, where)
            weights += found.size
            if weights > MOST_WEIGHTS:
                raise UserError(f"{path}: over {MOST_WEIGHTS:,} weights; want at most so many")


def _check_array(found: Any, path: Path, where: str) -> None:
    if found.is_virtual or found.external:
        raise _error(path, where, "has its data in another file")
    if found.shape is None or found.dtype.kind not in "fiub" or found.dtype.itemsize > 8:
        raise _error(path, where, f"is of {found.dtype}")
    # Keras writes them whole and as they are: what is not there need not be believed.
    if found.chunks is not None or found.id.get_storage_size() != found.nbytes:
        stored = found.id.get_storage_size()
        raise _error(path, where, f"has {stored:,} bytes of its {found.nbytes:,} in the file")


def _error(path: Path, where: str, what: str) -> UserError:
    return UserError(
        f"{path}: model.weights.h5: {shown(where)} {what}; want arrays of numbers, as Keras writes them"
    )
