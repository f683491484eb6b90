"""Keras models in files: atomic, compressed, the same bytes for the same model; loads quantized ones."""

import io
import json
import math
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line, shown
from squeezenet_mcu.common.tf import keras, tf
from squeezenet_mcu.model.keras_import.build import build
from squeezenet_mcu.model.network import keras_config, keras_graphs
from squeezenet_mcu.model.network.keras_weights import MOST_WEIGHTS
from squeezenet_mcu.model.network.tfmot import quantize_layer, tfmot


def _reloadable(model: Any) -> Any:
    """A copy of a quantization-aware `model` with its variables in the order in which loading builds them.

    TFMOT's wrappers count a kernel twice when they wrap a built layer, as quantize_apply does, and once when
    they are made from a file: Keras then refuses the file.
    """
    with tfmot.quantization.keras.quantize_scope():
        copy = keras.Model.from_config(_without_input_build(model.get_config()))
    take_weights(model, copy)
    return copy


def take_weights(source: Any, target: Any) -> None:
    """Copies every variable of the model `source` to the one of that name in the same layer of `target`.

    `target` may have fewer variables.
    """
    for theirs, ours in zip(source.layers, target.layers, strict=True):
        values = {_last_name(variable): variable for variable in theirs.weights}
        for variable in ours.weights:
            variable.assign(values[_last_name(variable)])


def _last_name(variable: Any) -> str:
    found: str = variable.name.rpartition("/")[2]
    return found


def _without_input_build(config: dict[str, Any]) -> dict[str, Any]:
    """Takes from a model's settings what makes Keras build TFMOT's QuantizeLayer twice."""
    for layer in config["layers"]:
        if layer["class_name"] == "QuantizeLayer":
            layer.pop("build_config", None)
    return config


def save(model: Any, path: Path) -> None:
    """Writes `model` (weights and structure, no optimizer) to `path`, a .keras file."""
    if any(isinstance(layer, quantize_layer.QuantizeLayer) for layer in model.layers):
        model = _reloadable(model)
    with files.replacing(path) as temporary:
        model.save(temporary)
        # Keras stores its zip uncompressed, ten times the size, and with the time of day in it.
        packed = io.BytesIO()
        with (
            zipfile.ZipFile(temporary) as source,
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
        ):
            for name in source.namelist():
                data = source.read(name)
                if name == "metadata.json":
                    data = json.dumps({"keras_version": json.loads(data)["keras_version"]}).encode()
                if name == "config.json":
                    structure = json.loads(data)
                    _without_input_build(structure["config"])
                    data = json.dumps(structure).encode()
                target.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        temporary.write_bytes(packed.getvalue())


def load(path: Path) -> Any:
    """The Keras model in `path`, quantization-aware or not. Runs no code of the file's.

    Files of Keras 3, and .h5, are built anew by keras_import. UserError: it cannot be loaded, or holds other
    layers than keras_config or keras_import knows, or too many weights.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; want a .keras or .h5 file")
    if keras_graphs.is_foreign(path):
        return build(keras_graphs.read(path))
    members = keras_config.read(path)
    try:
        # A copy, under a name of ours: what is called otherwise Keras takes for HDF5, which can hold code.
        with (
            tempfile.TemporaryDirectory() as folder,
            warnings.catch_warnings(action="ignore"),  # Keras's, of what a file has in other places
            tf.variable_creator_scope(_bounded(path)),
            tfmot.quantization.keras.quantize_scope(),
        ):
            copy = Path(folder) / "checked.keras"
            with zipfile.ZipFile(copy, "w") as archive:
                for name, data in members.items():
                    archive.writestr(name, data)
            model = keras.models.load_model(copy, compile=False)
            for variable in model.weights:
                if variable.dtype.is_floating and not np.isfinite(variable.numpy()).all():
                    raise UserError(
                        f"{path}: {shown(variable.name)} holds values that are no numbers; want finite"
                    )
            return model
    except UserError:
        raise
    except Exception as error:  # Keras lets through whatever a broken file causes
        line = one_line(str(error))
        raise UserError(f"{path}: not a model that Keras can load ({line}); want a .keras file") from error


def _bounded(path: Path) -> Callable[..., Any]:
    """Makes variables as TensorFlow would, but refuses, before it takes memory, more than a network has."""
    total = 0

    def create(following: Callable[..., Any], **given: Any) -> Any:
        nonlocal total
        shape = given.get("shape")
        total += math.prod(shape) if shape is not None else 1
        if total > MOST_WEIGHTS:
            raise UserError(f"{path}: its layers have over {MOST_WEIGHTS:,} weights; want at most so many")
        return following(**given)

    return create
