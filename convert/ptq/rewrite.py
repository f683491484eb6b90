"""Writes quantized weights, biases, scales and zero points into an int8 .tflite."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.litert import objects


@dataclass(frozen=True)
class Quantization:
    """Of an activation: real = scale * (int8 - zero_point)."""

    scale: np.float32
    zero_point: int


@dataclass(frozen=True)
class Integers:
    """A convolution's weights int8 [out, h, w, in], their scales float32 [out], and bias int32 [out]."""

    weights: np.ndarray
    scales: np.ndarray
    bias: np.ndarray


def _quantize(tensor: Any, scales: np.ndarray, zero_point: int) -> None:
    quantization = tensor.quantization
    quantization.scale = np.asarray(scales, np.float32)
    quantization.zeroPoint = np.full(len(scales), zero_point, np.int64)
    # TensorFlow Lite reads neither; the converter's would be untrue.
    quantization.min = quantization.max = None


class _Model:
    """The file as objects, and the buffers of constants that were replaced."""

    def __init__(self, content: bytes) -> None:
        self.model = objects.read(content)
        self.graph = self.model.subgraphs[0]
        self.taken: set[int] = set()
        self.buffers: set[int] = set()

    def constant(self, op: Any, place: int, data: np.ndarray, scales: np.ndarray) -> None:
        """Replaces input `place` of `op`, apart from others: the converter merges equal constants."""
        index = int(op.inputs[place])
        if index in self.taken:
            self.graph.tensors.append(copy.deepcopy(self.graph.tensors[index]))
            index = len(self.graph.tensors) - 1
            op.inputs = [index if i == place else int(t) for i, t in enumerate(op.inputs)]
        self.taken.add(index)
        tensor = self.graph.tensors[index]
        _quantize(tensor, scales, 0)
        if tensor.buffer in self.buffers:
            self.model.buffers.append(schema.BufferT())
            tensor.buffer = len(self.model.buffers) - 1
        self.buffers.add(tensor.buffer)
        self.model.buffers[tensor.buffer].data = np.frombuffer(data.tobytes(), np.uint8)

    def content(self) -> bytes:
        return objects.packed(self.model)


def rewrite(
    content: bytes, activations: Mapping[int, Quantization], convolutions: Mapping[int, Integers]
) -> bytes:
    """`content` with activations (by tensor) and constants (by operator) replaced. Same input, same bytes."""
    file = _Model(content)
    for index, quantization in activations.items():
        _quantize(file.graph.tensors[index], np.array([quantization.scale]), quantization.zero_point)
    for index, integers in convolutions.items():
        op = file.graph.operators[index]
        file.constant(op, 1, integers.weights.astype(np.int8), integers.scales)
        source = np.float32(file.graph.tensors[op.inputs[0]].quantization.scale[0])
        file.constant(op, 2, integers.bias.astype(np.int32), source * integers.scales.astype(np.float32))
    return file.content()
