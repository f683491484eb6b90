"""A network layer by layer: shapes, multiplications, weights, and what the engine makes of them."""

from math import prod
from typing import Any

import numpy as np

from squeezenet_mcu.convert.lowering.names import layer_name
from squeezenet_mcu.convert.lowering.tflite_file import OperatorError, TfliteFile
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.convert.outputs import report, tflm_arena
from squeezenet_mcu.host_tools.analyze.fit import Fit
from squeezenet_mcu.host_tools.analyze.subject import Subject

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def _of_weights(weights: np.ndarray | None) -> dict[str, Any]:
    """How many there are, share and number of zeros, how many values, bytes as the .tflite has them."""
    if weights is None or not weights.size:
        return {"weights": 0, "zeros": None, "zero_weights": None, "distinct": None, "dense_bytes": 0}
    zeros = int(weights.size - np.count_nonzero(weights))
    return {
        "weights": int(weights.size),
        "zeros": round(zeros / weights.size, 4),
        "zero_weights": zeros,
        "distinct": len(np.unique(weights)),
        "dense_bytes": int(weights.nbytes),
    }


def on_board(fit: Fit) -> list[dict[str, Any]]:
    """Of a network that the engine takes: the input, and each layer in the order in which they run.

    The input's cost is that of copying its rows, and of the schedule between all layers.
    """
    network, found = fit.made.network, fit.estimate
    plan = report.plan_rows(network)
    rows = []
    for number, planned in enumerate(plan):
        layer = network.layers[number - 1] if number else None
        cost = found.layers[number - 1] if number else found.schedule
        own = layer.weights if layer and layer.kind in (Kind.CONV_2D, Kind.DEPTHWISE, Kind.DENSE) else None
        rows.append(
            {
                "layer": planned["layer"],
                "operator": planned["kind"],
                "output": planned["output"],
                "macs": planned["macs"],
                **_of_weights(own),
                "stored_bytes": planned["weights_bytes"],
                "encoding": planned.get("encoding"),
                "kernel": planned.get("kernel"),
                "rows_at_once": planned.get("batch_rows"),
                "ring_bytes": planned["arena_bytes"],
                found.unit: round(cost),
                "share": round(cost / found.total, 4) if found.total else None,
            }
        )
    return rows


def of_file(subject: Subject) -> list[dict[str, Any]]:
    """Of a network that the engine does not take: its operators, as the .tflite has them."""
    file = subject.file
    refused = {problem.op.index for problem in subject.problems if isinstance(problem, OperatorError)}
    rows = []
    for op in file.ops:
        if not op.outputs:
            continue
        out = file.tensors[op.outputs[0]]
        weights = _weights(file, op.inputs) if op.name in _WEIGHTED else None
        rows.append(
            {
                "layer": layer_name(file, op) if weights is not None else f"{op.name.lower()}_{op.index}",
                "operator": op.name,
                "supported": op.index not in refused,
                "output": list(out.shape[1:]) if len(out.shape) > 1 else list(out.shape),
                "macs": tflm_arena.macs(file, op) if weights is not None else 0,
                **_of_weights(weights),
                "output_bytes": prod(out.shape) if out.type_name == "INT8" else None,
            }
        )
    return rows


def _weights(file: TfliteFile, inputs: tuple[int, ...]) -> np.ndarray | None:
    return file.tensors[inputs[1]].data if len(inputs) > 1 and inputs[1] >= 0 else None
