"""The steps of post-training quantization, layer after layer."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from convert.ptq import graph as graphs
from convert.ptq import weights as weight
from convert.ptq.graph import Graph
from convert.ptq.rewrite import Integers, Quantization, rewrite
from convert.ptq.simulate import FloatRun
from model.errors import UserError

INPUT = Quantization(np.float32(1), -128)
BITS = range(4, 9)
_PROBABILITY = Quantization(np.float32(1 / 256), -128)


def quantize(
    model: Any,
    images: np.ndarray,
    weight_bits: Mapping[str, int],
    progress: Callable[[str], None] | None = None,
) -> bytes:
    """Quantizes a float Keras network, after training, to an int8 .tflite.

    Args:
        model: float32 [n, height, width, channels], pixels 0 to 255, to probabilities [n, classes].
        images: uint8 [n, height, width, channels]: samples of what it will see; a hundred do.
        weight_bits: of every convolution, by Keras name, 4 to 8: |weight| <= 2^(bits-1) - 1.
        progress: is told one line a layer.

    Returns:
        An ordinary .tflite: int8 pixels in (pixel - 128, scale 1), int8 weights a scale a channel. Weights
        that are 0 stay 0. The same arguments give the same bytes.

    Raises:
        UserError: images of another shape or type, bits missing or out of range, operators not known here.
    """
    _check_images(model, images)
    graph = graphs.build(model)
    _check_bits(graph, weight_bits, model.name)
    say = progress or (lambda line: None)
    run = FloatRun(graph, images)
    quantizations: dict[int, Quantization] = {graph.group[graph.input]: INPUT}
    ranges: dict[int, tuple[float, float]] = {}
    for op in graph.file.ops:
        if op.name == "SOFTMAX":
            continue
        found = run.step(op)
        low, high = ranges.get(graph.group[op.outputs[0]], (0.0, 0.0))
        ranges[graph.group[op.outputs[0]]] = min(low, float(found.min())), max(high, float(found.max()))
        run.release(op)
    for tensor, (low, high) in ranges.items():
        if tensor not in quantizations:
            scale = np.float32(max((high - low) / 255, 1e-6))
            quantizations[tensor] = Quantization(scale, int(np.clip(np.round(-128 - low / scale), -128, 127)))
    if graph.file.ops[-1].name == "SOFTMAX":
        quantizations[graph.file.ops[-1].outputs[0]] = _PROBABILITY
    constants: dict[int, Integers] = {}
    for op in graph.convolutions:
        bits = weight_bits[graph.layer(op)]
        source = quantizations[graph.group[op.inputs[0]]].scale
        scales = weight.full_range(graph.weights(op), graph.bias(op), source, bits)
        found = weight.nearest(graph.weights(op), scales, bits)
        constants[op.index] = weight.integers(found, scales, graph.bias(op), source)
        say(f"{graph.layer(op)}: {bits} bits")
    activations = {graph.inner[t]: quantizations[graph.group[t]] for t in graph.group}
    return rewrite(graph.skeleton.content, activations, constants)


def _check_images(model: Any, images: np.ndarray) -> None:
    wanted = tuple(model.input_shape[1:])
    if images.dtype != np.uint8 or images.shape[1:] != wanted or not len(images):
        shown = f"{images.dtype} {list(images.shape)}"
        raise UserError(
            f"{model.name}: calibration images are {shown}; want uint8 [n, {', '.join(map(str, wanted))}]"
        )


def _check_bits(graph: Graph, weight_bits: Mapping[str, int], name: str) -> None:
    layers = [graph.layer(op) for op in graph.convolutions]
    for layer in layers:
        if weight_bits.get(layer) not in BITS:
            raise UserError(f"{name}: weight_bits of {layer} is {weight_bits.get(layer)}; want 4 to 8")
    for layer in weight_bits:
        if layer not in layers:
            raise UserError(f"{name}: weight_bits names {layer}; its convolutions are {', '.join(layers)}")
