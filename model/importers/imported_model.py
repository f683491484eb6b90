"""A Keras model of ours with weights of others, and what it was made from."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Count, Positive, Sha256
from squeezenet_mcu.model import importers
from squeezenet_mcu.model.importers import official
from squeezenet_mcu.model.network.fold_preprocessing import fold
from squeezenet_mcu.model.settings.config import Config

OUTPUT = "imported.keras"


def pixel_scale(path: Path) -> float:
    """What the network in `path` wants of a pixel in [0, 1]: imported ones take 0 to 255."""
    return 255.0 if path.name == OUTPUT else 1.0


RECORD = "import.json"


class Import(TypedDict):
    """import.json: what `write` notes down."""

    file: str
    sha256: Sha256
    parameters: Positive
    weights: Positive
    zeros: Count
    settings: Sha256
    output_sha256: Sha256


def check_imported(config: Config) -> None:
    """UserError unless `config` is of a network whose weights are imported."""
    if config.weights is None:
        raise UserError(
            f"{config.path}: no table [weights], so {config.name} is trained here; weights are imported for "
            f"models like imagenet_v1_0{_start(config)}"
        )


def _start(config: Config) -> str:
    """What to type where `config` starts from a network whose weights are imported: a clause for errors."""
    start = config.train.init
    return f"; {config.name} starts from {start}: want --model {start}" if start in official.FILES else ""


def imported(config: Config, weights: Path) -> Any:
    """The Keras model of `config` with the weights in the file `weights`, for RGB pixels 0 to 255.

    float32 [n, height, width, channels] to probabilities float32 [n, classes]; preprocessing is folded into
    conv1. Raises UserError.
    """
    check_imported(config)
    assert config.weights is not None
    if weights.suffix == ".pth" and config.weights.preprocess == "caffe":
        raise UserError(
            f'{weights}: torchvision\'s weights want preprocess = "torch" and conv10_padding = 0; '
            f'{config.path} says preprocess = "caffe"; copy it, and change both'
        )
    arrays = importers.load(weights, config.kernels)
    # Here, because it imports TensorFlow: seconds, which a broken file need not cost.
    from squeezenet_mcu.model.network.squeezenet import build

    model = build(config)
    arrays["conv1"] = fold(*arrays["conv1"], config.weights.preprocess)
    for name, pair in arrays.items():
        model.get_layer(name).set_weights(pair)
    return model


def fingerprint(config: Config) -> str:
    """SHA-256 of the settings that the imported model depends on."""
    known = {
        "input": asdict(config.input),
        "architecture": asdict(config.architecture),
        "weights": config.weights and asdict(config.weights),
    }
    text = json.dumps(known, sort_keys=True)
    return files.sha256(text.encode())


def write(config: Config, weights: Path, folder: Path) -> dict[str, Any]:
    """Imports into `folder`: imported.keras, then import.json; returns the latter.

    It says: file, its sha256, parameters, weights and zeros among them, settings, output_sha256.
    """
    model = imported(config, weights)
    from squeezenet_mcu.model.network import keras_files

    record = folder / RECORD
    record.unlink(missing_ok=True)  # it vouches for the old model
    keras_files.save(model, folder / OUTPUT)
    kernels = [model.get_layer(name).get_weights()[0] for name in config.kernels]
    made = {
        "file": os.path.relpath(weights),
        "sha256": files.sha256(weights.read_bytes()),
        "parameters": int(model.count_params()),
        "weights": sum(kernel.size for kernel in kernels),
        "zeros": int(sum(np.count_nonzero(kernel == 0) for kernel in kernels)),
        "settings": fingerprint(config),
        "output_sha256": files.sha256((folder / OUTPUT).read_bytes()),
    }
    files.write_json(record, made)
    return made


def read(config: Config, folder: Path) -> dict[str, Any]:
    """The record of the model in `folder`. Raises UserError unless it is whole and of these settings."""
    model, record = folder / OUTPUT, folder / RECORD
    fix = f"give the weights again: WEIGHTS= (or python -m model import --model {config.name} --weights FILE)"
    if config.name in official.FILES:
        fix = (
            f"give the weights again: python -m model weights --model {config.name}; or WEIGHTS= (--weights)"
        )
    if not model.is_file():
        raise UserError(f"{model}: missing; {fix}")
    made = cast(dict[str, Any], json_files.read(record, Import, fix))
    if made["output_sha256"] != files.sha256(model.read_bytes()):
        raise UserError(f"{model}: changed since the import; {fix}")
    if made["settings"] != fingerprint(config):
        raise UserError(f"{model}: imported with other settings than {config.path} has now; {fix}")
    return made


def summary(made: dict[str, Any]) -> str:
    """A record in one line, for the user."""
    return (
        f"{made['file']}: {made['parameters']:,} parameters, {made['zeros']:,} of {made['weights']:,} "
        f"weights are zero ({made['zeros'] / made['weights']:.1%})"
    )
