"""metrics.json of a shipped model: what it holds, and how it is read back."""

from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict, cast

from msgspec import Meta

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Count, Positive, Sha256, Share
from squeezenet_mcu.common.formats.manifest import Accuracy
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train.chain import OUTPUTS
from squeezenet_mcu.model.train.records import Accuracies, Fit, Weights

NAME = "metrics.json"
_SCORES = Accuracies.__annotations__
_Versions = dict[str, str]
_Milliseconds = Annotated[float, Meta(gt=0, le=1e9)]


class Stage(Accuracies):
    """What is shipped of a stage's record. `seconds` of its epochs, whenever they were run."""

    train_images: Positive
    parameters: Positive
    epochs: Count
    seconds: Count
    machine: NotRequired[str]
    tflite_bytes: NotRequired[Positive]
    channels: NotRequired[dict[str, list[Count]]]


class PlanRow(TypedDict):
    """A layer of the converted network."""

    layer: str
    kind: str
    output: Annotated[list[Count], Meta(min_length=3, max_length=3)]
    macs: Count


class Converted(TypedDict):
    """What is shipped of the converter's manifest."""

    engine_sha256: Sha256
    macs: Positive
    weights_dense_bytes: Positive
    weights_stored_bytes: Positive
    engine_model_bytes: Positive
    engine_sram_bytes: Positive
    tflm_arena_bytes: Positive | None
    accuracy: Accuracy | None
    versions: _Versions
    plan: list[PlanRow]


class OnBoard(TypedDict):
    """Of the engine's model as the board's firmware has it."""

    board: str
    optimize: str
    engine_sha256: Sha256
    arena_bytes: Positive
    engine_model_bytes: Positive
    weights_stored_bytes: Positive


class Cost(TypedDict):
    """Of an image on an emulated board; with_flash: with its wait states, by a model."""

    instructions: Positive
    cycles: Positive
    cycles_with_flash: Positive | None
    milliseconds: _Milliseconds | None
    milliseconds_with_flash: _Milliseconds | None


class Validation(TypedDict):
    """What is shipped of the report of validate --json."""

    board: str
    images: Positive
    compared_values: Positive
    differing_values: Count
    device_accuracy: Share | None
    python_accuracy: Share | None
    instructions_per_image: Positive | None
    sram_bytes: Count
    arena_bytes: Count
    stack_bytes: Count
    flash_bytes: Count
    cost: NotRequired[Cost | None]


class Report(Validation):
    """That of the report which is checked before."""

    model_sha256: Sha256


class Int8(TypedDict):
    """What is shipped of the record of the stage quantize."""

    model: str
    test_accuracy: Share
    test_images: Positive
    tflite_bytes: Positive
    tflite_sha256: Sha256
    layers: dict[str, Weights]
    confusion: list[list[Count]]
    versions: _Versions


class Metrics(Int8):
    """All of it; see publish.gather."""

    fit: NotRequired[Fit]
    sha256: Sha256
    toml_sha256: Sha256
    stages: dict[str, Stage]
    converted: Converted
    board: OnBoard | None
    validated: Validation | None


def read_metrics(settings: Config, folder: Path) -> dict[str, Any]:
    """metrics.json in `folder`: Metrics.

    UserError: missing or damaged, or the weights, the .tflite or the TOML are others than its.
    """
    path = folder / NAME
    fix = f"run: make zoo MODEL={settings.name}"
    metrics = cast(dict[str, Any], json_files.read(path, Metrics, fix))
    classes = settings.architecture.classes
    if [len(row) for row in metrics["confusion"]] != [classes] * classes:
        raise UserError(f"{path}: confusion: want {classes} rows of {classes} counts; {fix}")
    if not {"train", "quantize"} <= metrics["stages"].keys():
        raise UserError(f"{path}: stages: want train and quantize among them; {fix}")
    scored = [sorted(key for key in stage if key in _SCORES) for stage in metrics["stages"].values()]
    if not metrics["stages"].keys() <= OUTPUTS.keys() or any(keys != scored[0] for keys in scored):
        raise UserError(f"{path}: stages: want known ones, all scored on the same images; {fix}")
    of_files = {
        settings.path: metrics["toml_sha256"],
        folder / "quantized.keras": metrics["sha256"],
        folder / "model.tflite": metrics["tflite_sha256"],
    }
    for file, wanted in of_files.items():
        seen = files.sha256(file.read_bytes()) if file.is_file() else "missing"
        if seen != wanted:
            raise UserError(f"{file}: SHA-256 {seen}; {path} is of {wanted}; {fix}")
    return metrics
