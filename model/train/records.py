"""The stages' records: which belong together, what in the TOML differs by now. Imports no TensorFlow."""

import json
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict, cast

from msgspec import Meta

from squeezenet_mcu.common import files
from squeezenet_mcu.common.data.fits import FITS
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import ClassName, Count, Positive, Sha256, Share, one_of
from squeezenet_mcu.common.formats.manifest import NAME as MANIFEST
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train.chain import chain, described, without_compression

Record = dict[str, Any]
Fit = Annotated[str, one_of(*FITS)]
CHAIN = "chain.json"


class Guarantee(TypedDict):
    """Of a layer: so many zeros at least, so many values at most; `block`: zeros in every so many."""

    zeros: Count
    values: Count | None
    block: Annotated[list[Count], Meta(min_length=2, max_length=2)] | None


class Weights(TypedDict):
    """Of a layer: how many, zeros among them, different values."""

    weights: Positive
    zeros: Count
    values: Count
    guaranteed: NotRequired[Guarantee | None]
    promised: NotRequired[Guarantee | None]


class Epoch(TypedDict):
    """A line of the history."""

    epoch: Positive
    loss: float
    accuracy: Share
    images_per_s: Annotated[float, Meta(ge=0)]
    validation_accuracy: NotRequired[Share]


class Accuracies(TypedDict):
    """Of the images of each part of the data."""

    test_accuracy: Share
    test_images: Positive
    validation_accuracy: NotRequired[Share]
    validation_images: NotRequired[Positive]
    reserve_accuracy: NotRequired[Share]
    reserve_images: NotRequired[Positive]


class Scored(Accuracies):
    """What the converter takes of a stage's record or of a shipped model's metrics.json."""

    labels: NotRequired[list[ClassName]]
    data: NotRequired[Annotated[str, Meta(max_length=4096)]]
    fit: NotRequired[Fit]
    sha256: NotRequired[Sha256]
    output_sha256: NotRequired[Sha256]


class Mistake(TypedDict):
    """The test image number `image`, of class `label`, was taken for class `taken`."""

    image: Count
    label: Count
    taken: Count
    probability: Share


class Settings(TypedDict):
    """What of the TOML a stage depends on: chain.described."""

    train: dict[str, Any]
    reserve: Share


class StageRecord(Accuracies):
    """<stage>.json, as runner.finish writes it; what is not required came with later versions."""

    train_images: Positive
    parameters: Positive
    epochs: Count
    seconds: Annotated[float, Meta(ge=0)]
    machine: str
    output_sha256: Sha256
    fingerprint: str
    history: list[Epoch]
    data: NotRequired[str]
    labels: NotRequired[list[ClassName]]
    fit: NotRequired[Fit]
    settings: NotRequired[Settings]
    teacher: NotRequired[str | None]
    input_sha256: NotRequired[str]
    test_sha256: NotRequired[Sha256]
    layers: NotRequired[dict[str, Weights]]
    wanted: NotRequired[dict[str, Share]]
    channels: NotRequired[dict[str, list[Count]]]
    tflite_bytes: NotRequired[Positive]
    tflite_sha256: NotRequired[Sha256]
    confusion: NotRequired[list[list[Count]]]
    mistakes: NotRequired[list[Mistake]]
    training_accuracy: NotRequired[Share]
    training_images: NotRequired[Positive]


def read(path: Path, kind: type = StageRecord) -> Record:
    """The record in `path`, of `kind`; {} if there is none, or none of that kind's types and ranges."""
    try:
        found = cast(Record, json_files.read(path, kind, "run the stage again"))
    except (OSError, UserError):
        return {}
    for layer in found.get("layers", {}).values():
        if "promised" in layer:  # version 0.1.0 called it so
            layer["guaranteed"] = layer.pop("promised")
    return found


class Asked(TypedDict):
    """chain.json: what `make train` was last asked for. `compress`: "none", or as the TOML says."""

    compress: Annotated[str, one_of("none", "toml")]


def note_asked(folder: Path, compress: str) -> None:
    """Notes in `folder` (build/<model>) whether the chain is to go without pruning and clustering."""
    if read(folder / CHAIN, Asked).get("compress", "toml") != compress:
        files.write_json(folder / CHAIN, {"compress": compress})


def as_asked(settings: Config, folder: Path) -> Config:
    """`settings` without compression where that was asked for last (COMPRESS=none)."""
    none = read(folder / CHAIN, Asked).get("compress") == "none"
    return without_compression(settings) if none else settings


def of_chain(settings: Config, folder: Path) -> dict[str, Record]:
    """The records in `folder` (build/<model>) of the stages that have run, by name, in their order.

    It ends before the first stage that has not run, or whose record is of another network than the stage
    before has left.
    """
    found: dict[str, Record] = {}
    before = ""
    for name in chain(settings):
        record = read(folder / f"{name}.json")
        if not record or not _made_from(record, before):
            break
        found[name] = record
        before = record["output_sha256"]
    return found


def of_baseline(settings: Config, folder: Path) -> Record:
    """The record of the dense baseline of these very float weights; {} if there is none."""
    record = read(folder / "dense.json")
    trained = of_chain(settings, folder).get("train")
    belongs = record and trained and _made_from(record, trained["output_sha256"])
    return record if belongs else {}


def of_conversion(folder: Path, tflite_sha256: str | None) -> Record:
    """The converter's manifest in `folder`; {} if there is none, or it is of another .tflite.

    UserError: it is damaged.
    """
    if not (folder / MANIFEST).is_file():
        return {}
    manifest = read_manifest(folder)
    return manifest if manifest["tflite_sha256"] == tflite_sha256 else {}


def _made_from(record: Record, sha256: str) -> bool:
    # Older records do not say.
    found: bool = record.get("input_sha256", sha256) == sha256
    return found


def other_settings(record: Record, settings: Config, name: str) -> str:
    """How the settings that a record notes differ from the TOML's: "" or "sparsity 0.6, the TOML 0.9"."""
    noted = record.get("settings")
    if noted is None:  # of before records had them
        return ""
    # As JSON has it: lists, no tuples.
    wanted = _flat(json.loads(json.dumps(described(settings, name))))
    seen = _flat(noted)
    # train's own settings are all stages' [train], too.
    lines = dict.fromkeys(
        f"{key.partition('.')[2] or key} {_spelt(seen.get(key))}, the TOML {_spelt(wanted.get(key))}"
        for key in wanted | seen
        if seen.get(key) != wanted.get(key)
    )
    return "; ".join(lines)


def _spelt(value: Any) -> str:
    """As a TOML spells it."""
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _flat(tables: dict[str, Any]) -> dict[str, Any]:
    """{"own": {"sparsity": 0.6}, "reserve": 0} as {"own.sparsity": 0.6, "reserve": 0}."""
    found: dict[str, Any] = {}
    for name, value in tables.items():
        found |= (
            {f"{name}.{key}": v for key, v in value.items()} if isinstance(value, dict) else {name: value}
        )
    return found
