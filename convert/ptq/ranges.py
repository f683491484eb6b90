"""The range of real values that an activation's 256 steps cover, from what the float network shows."""

from collections.abc import Iterable, Mapping

import numpy as np

from squeezenet_mcu.convert.ptq.graph import Graph
from squeezenet_mcu.convert.ptq.rewrite import Quantization
from squeezenet_mcu.convert.ptq.simulate import FloatRun

_BINS = 8192
_SAMPLE = 1 << 21  # values of a tensor that are looked at
_SHARES = np.linspace(1.0, 0.2, 41)  # of the extremes, which are tried
_STEPS = 255
_MIN_SCALE = 1e-6  # of a tensor that is 0 throughout
_QUANTIZED_ANEW = ("CONV_2D", "ADD", "MEAN")  # the others hand on what they read


def best(values: Iterable[np.ndarray]) -> Quantization:
    """The quantization with the least squared error on samples of one activation, float32 of any shape.

    Extremes are so rare that clipping them costs less than wide steps: on ImageNet, the range comes out at
    0.64 to 0.94 of the largest value, and the logits' squared error at half.
    """
    parts = [part.reshape(-1) for part in values]
    low = min(0.0, *(float(part.min()) for part in parts))
    high = max(0.0, *(float(part.max()) for part in parts))
    if high - low < _MIN_SCALE:
        return Quantization(np.float32(_MIN_SCALE), -128)
    counts = np.zeros(_BINS)
    for part in parts:
        # Zeros are exact at any scale.
        counts += np.histogram(part[part != 0], _BINS, (low, high))[0]
    centres = low + (np.arange(_BINS) + 0.5) * ((high - low) / _BINS)

    def attempt(share: float) -> tuple[float, Quantization]:
        scale = np.float32((high - low) * share / _STEPS)
        zero_point = int(np.round(-128 - low * share / scale))
        steps = np.clip(np.round(centres / scale) + zero_point, -128, 127)
        error = (steps - zero_point) * scale - centres
        return float(counts @ (error * error)), Quantization(scale, zero_point)

    return min((attempt(share) for share in _SHARES), key=lambda found: found[0])[1]


def samples(graph: Graph, images: np.ndarray) -> dict[int, np.ndarray]:
    """Values of every tensor that is quantized anew, by tensor: float32 [rows, channels], from all images."""
    run = FloatRun(graph, images)
    found = {}
    for op in graph.file.ops:
        if op.name == "SOFTMAX":
            continue
        values = run.step(op)
        run.release(op)
        if op.name in _QUANTIZED_ANEW:
            rows = values.reshape(-1, values.shape[-1])
            found[op.outputs[0]] = rows[:: max(1, values.size // _SAMPLE)].copy()
    return found


def choose(
    graph: Graph, values: Mapping[int, np.ndarray], factors: Mapping[int, np.ndarray]
) -> dict[int, Quantization]:
    """The quantization of every group of activations (Graph.group) but the input's; softmax's excepted.

    values: from `samples`; factors: what each of them is multiplied by, [channels].
    """
    members: dict[int, list[np.ndarray]] = {}
    for tensor, rows in values.items():
        members.setdefault(graph.group[tensor], []).append(rows * factors[tensor].astype(np.float32))
    return {group: best(parts) for group, parts in members.items()}
