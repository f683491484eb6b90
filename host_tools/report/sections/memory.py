"""Memory map: what holds the arena while an image passes, its fullest moment, TFLite Micro's arena."""

from typing import Any

import numpy as np
from markupsafe import Markup

from squeezenet_mcu.host_tools.report.draw import Drawing, shortened
from squeezenet_mcu.host_tools.report.evidence import Evidence
from squeezenet_mcu.host_tools.report.numbers import count, short, ticks

_COLUMNS = 240  # of the picture: more steps than these share a column
_KINDS = {"rows": "c1", "accumulators": "c2", "scratch": "c3", "counters": "c4"}
_LEFT, _TOP, _WIDE, _HIGH = 58.0, 28.0, 582.0, 300.0


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    tflm = {
        "tflm_arena_bytes": e.manifest["tflm_arena_bytes"],
        "tflm_problem": e.manifest.get("tflm_problem"),
    }
    if e.fit is None:
        return {"arena_bytes": None, "needs": "our engine does not take this network"} | tflm
    plan = e.fit.made.plan
    live = np.array([block.live for block, _ in plan.blocks])
    sizes = np.array([block.size for block, _ in plan.blocks], np.int64)
    total = (live * sizes[:, None]).sum(axis=0)
    steps = live.shape[1]
    peak = int(total.argmax())
    writers = {layer.output: layer.name for layer in reversed(e.fit.made.network.layers)}
    blocks: list[dict[str, Any]] = []
    for (block, offset), alive in zip(plan.blocks, live, strict=True):
        own = writers.get(block.buffer, "input") if block.buffer is not None else block.name
        blocks.append(
            {
                "name": own,
                "kind": _kind(block.name, block.buffer),
                "offset": int(offset),
                "bytes": block.size,
                "at_peak": bool(alive[peak]),
                "spans": _spans(alive),
            }
        )
    state = plan.arena_bytes - plan.state_offset
    return {
        "board": e.board.name,
        "arena_bytes": plan.arena_bytes,
        "state_bytes": state,
        "state_offset": plan.state_offset,
        "lower_bound": plan.lower_bound,
        "any_cpu_arena_bytes": e.manifest["engine_sram_bytes"],
        "steps": steps,
        "columns": min(steps, _COLUMNS),
        "peak_step": peak,
        "peak_bytes": int(total[peak]) + state,
        "peak": [
            {"name": b["name"], "kind": b["kind"], "bytes": b["bytes"]}
            for b in sorted(blocks, key=lambda b: -b["bytes"])
            if b["at_peak"]
        ]
        + [{"name": "the schedule", "kind": "counters", "bytes": state}],
        "blocks": blocks,
        "ticks": [tick for tick in ticks(plan.arena_bytes) if tick <= plan.arena_bytes],
    } | tflm


def _kind(name: str, buffer: int | None) -> str:
    if buffer is not None:
        return "rows"
    return "accumulators" if name.endswith("accumulators") else "scratch"


def _spans(alive: np.ndarray) -> list[list[int]]:
    """First and last column of each stretch in which the block is in use at some step."""
    columns = min(len(alive), _COLUMNS)
    seen = np.zeros(columns + 2, np.int8)
    seen[1 + np.flatnonzero(alive) * columns // len(alive)] = 1
    change = np.diff(seen)
    return [
        [int(first), int(last) - 1]
        for first, last in zip(np.flatnonzero(change == 1), np.flatnonzero(change == -1), strict=True)
    ]


def pictures(data: dict[str, Any]) -> dict[str, Markup]:
    """The map, and our arena beside TFLite Micro's."""
    if data["arena_bytes"] is None:
        return {}
    return {"map": _map(data), "arenas": _arenas(data)}


def _map(data: dict[str, Any]) -> Markup:
    top, columns = data["arena_bytes"], data["columns"]
    fullest = ", ".join(f"{part['name']} {count(part['bytes'])} B" for part in data["peak"][:4])
    drawing = Drawing(
        660,
        388,
        f"Which bytes of the arena are in use while an image passes. The fullest moment is step "
        f"{count(data['peak_step'])} of {count(data['steps'])}: {fullest}.",
    )

    def y_of(byte: float) -> float:
        return _TOP + _HIGH - byte / float(top) * _HIGH

    for tick in data["ticks"]:
        drawing.line(_LEFT, y_of(tick), _LEFT + _WIDE, y_of(tick), "grid")
        drawing.text(_LEFT - 6, y_of(tick) + 4, short(tick), "axis", "end")
    across = _WIDE / columns
    for block in data["blocks"]:
        tip = f"{block['name']}: {count(block['bytes'])} B at {count(block['offset'])}"
        for first, last in block["spans"]:
            drawing.rect(
                _LEFT + first * across,
                y_of(block["offset"] + block["bytes"]),
                (last - first + 1) * across,
                block["bytes"] / top * _HIGH,
                f"block {_KINDS[block['kind']]}",
                tip,
            )
    drawing.rect(
        _LEFT,
        y_of(data["arena_bytes"]),
        _WIDE,
        data["state_bytes"] / top * _HIGH,
        "block c4",
        f"counters: {count(data['state_bytes'])} B",
    )
    x = _LEFT + (data["peak_step"] * columns // data["steps"] + 0.5) * across
    drawing.line(x, _TOP - 8, x, _TOP + _HIGH, "peak")
    left = x > _LEFT + _WIDE / 2
    drawing.text(
        x + (-6 if left else 6),
        14,
        f"fullest: step {count(data['peak_step'])}",
        "strong halo",
        "end" if left else "start",
    )
    for block in data["blocks"]:
        if block["at_peak"] and block["bytes"] / top * _HIGH >= 14:
            drawing.text(
                x + (-6 if left else 6),
                y_of(block["offset"] + block["bytes"] / 2) + 4,
                shortened(block["name"], 30),
                "halo",
                "end" if left else "start",
            )
    drawing.text(_LEFT, 348, "first row of the image", "axis")
    drawing.text(_LEFT + _WIDE, 348, "its answer", "axis", "end")
    for i, (kind, cls) in enumerate(_KINDS.items()):
        drawing.rect(_LEFT + 140 * i, 366, 12, 12, f"block {cls}")
        drawing.text(_LEFT + 140 * i + 18, 377, kind)
    return drawing.finish()


def _arenas(data: dict[str, Any]) -> Markup:
    bars = [("our engine", data["arena_bytes"], "c1"), ("TFLite Micro", data["tflm_arena_bytes"], "c2")]
    known = [(name, size, cls) for name, size, cls in bars if size is not None]
    most = max(size for _, size, _ in known)
    drawing = Drawing(
        400, 46 * len(known), "; ".join(f"arena of {name}: {count(size)} bytes" for name, size, _ in known)
    )
    for i, (name, size, cls) in enumerate(known):
        drawing.text(0, 46 * i + 14, name, "strong")
        drawing.text(400, 46 * i + 14, f"{count(size)} B", anchor="end")
        drawing.rect(0, 46 * i + 20, max(400 * size / most, 2), 14, cls)
    return drawing.finish()
