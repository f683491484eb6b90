"""The state of one lowering: which tensor lives where, the layers so far, and the checks that ops share."""

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor, TfliteFile
from squeezenet_mcu.convert.network import MAX_LAYERS, Buffer, Layer, TensorView

ACTIVATIONS = {v: k for k, v in vars(schema.ActivationFunctionType).items() if isinstance(v, int)}
MAX_BYTE = 255  # paddings, strides and windows are bytes of the layer's record
MAX_SIDE = 65535
MAX_INPUT = 1 << 24  # values of an image: the proof holds some images in memory
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID


def _same_padding(size: int, out: int, kernel: int, stride: int) -> int:
    return max((out - 1) * stride + kernel - size, 0) // 2


@dataclass(frozen=True)
class FlatInput:
    """A buffer, and for each value of a tensor its place in there; None: the same place."""

    buffer: int
    order: np.ndarray | None


class Lowering:
    """State of one lowering: which tensor lives where, and the layers so far."""

    def __init__(self, file: TfliteFile) -> None:
        self.file = file
        self.buffers: list[Buffer] = []
        self.layers: list[Layer] = []
        self.views: dict[int, TensorView] = {}
        self.aliases: dict[int, int] = {}  # tensor -> tensor with the same bytes (RESHAPE, edge QUANTIZE)
        self.orders: dict[int, np.ndarray] = {}  # tensor -> place of each value in its root; none: the same
        self.pads: dict[int, tuple[int, int, int]] = {}  # fused PAD: its output -> (input, top, left)
        self.shapes: set[int] = set()  # tensors that hold a shape, or a part of one
        self.consumers: dict[int, list[Op]] = {}
        for op in file.ops:
            for t in op.inputs:
                if t >= 0:
                    self.consumers.setdefault(t, []).append(op)

    def fail(self, op: Op, tensor: Tensor | None, message: str) -> UserError:
        return self.file.op_error(op, tensor, message)

    def tensor(self, index: int) -> Tensor:
        return self.file.tensors[index]

    def root(self, index: int) -> int:
        while index in self.aliases:
            index = self.aliases[index]
        return index

    def view(self, op: Op, index: int) -> TensorView:
        index = self.root(index)
        if index not in self.views:
            raise self.fail(op, self.tensor(index), "input is not computed by a supported op")
        return self.views[index]

    def new_buffer(self, tensor: Tensor) -> int:
        height, width, channels = tensor.hwc
        if not 1 <= min(tensor.hwc) <= max(tensor.hwc) <= MAX_SIDE:
            message = f"sides and channels are {list(tensor.hwc)}; wanted 1 to {MAX_SIDE:,} each"
            makers = [op for op in self.file.ops if tensor.index in op.outputs]
            if makers:
                raise self.fail(makers[0], tensor, message)
            raise UserError(f"{self.file.path}: {tensor}: {message}")
        scale = float(tensor.scale[0]) if len(tensor.scale) else 0.0
        self.buffers.append(Buffer(tensor.name, height, width, channels, scale, tensor.zero_point))
        return len(self.buffers) - 1

    def destination(self, tensor: Tensor, like: int | None = None) -> TensorView:
        """Where the rows of `tensor` go: its slice of a concatenation's buffer, or a buffer of its own.

        `like`: a buffer whose form the new one takes, where a RESHAPE gave the tensor another one.
        """
        if tensor.index not in self.views:
            made = self.new_buffer(tensor)
            if like is not None:
                b, form = self.buffers[made], self.buffers[like]
                b.height, b.width, b.channels = form.height, form.width, form.channels
            self.views[tensor.index] = TensorView(made, 0, self.buffers[made].channels)
        elif like is not None:  # a part of a CONCATENATION, whose form is the whole's
            part, form = self.views[tensor.index], self.buffers[like]
            b = self.buffers[part.buffer]
            if (b.height, b.width, part.channels) != (form.height, form.width, form.channels):
                seen = f"reshaped from {form.height}x{form.width}x{form.channels}"
                raise UserError(f"{self.file.path}: {tensor}: {seen}; not supported in a CONCATENATION")
        return self.views[tensor.index]

    def whole_input(self, op: Op, index: int) -> int:
        """The buffer that holds all of tensor `index`, in its own height, width and channels."""
        buffer = self.pointwise_input(op, index)
        b, tensor = self.buffers[buffer], self.tensor(index)
        if (b.height, b.width, b.channels) != tensor.hwc:
            raise self.fail(op, tensor, f"reshaped from {b.height}x{b.width}x{b.channels}; not supported")
        return buffer

    def pointwise_input(self, op: Op, index: int) -> int:
        """As whole_input, for those who do not mind that it was reshaped."""
        source = self.flat_input(op, index)
        if source.order is not None:
            raise self.fail(op, self.tensor(index), "its values are transposed; not supported")
        return source.buffer

    def flat_input(self, op: Op, index: int) -> FlatInput:
        """As whole_input, for those who read a vector of all values, in any order."""
        view = self.view(op, index)
        if view.channel == 0 and view.channels == self.buffers[view.buffer].channels:
            return FlatInput(view.buffer, self.orders.get(index))
        raise self.fail(op, self.tensor(index), "reads one part of a CONCATENATION; not supported")

    def activation(self, op: Op, out: Tensor) -> tuple[int, int]:
        name = ACTIVATIONS.get(op.options.fusedActivationFunction, "?")
        limits = quant.activation_range(name, float(out.scale[0]), out.zero_point)
        if limits is None:
            raise self.fail(op, out, f"fused activation {name}; supported: NONE, RELU, RELU6, RELU_N1_TO_1")
        return limits

    def check_int8(self, op: Op, *indices: int) -> None:
        for index in indices:
            tensor = self.tensor(index)
            if tensor.type_name == "FLOAT32":
                raise self.fail(op, tensor, "is float; wanted a fully int8-quantized .tflite")
            if tensor.type_name != "INT8" or len(tensor.scale) == 0:
                raise self.fail(op, tensor, "wanted int8 with a scale and zero point")
            # A dead channel of weights may have a scale of 0.
            wrong = tensor.scale <= 0 if tensor.data is None else tensor.scale < 0
            if not np.isfinite(tensor.scale).all() or wrong.any():
                raise self.fail(op, tensor, f"scale {tensor.scale.min()}; wanted a finite one over 0")
            if not -128 <= tensor.zero_point <= 127:
                raise self.fail(op, tensor, f"zero point {tensor.zero_point}; wanted -128 to 127")

    def multiplier(self, op: Op, real: float) -> quant.Multiplier:
        """The fixed-point form of a real multiplier, which must be one that TFLite's kernels can hold."""
        fixed = quant.quantize_multiplier(real) if np.isfinite(real) else None
        if fixed is None or real > quant.MOST_REAL:
            raise self.fail(
                op, self.tensor(op.outputs[0]), f"its scale is {real:.3g} times too small for its inputs; "
                f"wanted at most {quant.MOST_REAL:,} times"
            )  # fmt: skip
        return fixed

    def check_makers(self) -> None:
        """Each tensor is made once: by one operator, or it is the input, or a constant."""
        made = dict.fromkeys(self.file.inputs, "the input")
        for op in self.file.ops:
            for index in op.outputs:
                tensor = self.tensor(index)
                before = "a constant" if tensor.data is not None else made.get(index)
                if before:
                    raise self.fail(op, tensor, f"is {before} already")
                made[index] = f"made by op {op.index}"

    def check_count(self, op: Op) -> None:
        """The layers and buffers up to `op` are not too many."""
        for what, count in (("layers", len(self.layers)), ("feature maps", len(self.buffers))):
            if count > MAX_LAYERS:
                message = f"makes them {count} {what}; wanted at most {MAX_LAYERS}"
                raise self.fail(op, self.tensor(op.outputs[0]), message)

    def check_channels(self, op: Op, tensor: Tensor, wanted: int) -> None:
        if tensor.hwc[2] != wanted:
            raise self.fail(op, tensor, f"{tensor.hwc[2]} channels; wanted {wanted}")

    def same_quantization(self, op: Op, a: Tensor, b: Tensor) -> None:
        if a.scale[0] != b.scale[0] or a.zero_point != b.zero_point:
            raise self.fail(
                op, a, f"scale {a.scale[0]}, zero point {a.zero_point}; wanted those of {b} "
                f"({b.scale[0]}, {b.zero_point})"
            )  # fmt: skip


