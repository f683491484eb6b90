"""Lowers an int8 .tflite to the engine's network: supported operators only, nothing approximated."""

from collections.abc import Callable

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.lowering.state import ACTIVATIONS, MAX_BYTE, VALID, Lowering, geometry, layer_name
from squeezenet_mcu.convert.lowering.tflite_file import Op, TfliteFile
from squeezenet_mcu.convert.network import Kind, Layer, Network, TensorView

MAX_KERNEL = 7  # of convolutions
# As in firmware_cpp/engine/model.cc, whose Checker refuses what exceeds them.
MAX_SOFTMAX = 4095  # sums of exp are Q12.19
MAX_TAPS = 65535  # weights of one output channel: its sum of products stays below 2^30
MAX_MEAN_PIXELS = 1 << 23  # their sum stays in int32


def _conv(low: Lowering, op: Op) -> None:
    x_index, w_index = op.inputs[0], op.inputs[1]
    out = low.tensor(op.outputs[0])
    low.check_int8(op, x_index, w_index, out.index)
    weights = low.tensor(w_index)
    if weights.data is None or len(weights.shape) != 4:
        raise low.fail(op, weights, "weights are not a constant of rank 4")
    w = weights.data
    if weights.zero_point != 0:
        raise low.fail(op, weights, f"weight zero point {weights.zero_point}; wanted 0")
    kernel = (w.shape[1], w.shape[2])
    x = low.tensor(x_index)
    if max(kernel) > MAX_KERNEL:
        raise low.fail(op, weights, f"kernel {kernel[0]}x{kernel[1]}; wanted at most {MAX_KERNEL}")
    if op.options.strideH not in (1, 2) or op.options.strideW not in (1, 2):
        raise low.fail(op, out, f"stride {op.options.strideH}x{op.options.strideW}; wanted 1 or 2")
    if op.options.dilationHFactor != 1 or op.options.dilationWFactor != 1:
        raise low.fail(op, out, "dilation; wanted 1")
    fused = low.pads.get(x_index)
    pads = geometry(low, op, x, out, kernel, fused[1:] if fused else None)
    stride = (int(op.options.strideH), int(op.options.strideW))
    source = low.whole_input(op, fused[0] if fused else x_index)
    if w.shape[3] != low.buffers[source].channels:
        raise low.fail(
            op, weights, f"{w.shape[3]} input channels; the input has {low.buffers[source].channels}"
        )
    channels, taps = w.shape[0], w[0].size
    if taps > MAX_TAPS:
        raise low.fail(op, weights, f"{taps:,} weights of one output channel; wanted at most {MAX_TAPS:,}")
    low.check_channels(op, out, channels)
    bias = np.zeros(channels, np.int64)
    if len(op.inputs) > 2 and op.inputs[2] >= 0:
        b = low.tensor(op.inputs[2])
        if b.type_name != "INT32" or b.data is None:
            raise low.fail(op, b, "bias; wanted constant int32")
        bias += b.data.reshape(-1)
    bias -= x.zero_point * w.astype(np.int64).sum(axis=(1, 2, 3))
    if np.abs(bias).max(initial=0) > quant.INT32_MAX:
        raise low.fail(op, weights, "bias with the zero point folded in exceeds int32")
    scales = np.broadcast_to(weights.scale.astype(np.float64), (channels,))
    fixed = [quant.quantize_multiplier(float(x.scale[0]) * s / float(out.scale[0])) for s in scales.tolist()]
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    low.layers.append(
        Layer(
            layer_name(out, op), Kind.CONV_2D, op.index, [source], view.buffer, channels, view.channel,
            kernel, stride, pads[0], pads[1], act_min, act_max,
            weights=w, bias=bias.astype(np.int32),
            multipliers=np.array([m.multiplier for m in fixed], np.int32),
            shifts=np.array([m.shift for m in fixed], np.int8),
            macs=out.hwc[0] * out.hwc[1] * w.size,
        )
    )  # fmt: skip


