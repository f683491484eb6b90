"""Which classes are taken for which: float, int8 and device, as far as anybody has counted."""

from typing import Any

import numpy as np
from markupsafe import Markup

from squeezenet_mcu.common import statistics
from squeezenet_mcu.host_tools.report.draw import Drawing, shortened
from squeezenet_mcu.host_tools.report.evidence import VALIDATED, Evidence
from squeezenet_mcu.host_tools.report.numbers import count
from squeezenet_mcu.model.card import confusion

_MOST_CLASSES = 50  # that are drawn; of more, those of the most mistakes
_MOST_COUNTS = 200  # classes of a table that the JSON holds


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    table, origin = _int8(e)
    seen = e.validated
    return {
        "labels": e.labels[:_MOST_COUNTS],
        "int8": _of(table, e.labels) if table else None,
        "int8_origin": origin,
        "int8_needs": e.needs("report", DATA="images"),
        "float": None,
        "device": None
        if seen is None
        else {
            "board": seen["board"],
            "images": seen["images"],
            "differing_images": seen["differing_images"],
            "same": seen["images"] > 0 and seen["differing_images"] == 0,
        },
        "device_needs": e.needs("validate", BOARD=e.board.name, JSON=str(e.artefacts.folder / VALIDATED)),
    }


def _int8(e: Evidence) -> tuple[list[list[int]] | None, str]:
    classes = len(e.labels)
    if classes > _MOST_COUNTS:
        return None, ""
    for record, origin in (
        (e.stages.get("quantize", {}), "this machine's training, all test images"),
        (e.metrics, "the model's card, all test images"),
    ):
        table = record.get("confusion")
        if table and len(table) == classes and all(len(row) == classes for row in table):
            return table, origin
    known = np.flatnonzero(e.run.labelled)
    if not len(known):
        return None, ""
    return statistics.confusion(e.run.labels[known], e.run.taken[known], classes), "LiteRT, for this report"


def _of(table: list[list[int]], labels: list[str]) -> dict[str, Any]:
    images = sum(map(sum, table))
    right = sum(row[i] for i, row in enumerate(table))
    return {
        "table": table,
        "images": images,
        "mistakes": images - right,
        "accuracy": round(right / max(images, 1), 5),
        "worst": [
            {"label": labels[m.label], "taken": labels[m.taken], "images": m.images, "of": m.of}
            for m in confusion.worst(table, 10)
        ],
        "classes": [
            {
                "label": labels[i],
                "right": row[i],
                "of": sum(row),
                "share": round(row[i] / sum(row), 4) if sum(row) else None,
            }
            for i, row in enumerate(table)
        ],
    }


def pictures(data: dict[str, Any]) -> dict[str, Markup]:
    """The int8 network's table as a map of squares."""
    if not data["int8"]:
        return {}
    table, labels = data["int8"]["table"], data["labels"]
    chosen = list(range(len(table)))
    if len(chosen) > _MOST_CLASSES:
        wrong = [sum(row) - row[i] + sum(r[i] for r in table) - row[i] for i, row in enumerate(table)]
        chosen = sorted(sorted(chosen, key=lambda i: -wrong[i])[:_MOST_CLASSES])
    cell = min(42.0, 520 / len(chosen))
    left, side = 130.0, cell * len(chosen)
    drawing = Drawing(
        left + side + 10,
        side + 54,
        "Confusion of the int8 network; the table beside it has its worst mistakes.",
    )
    few = cell >= 20
    for i, row in enumerate(chosen):
        name = shortened(labels[row], 18)
        if few or len(chosen) <= _MOST_CLASSES:
            drawing.text(
                left - 6, i * cell + cell / 2 + 4, name, "axis" if cell >= 14 else "axis tiny", "end"
            )
        most = max(sum(table[row]), 1)
        for j, column in enumerate(chosen):
            number = table[row][column]
            kind = "c3" if row == column else "bad"
            tip = f"{labels[row]} taken for {labels[column]}: {count(number)}" if number else ""
            drawing.rect(left + j * cell, i * cell, cell - 1, cell - 1, "empty")
            if number:
                part = (cell - 1) * max((number / most) ** 0.5, 0.5)
                drawing.rect(
                    left + j * cell + (cell - 1 - part) / 2,
                    i * cell + (cell - 1 - part) / 2,
                    part,
                    part,
                    f"soft {kind}",
                    tip,
                )
            if number and few:
                drawing.text(
                    left + j * cell + cell / 2, i * cell + cell / 2 + 4, count(number), "cell", "middle"
                )
    if few:
        for j, column in enumerate(chosen):
            drawing.text(
                left + j * cell + cell / 2,
                side + 18,
                shortened(labels[column], max(int(cell / 8), 2)),
                "axis",
                "middle",
            )
    drawing.text(left + side / 2, side + 40, "taken for", "axis", "middle")
    drawing.text(left - 6, side + 18, "class", "axis", "end")
    return {"int8": drawing.finish()}
