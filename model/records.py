"""The stages' records of one model that belong together. Imports no TensorFlow."""

from pathlib import Path
from typing import Any

from model import stage as stages
from model.config import Config

Record = dict[str, Any]


def of_chain(settings: Config, folder: Path) -> dict[str, Record]:
    """The records in `folder` (build/<model>) of the stages that have run, by name, in their order.

    It ends before the first stage that has not run, or whose record is of another network than the stage
    before has left.
    """
    found: dict[str, Record] = {}
    before = ""
    for name in stages.chain(settings):
        record = stages.read_record(folder / f"{name}.json")
        if not record or not _made_from(record, before):
            break
        found[name] = record
        before = record["output_sha256"]
    return found


def of_twin(settings: Config, folder: Path) -> Record:
    """The record of the dense twin of these very float weights; {} if there is none."""
    record = stages.read_record(folder / "dense.json")
    trained = of_chain(settings, folder).get("train")
    belongs = record and trained and _made_from(record, trained["output_sha256"])
    return record if belongs else {}


def of_conversion(folder: Path, tflite_sha256: str | None) -> Record:
    """The converter's manifest in `folder`; {} if there is none, or it is of another .tflite."""
    manifest = stages.read_record(folder / "manifest.json")
    return manifest if manifest and manifest.get("tflite_sha256") == tflite_sha256 else {}


def _made_from(record: Record, sha256: str) -> bool:
    # Older records do not say.
    return record.get("input_sha256", sha256) == sha256
