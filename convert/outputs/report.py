"""The memory plan as data for the manifest, and as a table for the terminal."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.encode.weights import stored_bytes
from squeezenet_mcu.convert.network import Kind, Network
from squeezenet_mcu.convert.schedule.arena import Plan


def entropy_bytes(weights: np.ndarray | None) -> int:
    """Shannon's bound for int8 weights coded one by one, by how often each value occurs (zeros, too)."""
    if weights is None:
        return 0
    counts = np.unique(weights, return_counts=True)[1]
    shares = counts / weights.size
    found: int = math.ceil(-(counts * np.log2(shares)).sum() / 8)
    return found


def print_sizes(console: Console, made: dict[str, Any], imported: Path | None) -> None:
    """What an engine's model (its engine.json) takes, layer by layer, beside the weights' entropy.

    imported: the file that the weights came from.
    """
    table = Table(
        title="engine model", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column("layer", no_wrap=True)
    for name in ("kernel", "rows", "stored", "weights", "entropy", "bytes"):
        table.add_column(name, justify="right", no_wrap=True)
    rows = [r for r in made["plan"] if r["weights_bytes"]]
    for r in rows:
        table.add_row(
            r["layer"], r["kernel"], str(r["batch_rows"]), r["encoding"], f"{r['weights']:,}",
            f"{r['entropy_bytes']:,}", f"{r['weights_bytes']:,}",
        )  # fmt: skip
    stored, total = sum(r["weights_bytes"] for r in rows), made["engine_model_bytes"]
    table.add_section()
    table.add_row(
        "all", "", "", "", f"{sum(r['weights'] for r in rows):,}",
        f"{sum(r['entropy_bytes'] for r in rows):,}", f"{stored:,}",
    )  # fmt: skip
    table.add_row("plan and codes", "", "", "", "", "", f"{total - stored:,}")
    table.add_row("engine model", "", "", "", "", "", f"{total:,}")
    console.print(table)
    console.print(
        "rows: made at once; entropy: bytes, of int8 weights one by one; bytes: stored, parameters too",
        soft_wrap=True,
    )
    if imported is not None and imported.is_file():
        size = imported.stat().st_size
        console.print(
            f"{imported.name}, which they came from: {size:,} B, {size / total:.2f} times as much",
            soft_wrap=True,
        )


def plan_rows(network: Network) -> list[dict[str, Any]]:
    """One entry a layer, the input first: where its rows and accumulators live, and what its weights take.

    arena_bytes is the ring of the layer's output plus its accumulators; a fire module's two expands share a
    ring, which counts at the first. Rings that are never live at once share memory: offsets tell.
    """

    def row(name: str, kind: str, buffer: int, **more: int) -> dict[str, Any]:
        b = network.buffers[buffer]
        return {
            "layer": name, "kind": kind, "output": [b.height, b.width, b.channels],
            "arena_offset": b.offset, "arena_bytes": b.ring_rows * b.row_bytes, "ring_rows": b.ring_rows,
            "macs": 0, "weights_bytes": 0, "entropy_bytes": 0, **more,
        }  # fmt: skip

    rows = [row("input", "INPUT", network.input_buffer)]
    seen: set[int] = set()
    for layer in network.layers:
        entry = row(
            layer.name, layer.kind.name, layer.output, macs=layer.macs,
            weights_bytes=stored_bytes(layer), entropy_bytes=entropy_bytes(layer.weights),
        )  # fmt: skip
        if entry["weights_bytes"]:
            multiplies = layer.kind is Kind.CONV_2D
            values = layer.constant if layer.weights is None else layer.weights
            entry |= {
                "kernel": (layer.conv_kernel if multiplies else layer.kind).name.lower(),
                "weights": 0 if values is None else values.size,
                "encoding": layer.encoding.name.lower(),
                "batch_rows": layer.batch_rows,
                "scratch_bytes": layer.scratch_bytes,
            }
        entry["output"][2] = layer.out_channels
        if layer.output in seen:
            entry["arena_bytes"] = 0
        seen.add(layer.output)
        if layer.kind is not Kind.CONV_2D:
            entry["arena_bytes"] += layer.scratch_bytes
        rows.append(entry)
    return rows


def peak_rows(network: Network, plan: Plan) -> list[dict[str, Any]]:
    """What holds the arena at its fullest moment, the largest first: layer and bytes."""
    writers = {network.input_buffer: "input"}
    for layer in network.layers:
        writers.setdefault(layer.output, layer.name)
    return [
        {
            "layer": writers[b.buffer] if b.buffer is not None else b.name,
            "bytes": b.size,
        }
        for b in plan.at_peak()
    ]


def print_plan(console: Console, rows: list[dict[str, Any]], plan: Plan) -> None:
    """The plan as a table."""
    table = Table(
        title="memory plan", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False
    )
    table.add_column("layer", no_wrap=True)
    for name in ("output", "MACs", "flash B", "rows", "SRAM B", "at"):
        table.add_column(name, justify="right", no_wrap=True)
    for r in rows:
        shared = r["arena_bytes"] == 0
        table.add_row(
            r["layer"],
            "x".join(map(str, r["output"])),
            f"{r['macs']:,}" if r["macs"] else "",
            f"{r['weights_bytes']:,}" if r["weights_bytes"] else "",
            "" if shared else str(r["ring_rows"]),
            "shared" if shared else f"{r['arena_bytes']:,}",
            "" if shared else f"{r['arena_offset']:,}",
        )
    console.print(table)
    state = plan.arena_bytes - plan.state_offset
    console.print(
        f"arena {plan.arena_bytes:,} B: {plan.state_offset:,} B of rows and accumulators at their fullest "
        f"moment (no plan can need less than {plan.lower_bound - state:,} B), {state:,} B of counters",
        soft_wrap=True,
    )
