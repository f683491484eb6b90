"""Histograms: how often each weight occurs, and how much of int8's range each layer's activations use."""

from typing import Any

import numpy as np
from markupsafe import Markup

from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.host_tools.report.draw import Drawing, shortened
from squeezenet_mcu.host_tools.report.evidence import Evidence
from squeezenet_mcu.host_tools.report.images_run import Activations
from squeezenet_mcu.host_tools.report.numbers import count, percent, short, ticks

_BINS = 64  # of four values each
_MOST_LAYERS = 64  # that are drawn


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    return {
        "bins": _BINS,
        "weights": _weights(e),
        "images": len(e.run.pixels),
        "source": e.run.source,
        "random": e.run.random,
        "needs": e.needs("report", DATA="images"),
        "activations": [_activation(entry) for entry in e.run.activations],
    }


def _weights(e: Evidence) -> dict[str, Any] | None:
    if e.fit is None:
        return None
    kinds = (Kind.CONV_2D, Kind.DEPTHWISE, Kind.DENSE)
    counts = np.zeros(256, np.int64)
    for layer in e.fit.made.network.layers:
        if layer.kind in kinds and layer.weights is not None:
            counts += np.bincount(layer.weights.astype(np.int64).reshape(-1) + 128, minlength=256)
    zeros, total = int(counts[128]), int(counts.sum())
    counts[128] = 0
    binned = counts.reshape(_BINS, -1).sum(axis=1).tolist()
    return {
        "total": total,
        "zeros": zeros,
        "zero_share": round(zeros / max(total, 1), 4),
        "distinct": int((counts > 0).sum()) + (zeros > 0),
        "counts": binned,
        "ticks": ticks(max(binned, default=1)),
        "edges": [-128, -64, 0, 64, 127],
    }


def _activation(entry: Activations) -> dict[str, Any]:
    seen = np.flatnonzero(entry.counts)
    total = max(int(entry.counts.sum()), 1)
    binned = entry.counts.reshape(_BINS, -1).sum(axis=1)
    return {
        "layer": entry.layer,
        "scale": entry.scale,
        "zero_point": entry.zero_point,
        "lowest": int(seen[0]) - 128 if len(seen) else 0,
        "highest": int(seen[-1]) - 128 if len(seen) else 0,
        "levels": len(seen),
        "used": round(len(seen) / 256, 4),
        "at_zero": round(int(entry.counts[entry.zero_point + 128]) / total, 4),
        "at_top": round(int(entry.counts[255]) / total, 5),
        "shares": [round(float(share), 5) for share in binned / total],
    }


def pictures(data: dict[str, Any]) -> dict[str, Markup]:
    """Bars of the weights; a strip a layer of its activations."""
    found = {}
    if data["weights"]:
        found["weights"] = _bars(data["weights"])
    if data["activations"]:
        found["activations"] = _strips(data["activations"][:_MOST_LAYERS])
    return found


def _bars(weights: dict[str, Any]) -> Markup:
    left, wide, high = 50, 400, 190
    drawing = Drawing(
        470,
        240,
        f"How often each weight occurs, but for the {count(weights['zeros'])} zeros "
        f"({percent(weights['zero_share'])} of {count(weights['total'])}): they lie around zero.",
    )
    top = weights["ticks"][-1]
    for tick in weights["ticks"]:
        y = 12 + high - tick / top * high
        drawing.line(left, y, left + wide, y, "grid")
        drawing.text(left - 6, y + 4, short(tick), "axis", "end")
    across = wide / len(weights["counts"])
    for i, number in enumerate(weights["counts"]):
        height = number / top * high
        drawing.rect(left + i * across + 0.5, 12 + high - height, across - 1, height, "c1", count(number))
    for edge in weights["edges"]:
        drawing.text(left + (edge + 128) / 255 * wide, 12 + high + 18, short(edge), "axis", "middle")
    drawing.text(left + wide / 2, 12 + high + 36, "weight, as int8 (zeros left out)", "axis", "middle")
    return drawing.finish()


def _strips(activations: list[dict[str, Any]]) -> Markup:
    left, wide, row = 150, 260, 20
    drawing = Drawing(
        470,
        row * len(activations) + 40,
        "How activations use int8's range, a strip a layer; the table below has the same as numbers.",
    )
    for i, entry in enumerate(activations):
        y = row * i + 4
        drawing.text(left - 8, y + 13, shortened(entry["layer"], 22), "axis", "end")
        drawing.rect(left, y, wide, row - 4, "empty")
        across = wide / len(entry["shares"])
        # The zeros of a ReLU are many: the second bar gives the scale.
        most = sorted(entry["shares"])[-2] or max(entry["shares"])
        for j, share in enumerate(entry["shares"]):
            if share > 0:
                height = max(min(share / most, 1.0) ** 0.5 * (row - 4), 1.0)
                drawing.rect(left + j * across, y + row - 4 - height, across, height, "c1")
        drawing.text(left + wide + 8, y + 13, percent(entry["used"], 0), "axis")
    y = row * len(activations) + 20
    for edge, anchor, x in ((-128, "start", left), (127, "end", left + wide)):
        drawing.text(x, y, short(edge), "axis", anchor)
    drawing.text(left + wide + 8, y, "used", "axis")
    return drawing.finish()
