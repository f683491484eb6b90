"""The steps of post-training quantization, layer after layer."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering.tflite_file import Op
from squeezenet_mcu.convert.ptq import equalize, ranges, rounding
from squeezenet_mcu.convert.ptq import graph as graphs
from squeezenet_mcu.convert.ptq import weights as weight
from squeezenet_mcu.convert.ptq.graph import Graph, activation
from squeezenet_mcu.convert.ptq.rewrite import Integers, Quantization, rewrite
from squeezenet_mcu.convert.ptq.simulate import FloatRun, Int8Run

INPUT = Quantization(np.float32(1), -128)
BITS = range(4, 9)
_PROBABILITY = Quantization(np.float32(1 / 256), -128)
_WINDOWS = 200_000  # of a layer, that its weights are fitted to


def quantize(
    model: Any,
    images: np.ndarray,
    weight_bits: Mapping[str, int],
    progress: Callable[[str], None] | None = None,
    zero: int = 0,
) -> bytes:
    """Quantizes a float Keras network, after training, to an int8 .tflite.

    Channels are brought to like ranges first. Then every convolution is fitted, one after the other, to what
    it should answer for the sample images, given the inputs that the layers before it, quantized already,
    really make.

    Args:
        model: float32 [n, height, width, channels], pixels 0 to 255, to probabilities [n, classes].
        images: uint8 [n, height, width, channels]: samples of what it will see; a hundred do.
        weight_bits: of every convolution, by Keras name, 4 to 8: |weight| <= 2^(bits-1) - 1.
        progress: is told one line a layer.
        zero: the pixel that the network's 0 stands for: it is given pixel - zero.

    Returns:
        An ordinary .tflite: int8 pixels in (pixel - 128; scale 1, zero point zero - 128), int8 weights a
        scale a channel. Weights that are 0 stay 0. The same arguments give the same bytes.

    Raises:
        UserError: images of another shape or type, bits missing or out of range, operators not known here.
    """
    _check_images(model, images)
    graph = graphs.build(model)
    _check_bits(graph, weight_bits, model.name)
    say = progress or (lambda line: None)
    say(f"ranges of the activations, from {len(images)} images")
    values = images.astype(np.int16) - np.int16(zero)
    samples = ranges.samples(graph, values)
    graph, factors = equalize.equalized(graph, samples)
    quantizations = {
        **ranges.choose(graph, samples, factors),
        graph.group[graph.input]: Quantization(INPUT.scale, zero - 128),
    }
    exact, inexact = FloatRun(graph, values), Int8Run(graph, images, quantizations)
    constants: dict[int, Integers] = {}
    for op in graph.file.ops:
        if op.name == "SOFTMAX":
            quantizations[graph.group[op.outputs[0]]] = _PROBABILITY
            continue
        if op.name == "CONV_2D":
            bits = weight_bits[graph.layer(op)]
            constants[op.index] = _fit(op, bits, exact, inexact)
            wanted, got = exact.values[op.outputs[0]], inexact.step(op, constants[op.index])
            say(f"{graph.layer(op)}: {bits} bits, {_error(wanted, got, inexact, op):.2f} % of error")
        else:
            exact.step(op)
            inexact.step(op)
        exact.release(op)
        inexact.release(op)
    activations = {graph.inner[t]: quantizations[graph.group[t]] for t in graph.group}
    return rewrite(graph.skeleton.content, activations, constants)


def _fit(op: Op, bits: int, exact: FloatRun, inexact: Int8Run) -> Integers:
    """The convolution's integers; runs it in float on the way."""
    graph = exact.graph
    weights, bias = graph.weights(op), graph.bias(op)
    source = inexact.quantization(op.inputs[0]).scale
    out = graph.file.tensors[op.outputs[0]].shape
    flat = weights.reshape(len(weights), -1).T
    sums = rounding.Sums.empty(*flat.shape)
    result = np.empty((len(exact.values[op.inputs[0]]), *out[1:]), np.float32)
    every = -(-len(result) * out[1] * out[2] // _WINDOWS)
    for (part, real), (_, integer) in zip(exact.columns(op), inexact.columns(op), strict=True):
        wanted = real @ flat + bias
        sums.add(np.ascontiguousarray(integer[::every]), np.ascontiguousarray(wanted[::every]))
        result[part] = wanted.reshape(result[part].shape)
    scales = weight.full_range(weights, bias, source, bits)
    found, bias = rounding.compensated(weights, scales, sums, float(source), weight.largest(bits))
    exact.values[op.outputs[0]] = np.maximum(result, 0, out=result) if activation(op) == "RELU" else result
    return weight.integers(
        found.astype(np.int8), scales, bias, source, inexact.quantization(op.outputs[0]).scale
    )


def _error(wanted: np.ndarray, got: np.ndarray, run: Int8Run, op: Op) -> float:
    """Squared error of an output, in percent of its square."""
    difference = run.real(op.outputs[0]) - wanted
    whole = float(np.vdot(wanted, wanted))
    return 100 * float(np.vdot(difference, difference)) / whole if whole else 0.0


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
