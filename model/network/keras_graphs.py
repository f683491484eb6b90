"""Opens the Keras files that people bring: .keras of Keras 2 and 3, .h5 of both. Runs no code of theirs."""

import io
import json
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.model.keras_import import arrays
from squeezenet_mcu.model.keras_import.graph import Graph, parse
from squeezenet_mcu.model.network import keras_config, keras_weights

HDF5 = (".h5", ".hdf5")
_WANT = "want a .keras or .h5 file that Keras wrote"


def is_hdf5(path: Path) -> bool:
    """Whether `path` is called as HDF5 files are."""
    return path.suffix.lower() in HDF5


def version(metadata: bytes) -> int:
    """The Keras that wrote a .keras file, by its metadata.json: 2 or 3."""
    try:
        found = json.loads(metadata)
    except (ValueError, RecursionError):
        return 2
    text = str(found.get("keras_version", "2")) if isinstance(found, dict) else "2"
    return 3 if text.partition(".")[0].isdecimal() and int(text.partition(".")[0]) >= 3 else 2


def is_foreign(path: Path) -> bool:
    """Whether Keras 2, as it is installed here, cannot be given the file: .h5, and .keras of Keras 3."""
    return is_hdf5(path) or version(keras_config.members(path)[0]["metadata.json"]) == 3


def check(path: Path) -> None:
    """UserError for what keras_files.load would refuse to read, without TensorFlow."""
    if is_foreign(path):
        read(path)
    else:
        keras_config.read(path)


def read(path: Path) -> Graph:
    """The network in `path` with its arrays. Raises UserError for what is not plain: see keras_import."""
    if is_hdf5(path):
        data = files.read_input(path, keras_config.MOST_FILE, _WANT)
        keras_weights.check(data, path, "the file")
        config, written_by = _hdf5_config(data, path)
        graph = parse(config, written_by, path)
        arrays.fill(graph, data, legacy=True)
        return graph
    members, config = keras_config.members(path)
    weights = members["model.weights.h5"]
    keras_weights.check(weights, path)
    graph = parse(config, version(members["metadata.json"]), path)
    arrays.fill(graph, weights, legacy=False)
    return graph


def _hdf5_config(data: bytes, path: Path) -> tuple[dict[str, Any], int]:
    """The attribute model_config, and which Keras wrote it."""
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            found, written_by = (_text(file, name) for name in ("model_config", "keras_version"))
        if found is None:
            raise UserError(
                f"{path}: holds no model, only weights; want what model.save wrote, not save_weights"
            )
        config = json.loads(found)
    except UserError:
        raise
    except Exception as error:  # h5py lets through whatever a damaged file causes
        raise UserError(f"{path}: its model_config is damaged ({one_line(str(error))}); {_WANT}") from error
    if not isinstance(config, dict):
        raise UserError(f"{path}: model_config is no table; {_WANT}")
    return config, 3 if (written_by or "2").startswith("3") else 2


def _text(file: Any, name: str) -> str | None:
    value = file.attrs.get(name)
    found = value.decode() if isinstance(value, bytes) else value
    return found if isinstance(found, str) else None
