"""Table of layers: shape, multiplications, zeros, different weights, bytes, cycles, milliseconds."""

from typing import Any

from squeezenet_mcu.host_tools.analyze import layers
from squeezenet_mcu.host_tools.report.evidence import Evidence


def gather(e: Evidence) -> dict[str, Any]:
    """See sections. `cost` and `milliseconds` are estimated; `counted`: by the device itself."""
    counted = _counted(e)
    if e.fit is None:
        rows = [_row(row, None, None, counted) for row in layers.of_file(e.subject)]
        unit = None
    else:
        unit = e.fit.estimate.unit
        rows = [
            _row(row, row[unit], e.board.milliseconds(row[unit]) if unit == "cycles" else None, counted)
            for row in layers.on_board(e.fit)
        ]
    return {
        "board": e.board.name,
        "unit": unit,
        "cycles_of": e.fit.cycles_of if e.fit else None,
        "rows": rows,
        "sums": {
            key: sum(row[key] or 0 for row in rows)
            for key in ("macs", "weights", "zeros", "stored_bytes", "ring_bytes", "cost")
        }
        | {"milliseconds": _sum(rows, "milliseconds"), "counted": _sum(rows, "counted")},
        "counter": e.profile["counter"] if e.profile else None,
        "counted_on": e.profile["board"] if e.profile else None,
        "profile_needs": e.needs("profile", BOARD=e.board.name),
    }


def _sum(rows: list[dict[str, Any]], key: str) -> Any:
    known = [row[key] for row in rows if row[key] is not None]
    return round(sum(known), 3) if known else None


def _counted(e: Evidence) -> dict[str, int]:
    return {row["layer"]: row["count"] for row in e.profile["layers"]} if e.profile else {}


def _row(
    row: dict[str, Any], cost: int | None, milliseconds: float | None, counted: dict[str, int]
) -> dict[str, Any]:
    return {
        "layer": row["layer"],
        "operator": row["operator"],
        "kernel": row.get("kernel"),
        "encoding": row.get("encoding"),
        "output": row["output"],
        "macs": row["macs"],
        "weights": row["weights"],
        "zeros": row["zero_weights"],
        "zero_share": row["zeros"],
        "distinct": row["distinct"],
        "stored_bytes": row.get("stored_bytes"),
        "ring_bytes": row.get("ring_bytes"),
        "cost": cost,
        "milliseconds": None if milliseconds is None else round(milliseconds, 4),
        "counted": counted.get(row["layer"]),
    }
