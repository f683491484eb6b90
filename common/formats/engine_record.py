"""engine.json beside a board's firmware: what its engine model was made of, and what it takes."""

from pathlib import Path
from typing import Any, TypedDict, cast

from squeezenet_mcu.common.formats import json_files, manifest
from squeezenet_mcu.common.formats.json_files import Count, Positive, Sha256

NAME = "engine.json"


class EngineRecord(TypedDict):
    """All of it. `made_from`: see board_model.made_from; `kernels`: names of firmware_cpp/engine/kernels."""

    made_from: dict[str, Any]
    engine_sha256: Sha256
    arena_bytes: Positive
    engine_model_bytes: Positive
    weights_stored_bytes: Count
    kernels: list[manifest.Kernel]
    plan: list[dict[str, Any]]
    peak: list[manifest.Held]


def read(folder: Path) -> dict[str, Any]:
    """The record in `folder`, build/<model>/firmware/<board>/model: an EngineRecord.

    UserError, of one line: it is missing or damaged. `make firmware` then writes it anew.
    """
    path, fix = folder / NAME, "remove it, then run: make firmware"
    found = json_files.read(path, EngineRecord, fix)
    manifest.check_plan(found["plan"], path, fix)
    return cast(dict[str, Any], found)