def _pool(low: Lowering, op: Op) -> None:
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    low.check_int8(op, x.index, out.index)
    low.same_quantization(op, x, out)
    low.check_channels(op, out, x.hwc[2])
    kernel = (int(op.options.filterHeight), int(op.options.filterWidth))
    if max(kernel) > MAX_BYTE:
        raise low.fail(op, out, f"window {kernel[0]}x{kernel[1]}; wanted at most {MAX_BYTE}")
    fused = low.pads.get(x.index)
    pads = geometry(low, op, x, out, kernel, fused[1:] if fused else None)
    source = low.whole_input(op, fused[0] if fused else x.index)
    stride = (int(op.options.strideH), int(op.options.strideW))
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    kind = Kind.MAX_POOL if op.name == "MAX_POOL_2D" else Kind.AVERAGE_POOL
    # Windows that overlap are summed side by side; a MAX_POOL keeps its maxima in its output's rows.
    windows = min(-(-kernel[0] // stride[0]), out.hwc[0])
    scratch = 4 * windows * out.hwc[1] * out.hwc[2] if kind is Kind.AVERAGE_POOL else 0
    low.layers.append(
        Layer(
            layer_name(out, op), kind, op.index, [source], view.buffer, out.hwc[2], view.channel,
            kernel, stride, pads[0], pads[1], act_min, act_max, params=[windows], scratch_bytes=scratch,
        )
    )  # fmt: skip


def _mean(low: Lowering, op: Op) -> None:
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    low.check_int8(op, x.index, out.index)
    axes = low.tensor(op.inputs[1])
    found = sorted(int(a) % 4 for a in axes.data.reshape(-1)) if axes.data is not None else None
    if len(x.shape) != 4 or found != [1, 2]:
        raise low.fail(op, axes, f"axes {found}; wanted height and width, [1, 2]")
    low.check_channels(op, out, x.hwc[2])
    if x.hwc[0] * x.hwc[1] > MAX_MEAN_PIXELS:
        raise low.fail(op, x, f"MEAN over {x.hwc[0] * x.hwc[1]:,} pixels; wanted at most {MAX_MEAN_PIXELS:,}")
    source = low.whole_input(op, x.index)
    fixed = quant.mean_multiplier(float(x.scale[0]) / float(out.scale[0]), x.hwc[0] * x.hwc[1])
    view = low.destination(out)
    low.layers.append(
        Layer(
            layer_name(out, op), Kind.MEAN, op.index, [source], view.buffer, x.hwc[2], view.channel,
            kernel=(x.hwc[0], x.hwc[1]), params=[fixed.multiplier, fixed.shift], scratch_bytes=4 * x.hwc[2],
        )
    )  # fmt: skip


def _add(low: Lowering, op: Op) -> None:
    a, b, out = low.tensor(op.inputs[0]), low.tensor(op.inputs[1]), low.tensor(op.outputs[0])
    low.check_int8(op, a.index, b.index, out.index)
    if a.hwc != b.hwc or a.hwc != out.hwc:
        shapes = f"{list(a.shape)} and {list(b.shape)} to {list(out.shape)}"
        raise low.fail(op, b, f"adds {shapes}; wanted equal shapes")
    sources = [low.whole_input(op, a.index), low.whole_input(op, b.index)]
    twice_max = 2.0 * float(max(a.scale[0], b.scale[0]))
    reals = [
        float(a.scale[0]) / twice_max,
        float(b.scale[0]) / twice_max,
        twice_max / ((1 << quant.ADD_LEFT_SHIFT) * float(out.scale[0])),
    ]
    fixed = [quant.quantize_multiplier(r) for r in reals]
    if fixed[2].shift > 0:
        raise low.fail(
            op, out, f"output scale {out.scale[0]} is too small for its inputs: their larger one is "
            f"{twice_max / 2:g}; wanted less than {1 << (quant.ADD_LEFT_SHIFT - 1):,} times the output's"
        )  # fmt: skip
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    low.layers.append(
        Layer(
            layer_name(out, op), Kind.ADD, op.index, sources, view.buffer, out.hwc[2], view.channel,
            act_min=act_min, act_max=act_max,
            params=[f.multiplier for f in fixed] + [f.shift for f in fixed],
        )
    )  # fmt: skip


def _pad(low: Lowering, op: Op) -> None:
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    low.check_int8(op, x.index, out.index)
    low.same_quantization(op, x, out)
    pads = low.tensor(op.inputs[1])
    if pads.data is None or pads.data.shape != (4, 2) or pads.data[[0, 3]].any():
        raise low.fail(op, pads, "wanted constant paddings [4, 2] of height and width only")
    low.check_channels(op, out, x.hwc[2])
    if any(o != i + sum(p) for o, i, p in zip(out.hwc[:2], x.hwc[:2], pads.data[1:3].tolist(), strict=True)):
        raise low.fail(op, out, f"pads {list(x.shape)} by {pads.data[1:3].tolist()}; the sizes disagree")
    top, left = int(pads.data[1, 0]), int(pads.data[2, 0])
    users = low.consumers.get(out.index, [])

    amounts = pads.data  # checked above

    def fuses(user: Op) -> bool:
        if getattr(user.options, "padding", None) != VALID:
            return False
        if user.name == "CONV_2D":
            return True
        # A pool ignores padding; a PAD of -128 can never exceed a real value, so the two agree, as long as
        # every window holds a real value.
        window = (getattr(user.options, "filterHeight", 0), getattr(user.options, "filterWidth", 0))
        inside = all(amounts[1 + axis].max() < size for axis, size in enumerate(window))
        return user.name == "MAX_POOL_2D" and x.zero_point == -128 and inside

    if users and all(fuses(user) for user in users):
        low.pads[out.index] = (x.index, top, left)
        return
    if max(top, left) > MAX_BYTE:
        raise low.fail(op, pads, f"{max(top, left)} rows or columns; wanted at most {MAX_BYTE}")
    source = low.whole_input(op, x.index)
    view = low.destination(out)
    low.layers.append(
        Layer(
            layer_name(out, op), Kind.PAD, op.index, [source], view.buffer, out.hwc[2], view.channel,
            pad_top=top, pad_left=left,
        )
    )  # fmt: skip


def _copy(low: Lowering, op: Op, source: int, view: TensorView, fixed: quant.Multiplier, name: str) -> None:
    low.layers.append(
        Layer(
            name, Kind.REQUANTIZE, op.index, [source], view.buffer, view.channels, view.channel,
            params=[fixed.multiplier, fixed.shift],
        )
    )  # fmt: skip


def _concatenation(low: Lowering, op: Op) -> None:
    """Copies in the parts that could not be written in place; the others are already there."""
    out = low.tensor(op.outputs[0])
    view = low.destination(out)
    channel = view.channel
    for index in op.inputs:
        part = low.tensor(index)
        place = TensorView(view.buffer, channel, part.hwc[2])
        channel += part.hwc[2]
        if low.views.get(index) == place:
            continue
        source = low.whole_input(op, index)
        _copy(low, op, source, place, quant.Multiplier(1 << 30, 1), f"{layer_name(out, op)}/copy")


def _reserve_concatenations(low: Lowering) -> None:
    """Gives the parts of each CONCATENATION their slice of its buffer, so that it costs nothing.

    From the last to the first, so that a nested concatenation finds its own slice already given.
    """
    in_place = ("CONV_2D", "ADD", "PAD", "CONCATENATION")
    producers = {t: op for op in low.file.ops for t in op.outputs}
    for op in reversed(low.file.ops):
        if op.name != "CONCATENATION":
            continue
        out = low.tensor(op.outputs[0])
        low.check_int8(op, *op.inputs, out.index)
        if int(op.options.axis) % len(out.shape) != len(out.shape) - 1:
            raise low.fail(op, out, f"axis {op.options.axis}; wanted the channels, the last axis")
        if ACTIVATIONS.get(op.options.fusedActivationFunction) != "NONE":
            raise low.fail(op, out, "fused activation; wanted NONE")
        low.check_channels(op, out, sum(low.tensor(index).hwc[2] for index in op.inputs))
        view = low.destination(out)
        low.check_count(op)
        channel = view.channel
        for index in op.inputs:
            part = low.tensor(index)
            low.same_quantization(op, part, out)
            if part.hwc[:2] != out.hwc[:2]:
                raise low.fail(op, part, "differs in height or width from the output")
            maker = producers.get(index)
            if maker is not None and maker.name in in_place and len(low.consumers[index]) == 1:
                low.views[index] = TensorView(view.buffer, channel, part.hwc[2])
            channel += part.hwc[2]


def _softmax(low: Lowering, op: Op) -> None:
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    low.check_int8(op, x.index, out.index)
    if x.hwc[:2] != (1, 1):
        raise low.fail(op, x, "SOFTMAX over more than one pixel; not supported")
    if x.hwc[2] > MAX_SOFTMAX:
        raise low.fail(op, x, f"SOFTMAX over {x.hwc[2]} classes; wanted at most {MAX_SOFTMAX}")
    if float(out.scale[0]) != 1 / 256 or out.zero_point != -128:
        raise low.fail(op, out, f"scale {out.scale[0]}, zero point {out.zero_point}; wanted 1/256 and -128")
    low.check_channels(op, out, x.hwc[2])
    source = low.whole_input(op, x.index)
    scale, least = op.options.beta * float(x.scale[0]), 2.0 ** (quant.SOFTMAX_INTEGER_BITS - 31)
    if scale <= least:  # TFLite's QuantizeMultiplierGreaterThanOne ends the program there
        raise low.fail(
            op,
            x,
            f"beta times scale is {scale:g}; wanted more than {least:g}: were the outputs always the same?",
        )
    params = quant.softmax_params(op.options.beta, float(x.scale[0]))
    low.layers.append(
        Layer(
            "softmax", Kind.SOFTMAX, op.index, [source], low.destination(out).buffer, out.hwc[2],
            params=[params.multiplier, params.left_shift, params.diff_min],
        )
    )  # fmt: skip


def _reshape(low: Lowering, op: Op) -> None:
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    if x.hwc != out.hwc or x.hwc[:2] != (1, 1):
        raise low.fail(op, out, f"reshapes {list(x.shape)}; only a single pixel can be reshaped")
    low.aliases[out.index] = low.root(x.index)


def _quantize(low: Lowering, op: Op) -> None:
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    at_input, at_output = x.index in low.file.inputs, out.index in low.file.outputs
    if not (at_input or at_output):
        raise low.fail(op, out, "in the middle of the network; supported only at its edges")
    if x.type_name == "INT8" and out.type_name == "INT8":
        fixed = quant.quantize_multiplier(float(x.scale[0]) / float(out.scale[0]))
        source, view = low.whole_input(op, x.index), low.destination(out)
        _copy(low, op, source, view, fixed, layer_name(out, op))
        return
    inner, outer = (out, x) if at_input else (x, out)
    exact = outer.type_name == "UINT8" and (
        outer.scale[0] == inner.scale[0] and outer.zero_point - 128 == inner.zero_point
    )
    if inner.type_name != "INT8" or not (exact or outer.type_name == "FLOAT32"):
        raise low.fail(op, outer, f"to or from {inner}; wanted float32, uint8 of the same scale, or int8")
    if at_input:
        low.destination(inner)  # the engine's input: the int8 behind the edge
    else:
        low.aliases[outer.index] = low.root(inner.index)


_LOWERINGS: dict[str, Callable[[Lowering, Op], None]] = {
    "CONV_2D": _conv,
    "MAX_POOL_2D": _pool,
    "AVERAGE_POOL_2D": _pool,
    "MEAN": _mean,
    "ADD": _add,
    "PAD": _pad,
    "CONCATENATION": _concatenation,
    "SOFTMAX": _softmax,
    "RESHAPE": _reshape,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _quantize,
}


def _order(layers: list[Layer]) -> list[Layer]:
    """Moves layers that write the same buffer to the last of them, so that one row is made in one go."""
    last = {layer.output: i for i, layer in enumerate(layers)}
    return [
        member
        for i, layer in enumerate(layers)
        if last[layer.output] == i
        for member in layers
        if member.output == layer.output
    ]


def _name_apart(layers: list[Layer]) -> None:
    """Adds the op's index to every name that an earlier layer has."""
    taken: set[str] = set()
    for layer in layers:
        if layer.name in taken:
            layer.name = f"{layer.name}_{layer.op_index}"
        taken.add(layer.name)


def lower(file: TfliteFile) -> Network:
    """Lowers `file`. Raises UserError naming the operator, its index and the tensor it cannot take."""
    try:
        return _lower(file)
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # A damaged file can hold anything; what is checked above gives a better message.
        raise UserError(f"{file.path}: damaged or inconsistent ({type(error).__name__}: {error})") from error


def _lower(file: TfliteFile) -> Network:
    if len(file.inputs) != 1 or len(file.outputs) != 1:
        raise UserError(
            f"{file.path}: {len(file.inputs)} inputs, {len(file.outputs)} outputs; wanted 1 and 1"
        )
    low = Lowering(file)
    for op in file.ops:
        if op.name not in _LOWERINGS:
            raise low.fail(
                op, low.tensor(op.outputs[0]), f"is not supported; supported: {', '.join(sorted(_LOWERINGS))}"
            )
    graph_input = low.tensor(file.inputs[0])
    first = low.consumers.get(graph_input.index, [])
    edge = first[0] if len(first) == 1 and first[0].name == "QUANTIZE" else None
    if graph_input.type_name != "INT8" and edge is None:
        raise UserError(
            f"{file.path}: input {graph_input}; wanted a fully int8-quantized .tflite (post-training "
            "quantization with int8 input and output, or quantization-aware training)"
        )
    if len(graph_input.shape) != 4 or graph_input.shape[0] != 1:
        raise UserError(f"{file.path}: input {graph_input}; wanted [1, height, width, channels]")
    _reserve_concatenations(low)
    in_tensor = low.tensor(edge.outputs[0]) if edge and graph_input.type_name != "INT8" else graph_input
    in_buffer = low.destination(in_tensor).buffer
    for op in file.ops:
        _LOWERINGS[op.name](low, op)
        low.check_count(op)
    out_index = low.root(file.outputs[0])
    output = low.view(file.ops[-1], out_index)
    softmax = [layer for layer in low.layers if layer.output == output.buffer and layer.kind is Kind.SOFTMAX]
    logits_index = low.root(file.ops[softmax[0].op_index].inputs[0]) if softmax else out_index
    logits = low.view(file.ops[-1], logits_index)
    for tensor, view in ((low.tensor(out_index), output), (low.tensor(logits_index), logits)):
        b = low.buffers[view.buffer]
        if (b.height, b.width) != (1, 1) or b.channels != view.channels:
            raise UserError(f"{file.path}: output {tensor}; wanted a vector of classes, [1, classes]")
    _name_apart(low.layers)
    views: dict[int, tuple[TensorView, ...]] = {
        t: (low.views[low.root(t)],) for t in range(len(file.tensors)) if low.root(t) in low.views
    }
    return Network(
        file.content, low.buffers, _order(low.layers), in_buffer, logits.buffer, output.buffer, views,
        logits_index, out_index,
    )  # fmt: skip