def geometry(
    low: Lowering, op: Op, x: Tensor, out: Tensor, kernel: tuple[int, int], pad: tuple[int, int] | None
) -> tuple[int, int]:
    """(pad_top, pad_left) of a convolution or pool, after checking that the sizes agree."""
    o = op.options
    strides = (int(o.strideH), int(o.strideW))
    pads = []
    for size, n_out, k, s, fused in zip(x.hwc[:2], out.hwc[:2], kernel, strides, pad or (0, 0), strict=True):
        if not (1 <= s <= MAX_BYTE and k >= 1):
            raise low.fail(op, out, f"window {k}, stride {s}; wanted 1 to {MAX_BYTE}")
        if o.padding == SAME:
            wanted, before = -(-size // s), _same_padding(size, n_out, k, s)
        elif o.padding == VALID:
            wanted, before = (size - k) // s + 1, fused
        else:
            raise low.fail(op, x, f"padding code {o.padding}; wanted SAME or VALID")
        if wanted != n_out:
            raise low.fail(op, out, f"{n_out} output rows or columns; the geometry gives {wanted}")
        if before > MAX_BYTE:
            raise low.fail(op, x, f"{before} rows or columns of padding; wanted at most {MAX_BYTE}")
        pads.append(before)
    return pads[0], pads[1]
