"""Summary: the figures that one asks for first, how full the board is, and some images with their answers."""

from typing import Any

from markupsafe import Markup

from squeezenet_mcu.common import statistics
from squeezenet_mcu.host_tools.report.draw import Drawing
from squeezenet_mcu.host_tools.report.evidence import Evidence
from squeezenet_mcu.host_tools.report.numbers import count

_PICTURES = 10
_WIDE = 400  # of the picture


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    manifest, fit = e.manifest, e.fit
    size = manifest["input"]
    return {
        "input": [size["height"], size["width"], size["channels"]],
        "classes": manifest["output"]["classes"],
        "macs": manifest["macs"],
        "tflite_bytes": manifest["tflite_bytes"],
        "weights": None
        if fit is None
        else sum(layer.weights.size for layer in fit.made.network.layers if layer.weights is not None),
        "accuracy": _accuracy(manifest["accuracy"]),
        "board": e.board.title,
        "cpu": e.board.cpu,
        "memories": None
        if fit is None
        else [
            {
                "name": "flash",
                "used": fit.flash_used,
                "total": fit.flash_total,
                "fits": fit.flash_used <= fit.flash_total,
            },
            {
                "name": "SRAM",
                "used": fit.sram_used,
                "total": fit.sram_total,
                "fits": "sram" not in {k.lower() for k in fit.missing},
            },
        ],
        "refused": [str(problem) for problem in e.subject.problems[:3]],
        "time": _time(e),
        "exact": None
        if e.validated is None
        else {key: e.validated[key] for key in ("board", "images", "compared_values", "differing_values")},
        "exact_needs": e.needs(
            "validate", BOARD=e.board.name, JSON=str(e.artefacts.folder / "validated.json")
        ),
        "images_source": e.run.source,
        "images": [] if e.run.random else _images(e),
    }


def _accuracy(known: dict[str, Any] | None) -> dict[str, Any] | None:
    if not known:
        return None
    low, high = statistics.interval(known["int8_top1"], known["test_images"])
    return {
        "top1": known["int8_top1"],
        "images": known["test_images"],
        "low": low,
        "high": high,
        "confidence": statistics.CONFIDENCE,
    }


def _time(e: Evidence) -> dict[str, Any] | None:
    """Milliseconds of an image: counted in the emulator by validate, or else estimated."""
    cost = e.validated and e.validated["board"] == e.board.name and e.validated.get("cost")
    if cost and cost["milliseconds"] is not None:
        return {
            "milliseconds": cost["milliseconds"],
            "with_flash": cost["milliseconds_with_flash"],
            "cycles": cost["cycles"],
            "how": "counted in the emulator",
            "counted": True,
        }
    if e.fit is None or e.fit.milliseconds is None:
        return None
    return {
        "milliseconds": round(e.fit.milliseconds, 3),
        "with_flash": None,
        # Of whole cycles, as the table of layers sums them.
        "cycles": sum(map(round, (e.fit.estimate.schedule, *e.fit.estimate.layers))),
        "how": "estimated, nothing was run",
        "counted": False,
    }


def _images(e: Evidence) -> list[dict[str, Any]]:
    """The first image of each class that is taken for the right one; the first ones where none is."""
    run, labels = e.run, e.labels
    chosen: dict[int, int] = {}
    for number, (label, taken) in enumerate(zip(run.labels.tolist(), run.taken.tolist(), strict=True)):
        key = label if label >= 0 else number
        if key not in chosen and label in (-1, taken):
            chosen[key] = number
    chosen = chosen or {number: number for number in range(min(len(run.labels), _PICTURES))}
    found = [
        {
            "taken": labels[int(run.taken[number])],
            "probability": round(float(run.sure[number]), 4),
            "label": labels[int(run.labels[number])] if run.labels[number] >= 0 else None,
            "png": run.picture(number),
        }
        for _, number in sorted(chosen.items())[:_PICTURES]
    ]
    return [entry for entry in found if entry["png"]]


def pictures(data: dict[str, Any]) -> dict[str, Markup]:
    """How full the board's memories are."""
    memories = data["memories"] or []
    drawing = Drawing(
        _WIDE,
        46 * len(memories),
        "; ".join(f"{m['name']}: {count(m['used'])} of {count(m['total'])} bytes" for m in memories),
    )
    for i, memory in enumerate(memories):
        y = 46 * i
        share = min(memory["used"] / max(memory["total"], 1), 1.0)
        drawing.text(0, y + 14, memory["name"], "strong")
        drawing.text(_WIDE, y + 14, f"{count(memory['used'])} of {count(memory['total'])} B", anchor="end")
        drawing.rect(0, y + 20, _WIDE, 14, "empty")
        drawing.rect(0, y + 20, max(_WIDE * share, 2), 14, "c1" if memory["fits"] else "bad")
    return {"memories": drawing.finish()} if memories else {}
