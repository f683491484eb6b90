"""What of two reports is compared, and by how much the second differs from the first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict, cast

from msgspec import Meta

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Count, Positive, Share
from squeezenet_mcu.common.paths import BUILD

_MOST_LAYERS = 1000
_Text = Annotated[str, Meta(max_length=4096)]
_Time = Annotated[float, Meta(ge=0, le=1e12)]


class _Accuracy(TypedDict):
    top1: Share
    images: Positive


class _Took(TypedDict):
    milliseconds: _Time
    cycles: Count
    counted: bool


class _Memory(TypedDict):
    name: _Text
    used: Count


class _Summary(TypedDict):
    macs: Count
    tflite_bytes: Count
    weights: Count | None
    accuracy: _Accuracy | None
    time: _Took | None
    memories: Annotated[list[_Memory], Meta(max_length=8)] | None


class _Arena(TypedDict):
    arena_bytes: Count | None
    tflm_arena_bytes: Count | None


class Layer(TypedDict):
    """A line of the table of layers."""

    layer: _Text
    macs: Count
    weights: Count
    zeros: Count | None
    stored_bytes: Count | None
    cost: Count | None


class _Sums(TypedDict):
    milliseconds: _Time | None
    cost: Count


class _Layers(TypedDict):
    unit: _Text | None
    sums: _Sums
    rows: Annotated[list[Layer], Meta(max_length=_MOST_LAYERS)]


class _Sections(TypedDict):
    summary: _Summary
    memory: _Arena
    layers: _Layers


class Compared(TypedDict):
    """What of a report.json is used here."""

    format: Annotated[int, Meta(ge=1, le=1)]
    model: _Text
    board: _Text
    sections: _Sections


LAYER_KEYS = ("macs", "weights", "zeros", "stored_bytes", "cost")


def place(given: str) -> Path:
    """Where the report of a model is: by its name, its folder build/<model>, its JSON or its page."""
    path = Path(given)
    if path.suffix == ".json":
        return path
    if path.suffix == ".html":
        return path.with_suffix(".json")
    folder = path if len(path.parts) > 1 else BUILD / given
    return folder / "report" / "report.json"


def read(given: str) -> dict[str, Any]:
    """The report of a model, see place. UserError: it is missing, or damaged."""
    path = place(given)
    fix = f"run: make report MODEL={path.parent.parent.name}"
    return cast(dict[str, Any], json_files.read(path, Compared, fix))


def figures(report: dict[str, Any]) -> dict[str, float | None]:
    """The whole network's, by what they are; None: the report does not know.

    What was counted and what is estimated stand apart: their difference is none of the networks'.
    """
    sections = report["sections"]
    summary, memory = sections["summary"], sections["memory"]
    layers = sections["layers"]
    rows, sums = layers["rows"], layers["sums"]
    accuracy, took = summary["accuracy"], summary["time"]
    counted = took if took and took["counted"] else None
    used = {entry["name"]: entry["used"] for entry in summary["memories"] or []}
    return {
        "top-1 accuracy": accuracy["top1"] if accuracy else None,
        "of so many test images": accuracy["images"] if accuracy else None,
        "milliseconds an image, counted": counted["milliseconds"] if counted else None,
        "cycles an image, counted": counted["cycles"] if counted else None,
        "milliseconds an image, estimated": sums["milliseconds"],
        "cycles an image, estimated": sums["cost"] if layers["unit"] == "cycles" else None,
        "flash, B": used.get("flash"),
        "SRAM, B": used.get("SRAM"),
        "arena, B": memory["arena_bytes"],
        "TFLite Micro's arena, B": memory["tflm_arena_bytes"],
        ".tflite, B": summary["tflite_bytes"],
        "MACs": summary["macs"],
        "weights": summary["weights"],
        "zeros among them": sum(row["zeros"] or 0 for row in rows),
        "stored weights, B": sum(row["stored_bytes"] or 0 for row in rows),
    }


def compare(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Both, and B less A. UserError: they are of different boards, whose figures say nothing together."""
    if a["board"] != b["board"]:
        raise UserError(
            f"{a['model']} was reported for {a['board']}, {b['model']} for {b['board']}; "
            "want the same board: "
            f"run: make report MODEL={b['model']} BOARD={a['board']}"
        )
    mine, others = figures(a), figures(b)
    return {
        "board": a["board"],
        "models": [a["model"], b["model"]],
        "units": [a["sections"]["layers"]["unit"], b["sections"]["layers"]["unit"]],
        "figures": [
            {"what": what, "a": value, "b": others[what], "difference": less(value, others[what])}
            for what, value in mine.items()
        ],
        "layers": list(_layers(a["sections"]["layers"]["rows"], b["sections"]["layers"]["rows"])),
    }


def less(a: float | None, b: float | None) -> float | None:
    """B less A; None where one of them is not known."""
    return None if a is None or b is None else round(b - a, 6)


def _layers(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The layers that differ, in A's order, and behind them those that only B has."""
    of_a, of_b = ({row["layer"]: row for row in rows} for rows in (a, b))
    for name in [*of_a, *(name for name in of_b if name not in of_a)]:
        one, other = of_a.get(name), of_b.get(name)
        both = {key: [one and one[key], other and other[key]] for key in LAYER_KEYS}
        if any(x != y for x, y in both.values()):
            yield {"layer": name, "in": [one is not None, other is not None], **both}
