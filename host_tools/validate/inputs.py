"""What `validate` compares: the converted model, and the images that are sent."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.images import Images
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest, remembered
from squeezenet_mcu.common.litert import MOST_TFLITE
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.common.programs import MissingPackageError


@dataclass(frozen=True)
class Artefacts:
    """What `python -m convert` left for a model: its manifest and the .tflite that Python runs."""

    manifest: dict[str, Any]
    tflite: bytes
    folder: Path

    @property
    def model(self) -> str:
        """The model's name."""
        found: str = self.manifest["model"]
        return found


@dataclass(frozen=True)
class TestSet:
    """int8 [n, height, width, channels] as the model takes them; int64 [n], -1 = unknown; their source."""

    images: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int64]
    source: str
    notices: list[str]


def load_artefacts(model: str, build: Path = BUILD) -> Artefacts:
    """Reads build/<model>/manifest.json and model.tflite; UserError where missing or at odds."""
    folder = build / model
    fix = f"run: make convert MODEL={model}"
    tflite_path = folder / "model.tflite"
    manifest = read_manifest(folder)
    wanted_sha = manifest["tflite_sha256"]
    tflite = files.read_input(tflite_path, MOST_TFLITE, fix)
    if files.sha256(tflite) != wanted_sha:
        raise UserError(
            f"{tflite_path}: SHA-256 is {files.sha256(tflite)}, the manifest has {wanted_sha}; {fix}"
        )
    return Artefacts(manifest, tflite, folder)


def load_tests(artefacts: Artefacts, source: str | None, limit: int) -> TestSet:
    """As load_pixels, quantized."""
    found, source = load_pixels(artefacts, source, limit)
    images = quantize_images(found.x, artefacts.manifest["input"])
    return TestSet(images, found.y, source, found.notices)


def load_pixels(artefacts: Artefacts, source: str | None, limit: int) -> tuple[Images, str]:
    """The test split of `source`; without one, of the data that the model remembers. And the source's name.

    Random images where it remembers none, where these are not on this machine, or where it lacks the package
    that brings them.
    """
    manifest = artefacts.manifest
    notices = []
    given, source = source, source or remembered(manifest)
    if not source:
        source = f"random:{limit}"
        notices.append(
            f"{artefacts.model} has no data of its own: random images show exactness, not accuracy (DATA=)"
        )
    elif not given and not sources.is_there(source):
        notices.append(
            f"{source}, the images that {artefacts.model} remembers, are not here: random images instead, "
            "which show exactness, not accuracy; DATA= (--data) takes others"
        )
        source = f"random:{limit}"
    elif not given and not sources.is_named(source):
        notices.append(f"images of {source}, as {artefacts.model} remembers; DATA= (--data) takes others")
    size = manifest["input"]

    def images_of(source: str) -> Images:
        return sources.load(
            *(source, "test", size["height"], size["width"], size["channels"]),
            limit,
            manifest["labels"] or None,
            manifest["fit"],
            manifest["output"]["classes"],
        )

    try:
        found = images_of(source)
    except MissingPackageError as error:
        if given:
            raise
        # A light host lacks what brings some models' own data; any images prove the answers the same.
        notices.append(f'data "{source}": {error}; random images show exactness, not accuracy')
        source = f"random:{limit}"
        found = images_of(source)
    except UserError as error:
        if given or sources.is_named(source):
            raise
        raise UserError(
            f"{error}; {artefacts.model} remembers {source}; DATA= (--data) takes others"
        ) from error
    return replace(found, notices=notices + found.notices), source
