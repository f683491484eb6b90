"""The stages' records: which belong together, what in the TOML differs by now. Imports no TensorFlow."""

import json
from pathlib import Path
from typing import Any

from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train.chain import chain, described

Record = dict[str, Any]


def read(path: Path) -> Record:
    """A stage's record; {} if there is none that can be read."""
    try:
        found: Record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    for layer in found.get("layers", {}).values():
        if "promised" in layer:  # version 0.1.0 called it so
            layer["guaranteed"] = layer.pop("promised")
    return found


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
    """The converter's manifest in `folder`; {} if there is none, or it is of another .tflite."""
    manifest = read(folder / "manifest.json")
    return manifest if manifest and manifest.get("tflite_sha256") == tflite_sha256 else {}


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
