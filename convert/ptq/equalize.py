"""Makes the channels of an activation alike in range, by weights alone.

A tensor has one scale, so its quietest channels get the fewest steps. A positive factor for a channel passes
a ReLU, a maximum and a concatenation unchanged: what the convolution before multiplies, the one behind
divides (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019,
arXiv:1906.04721). The convolution before has a scale a channel and loses nothing; the one behind gets
weights of more different sizes. So channels move half of the way, on a logarithmic scale: with 7-bit weights
the best of three (not at all, half, all of the way) for ImageNet's logits on samples held back.
"""

from dataclasses import replace

import numpy as np

from squeezenet_mcu.convert.ptq.graph import Graph

_EXPONENT = 0.5
_OUTLIERS = 2000  # one value in so many does not count
_MOST = 16.0  # channels that the samples hardly reach are not blown up further
_LINEAR = ("CONV_2D", "CONCATENATION", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD")


def _peaks(values: np.ndarray) -> np.ndarray:
    """What all but the largest values of each channel [rows, channels] stay below."""
    place = len(values) - 1 - len(values) // _OUTLIERS
    found: np.ndarray = np.partition(np.abs(values), place, 0)[place].astype(np.float64)
    return found


def _factors(peaks: np.ndarray, loudest: float) -> np.ndarray:
    if loudest <= 0:
        return np.ones(len(peaks))
    found: np.ndarray = np.minimum((loudest / np.maximum(peaks, loudest * 1e-6)) ** _EXPONENT, _MOST)
    return found


def _fixed(graph: Graph) -> set[int]:
    """The groups whose channels must stay: what reads or makes them is not linear in each channel alone."""
    fixed = {graph.group[graph.input], graph.group[graph.file.outputs[0]]}
    for op in graph.file.ops:
        if op.name not in _LINEAR:
            fixed |= {graph.group[t] for t in (*op.inputs, *op.outputs) if t in graph.group}
    return fixed


def equalized(graph: Graph, samples: dict[int, np.ndarray]) -> tuple[Graph, dict[int, np.ndarray]]:
    """The same network with other weights, and activations that are more alike from channel to channel.

    Args:
        graph: the network.
        samples: of every convolution's output, by tensor, float32 [rows, channels].

    Returns:
        The new network, and what each activation is multiplied by: float64 [channels], by tensor.
    """
    fixed = _fixed(graph)
    peaks = {op.outputs[0]: _peaks(samples[op.outputs[0]]) for op in graph.convolutions}
    loudest: dict[int, float] = {}
    for tensor, found in peaks.items():
        group = graph.group[tensor]
        loudest[group] = max(loudest.get(group, 0.0), float(found.max()))
    factors: dict[int, np.ndarray] = {}
    constants: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for op in graph.file.ops:
        out = op.outputs[0]
        if graph.group[out] in fixed:
            factors[out] = np.ones(graph.file.tensors[out].shape[-1])
        elif op.name == "CONV_2D":
            factors[out] = _factors(peaks[out], loudest[graph.group[out]])
        elif op.name == "CONCATENATION":
            factors[out] = np.concatenate([factors[t] for t in op.inputs])
        else:
            factors[out] = factors[op.inputs[0]]
        if op.name == "CONV_2D":
            weights = (
                graph.weights(op).astype(np.float64) * factors[out][:, np.newaxis, np.newaxis, np.newaxis]
            )
            if op.inputs[0] in factors:
                weights = weights / factors[op.inputs[0]]
            bias = graph.bias(op) * factors[out]
            constants[op.index] = weights.astype(np.float32), bias.astype(np.float32)
    return replace(graph, constants=constants), factors
