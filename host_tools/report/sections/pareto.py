"""Accuracy against flash, SRAM and milliseconds: the zoo, the user's own runs, and what others published."""

import math
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from markupsafe import Markup
from msgspec import Meta

from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Positive, Share
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.paths import BUILD, ZOO
from squeezenet_mcu.host_tools.bench import tflm_figures
from squeezenet_mcu.host_tools.report import scatter
from squeezenet_mcu.host_tools.report.evidence import VALIDATED, Evidence, Validated
from squeezenet_mcu.host_tools.report.numbers import log_ticks
from squeezenet_mcu.model.card import metrics
from squeezenet_mcu.model.settings import config

PUBLISHED = Path(__file__).resolve().parents[1] / "published.json"
_M4_HZ = 168e6  # of the board whose flash and SRAM stand in tflm_figures.json
_MOST_RUNS = 50
_AXES = ("flash", "sram", "milliseconds")
_Text = Annotated[str, Meta(max_length=200)]
_Time = Annotated[float, Meta(gt=0, le=1e9)]


class Published(TypedDict):
    """A point of published.json."""

    name: _Text
    short: _Text
    board: _Text
    milliseconds: _Time
    throughput: NotRequired[_Time]
    flash_kib: NotRequired[_Time]
    sram_kib: NotRequired[_Time]
    top1: Share
    images: NotRequired[Positive]
    date: _Text
    source: _Text


class _File(TypedDict):
    points: list[Published]


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    zoo = _zoo(e)
    accuracies = {point["model"]: point for point in zoo}
    points = zoo + _runs(e, {p["model"]: p["sha256"] for p in zoo}) + _tflm(accuracies) + _published()
    for point in points:
        point.pop("sha256", None)
    axes = {}
    for axis in _AXES:
        known = [p for p in points if p[axis] and p["top1"] is not None]
        if known:
            axes[axis] = log_ticks([p[axis] for p in known])
    shares = [p["top1"] for p in points if p["top1"] is not None]
    low = min((max(math.ceil(share * 20) / 20 - 0.05, 0.0) for share in shares), default=0.0)
    rows = [round(low + i * (1 - low) / 5, 4) for i in range(6)]
    return {"points": points, "axes": axes, "accuracy_ticks": rows}


def _point(kind: str, name: str, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(
        ("model", "top1", "images", "flash", "sram", "milliseconds", "board", "sha256")
    )
    return {"kind": kind, "name": name, "short": name, "this": False, **empty, **more}


def _costs(seen: dict[str, Any] | None) -> dict[str, Any]:
    """Of a report of validate, or of what a card has of it."""
    cost = (seen or {}).get("cost") or {}
    if seen is None:
        return {}
    return {
        "board": seen["board"],
        "flash": seen["flash_bytes"],
        "sram": seen["sram_bytes"],
        "milliseconds": cost.get("milliseconds"),
    }


def _zoo(e: Evidence) -> list[dict[str, Any]]:
    found = []
    for folder in sorted(path.parent for path in ZOO.glob(f"*/{metrics.NAME}")):
        try:
            card = metrics.read_metrics(config.load(folder.name), folder)
        except UserError as error:
            notice(f"left out of the chart: {error}")
            continue
        same = card["tflite_sha256"] == e.manifest["tflite_sha256"]
        this = same and folder.name == e.artefacts.folder.name
        here = e.validated if this else None
        found.append(
            _point(
                "zoo",
                folder.name,
                model=folder.name,
                top1=card["test_accuracy"],
                images=card["test_images"],
                sha256=card["tflite_sha256"],
                this=this,
                source="this project's model: "
                + ("accuracy of its card, costs measured here" if here else "accuracy and costs of its card"),
                date="",
                **_costs(here or card["validated"]),
            )
        )
    return found


def _runs(e: Evidence, shipped: dict[str, str]) -> list[dict[str, Any]]:
    """What is converted in build/ and not a shipped model, this one first."""
    found = []
    folders = sorted(path.parent for path in BUILD.glob("*/manifest.json"))
    folders.sort(key=lambda folder: folder.name != e.artefacts.folder.name)
    for folder in folders[:_MOST_RUNS]:
        try:
            manifest = read_manifest(folder)
            seen = _validated(folder, manifest["tflite_sha256"])
        except UserError as error:
            notice(f"left out of the chart: {error}")
            continue
        if shipped.get(folder.name) == manifest["tflite_sha256"]:
            continue
        accuracy = manifest["accuracy"] or {}
        this = folder.name == e.artefacts.folder.name
        if not (this or seen or accuracy):
            continue  # of it nothing is known
        found.append(
            _point(
                "run",
                folder.name,
                model=folder.name,
                top1=accuracy.get("int8_top1"),
                images=accuracy.get("test_images"),
                this=this,
                source="converted on this machine",
                date="",
                **_costs(seen),
            )
        )
    return found


def _validated(folder: Path, sha256: str) -> dict[str, Any] | None:
    path = folder / VALIDATED
    if not path.is_file():
        return None
    seen: Any = json_files.read(path, Validated, "remove it, or run: make validate")
    return dict(seen) if seen["model_sha256"] == sha256 else None


def _tflm(known: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The same .tflite files on TFLite Micro, as tflm_figures.json has them, each with its origin."""
    found: dict[str, dict[str, Any]] = {}
    for measured in tflm_figures.measurements():
        for name, figures in measured["networks"].items():
            if name not in known:
                continue
            point = found.setdefault(
                name,
                _point(
                    "tflm",
                    f"{name} on TFLite Micro",
                    short=f"{name}, TFLM",
                    top1=known[name]["top1"],
                    images=known[name]["images"],
                    source="",
                    date="",
                ),
            )
            firmware = figures.get("int8_firmware") or figures.get("firmware")
            if firmware:
                point |= {
                    "board": firmware["board"],
                    "flash": firmware["flash_bytes"],
                    "sram": firmware["sram_bytes"],
                }
            if cycles := figures.get("cycles", {}).get("m4_cmsis_nn"):
                point["milliseconds"] = round(cycles / _M4_HZ * 1e3, 1)
            point |= {
                "source": f"measured by us: {measured['origin']['tflm']}",
                "date": measured["origin"]["date"],
            }
            found[name] = point
    return list(found.values())


def _published() -> list[dict[str, Any]]:
    points = json_files.read(PUBLISHED, _File, "reinstall the project")["points"]
    return [
        _point(
            "published",
            p["name"],
            short=p["short"],
            top1=p["top1"],
            images=p.get("images"),
            flash=_bytes(p.get("flash_kib")),
            sram=_bytes(p.get("sram_kib")),
            milliseconds=p["milliseconds"],
            board=p["board"],
            source=p["source"],
            date=p["date"],
        )
        for p in points
    ]


def _bytes(kib: float | None) -> int | None:
    return None if kib is None else round(kib * 1024)


def pictures(data: dict[str, Any]) -> dict[str, Markup]:
    """A chart for each of the costs."""
    return {axis: scatter.chart(data, axis) for axis in data["axes"]}
