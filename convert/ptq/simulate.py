"""Runs the network on the sample images, operator by operator, in float and as LiteRT would in int8.

The float32 sums of the int8 run are not always exact, so single values can be a step off: it shows what
rounding does, and proves nothing.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from squeezenet_mcu.convert.lowering.tflite_file import Op
from squeezenet_mcu.convert.ptq import operators
from squeezenet_mcu.convert.ptq.graph import Graph, activation
from squeezenet_mcu.convert.ptq.rewrite import Integers, Quantization

_CHUNK_BYTES = 1 << 26  # of a convolution's columns, in float32


class Run:
    """Values of the tensors that operators still to come read, for all images at once.

    `values`: float32, or uint8 (int8 + 128) in the int8 run.
    """

    def __init__(self, graph: Graph, images: np.ndarray) -> None:
        self.graph = graph
        self.values: dict[int, np.ndarray] = {graph.input: images}
        self.last = {t: op.index for op in graph.file.ops for t in op.inputs}

    def release(self, op: Op) -> None:
        """Forgets what nobody reads after `op`."""
        for tensor in op.inputs:
            if self.last[tensor] == op.index:
                self.values.pop(tensor, None)

    def columns(self, op: Op) -> Iterator[tuple[slice, np.ndarray]]:
        """The windows that a convolution sees, float32 [rows, taps], for a few images at a time."""
        tensors = self.graph.file.tensors
        source, out = tensors[op.inputs[0]], tensors[op.outputs[0]]
        _, height, width, _ = tensors[op.inputs[1]].shape
        kernel = (height, width)
        around = operators.pads(op, source, out, kernel)
        x = self.values[op.inputs[0]]
        taps = kernel[0] * kernel[1] * source.shape[3]
        step = max(1, _CHUNK_BYTES // (4 * taps * out.shape[1] * out.shape[2]))
        for start in range(0, len(x), step):
            part = slice(start, min(start + step, len(x)))
            stride = (op.options.strideH, op.options.strideW)
            found = operators.columns(self.centred(op.inputs[0], x[part]), kernel, stride, around)
            yield part, found.astype(np.float32)

    def centred(self, tensor: int, x: np.ndarray) -> np.ndarray:
        """x with its zero at 0, as padding has it."""
        return x


class FloatRun(Run):
    """The network as it was trained."""

    def __init__(self, graph: Graph, images: np.ndarray) -> None:
        super().__init__(graph, images.astype(np.float32))

    def step(self, op: Op) -> np.ndarray:
        """Runs `op`; its output."""
        out = self.graph.file.tensors[op.outputs[0]]
        inputs = [self.values[t] for t in op.inputs if t in self.values]
        match op.name:
            case "CONV_2D":
                weights = self.graph.weights(op).reshape(out.shape[3], -1).T
                result = np.empty((len(inputs[0]), *out.shape[1:]), np.float32)
                for part, found in self.columns(op):
                    result[part] = (found @ weights + self.graph.bias(op)).reshape(result[part].shape)
            case "MAX_POOL_2D" | "AVERAGE_POOL_2D":
                result = operators.pool(inputs[0], op, self.graph.file.tensors[op.inputs[0]], out)
            case _:
                result = _plain(self.graph, op, inputs)
        if activation(op) == "RELU":
            np.maximum(result, 0, out=result)
        self.values[op.outputs[0]] = result
        return result


def _plain(graph: Graph, op: Op, inputs: list[np.ndarray]) -> np.ndarray:
    out = graph.file.tensors[op.outputs[0]]
    match op.name:
        case "CONCATENATION":
            return np.concatenate(inputs, -1)
        case "ADD":
            added: np.ndarray = inputs[0] + inputs[1]
            return added
        case "PAD":
            amounts = graph.file.tensors[op.inputs[1]].data
            assert amounts is not None, "lowering has checked that a PAD's amounts are constant"
            return np.pad(inputs[0], amounts)
        case "MEAN":
            found: np.ndarray = (
                inputs[0].mean((1, 2), dtype=np.float32).reshape(len(inputs[0]), *out.shape[1:])
            )
            return found
        case _:
            return inputs[0].reshape(len(inputs[0]), *out.shape[1:])


class Int8Run(Run):
    """The network with int8 activations, in so far as its convolutions' integers are known.

    `quantizations`: by group (Graph.group), those of the tensors reached so far.
    """

    def __init__(self, graph: Graph, images: np.ndarray, quantizations: Mapping[int, Quantization]) -> None:
        super().__init__(graph, images)
        self.quantizations = quantizations

    def quantization(self, tensor: int) -> Quantization:
        """Scale and zero point of an activation."""
        return self.quantizations[self.graph.group[tensor]]

    def centred(self, tensor: int, x: np.ndarray) -> np.ndarray:
        """x - zero point, in steps of its scale."""
        zero = self.quantization(tensor).zero_point + 128
        return x if zero == 0 else x.astype(np.int16) - np.int16(zero)

    def real(self, tensor: int) -> np.ndarray:
        """The value of an activation, float32."""
        return self.centred(tensor, self.values[tensor]) * self.quantization(tensor).scale

    def quantized(self, op: Op, real: np.ndarray) -> np.ndarray:
        """Rounds an output to its uint8, and clamps it as its fused activation does."""
        tensor = op.outputs[0]
        zero = self.quantization(tensor).zero_point + 128
        steps = np.round(real / self.quantization(tensor).scale) + np.float32(zero)
        return np.clip(steps, zero if activation(op) == "RELU" else 0, 255).astype(np.uint8)

    def step(self, op: Op, integers: Integers | None = None) -> np.ndarray:
        """Runs `op`, a convolution with its `integers`; its output, uint8."""
        out = self.graph.file.tensors[op.outputs[0]]
        inputs = [self.values[t] for t in op.inputs if t in self.values]
        match op.name:
            case "CONV_2D":
                assert integers is not None
                step = self.quantization(op.inputs[0]).scale * integers.scales
                weights = integers.weights.reshape(out.shape[3], -1).T.astype(np.float32)
                result = np.empty((len(inputs[0]), *out.shape[1:]), np.uint8)
                for part, found in self.columns(op):
                    sums = (found @ weights + integers.bias.astype(np.float32)) * step
                    result[part] = self.quantized(op, sums).reshape(result[part].shape)
            case "MAX_POOL_2D":
                result = operators.pool(inputs[0], op, self.graph.file.tensors[op.inputs[0]], out)
            case "AVERAGE_POOL_2D":
                real = operators.pool(self.real(op.inputs[0]), op, self.graph.file.tensors[op.inputs[0]], out)
                result = self.quantized(op, real)
            case _:
                real = _plain(self.graph, op, [self.real(t) for t in op.inputs if t in self.values])
                result = self.quantized(op, real)
        self.values[op.outputs[0]] = result
        return result
