"""Flash map: code, and of the engine's model each layer's weights."""

from typing import Any

from markupsafe import Markup

from squeezenet_mcu.convert.outputs import report
from squeezenet_mcu.host_tools.report.draw import Drawing
from squeezenet_mcu.host_tools.report.evidence import Evidence
from squeezenet_mcu.host_tools.report.numbers import count, percent


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    if e.fit is None:
        return {"total": None, "needs": "our engine does not take this network"}
    fit = e.fit
    rows = [row for row in report.plan_rows(fit.made.network) if row["weights_bytes"]]
    model, stored = len(fit.made.content), sum(row["weights_bytes"] for row in rows)
    parts = [
        {"name": "engine's code", "kind": "code", "bytes": fit.code.engine_code},
        {"name": "rest of the program", "kind": "code", "bytes": fit.code.other_flash},
        {"name": "plan and codes of the model", "kind": "plan", "bytes": model - stored},
        *({"name": row["layer"], "kind": "weights", "bytes": row["weights_bytes"]} for row in rows),
        {"name": "free", "kind": "free", "bytes": max(fit.flash_total - fit.flash_used, 0)},
    ]
    for part in parts:
        part["share"] = round(part["bytes"] / fit.flash_total, 5)
    return {
        "board": e.board.name,
        "total": fit.flash_total,
        "used": fit.flash_used,
        "missing": fit.missing.get("flash", 0),
        "engine_model": model,
        "weights": stored,
        "exact": fit.code.exact,
        "compiler": fit.code.compiler,
        "parts": parts,
        "measured": e.validated["flash_bytes"]
        if e.validated and e.validated["board"] == e.board.name
        else None,
    }


_WIDE = 460  # of the picture
_CLASSES = {"code": "c4", "plan": "c2", "weights": "c1", "free": "empty"}


def pictures(data: dict[str, Any]) -> dict[str, Markup]:
    """Two bars: the whole flash, and what of it is used."""
    if data["total"] is None:
        return {}
    used = [part for part in data["parts"] if part["kind"] != "free"]
    drawing = Drawing(
        _WIDE,
        166,
        f"Flash: {count(data['used'])} of {count(data['total'])} bytes, "
        f"of it the engine's model {count(data['engine_model'])}.",
    )
    drawing.text(0, 14, "all of the flash", "strong")
    drawing.text(_WIDE, 14, f"{count(data['used'])} of {count(data['total'])} B", anchor="end")
    _bar(drawing, 20, data["parts"], max(data["total"], data["used"]))
    drawing.text(0, 72, "what is used", "strong")
    _bar(drawing, 78, used, data["used"])
    names = ("program", "c4"), ("plan and codes", "c2"), ("weights, layer by layer", "c1"), ("free", "empty")
    for i, (name, cls) in enumerate(names):
        x, y = _WIDE / 2 * (i // 2), 122 + 22 * (i % 2)
        drawing.rect(x, y, 12, 12, f"block {cls}")
        drawing.text(x + 18, y + 11, name)
    return {"map": drawing.finish()}


def _bar(drawing: Drawing, y: float, parts: list[dict[str, Any]], whole: int) -> None:
    x = 0.0
    for part in parts:
        width = _WIDE * part["bytes"] / whole
        tip = f"{part['name']}: {count(part['bytes'])} B, {percent(part['share'], 2)} of the flash"
        drawing.rect(x, y, width, 26, f"block {_CLASSES[part['kind']]}", tip)
        x += width
