"""Lowers MAX_POOL_2D, AVERAGE_POOL_2D, MEAN and REDUCE_MAX: layers that take rows together."""

from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.lowering.names import layer_name
from squeezenet_mcu.convert.lowering.state import MAX_BYTE, Lowering, geometry
from squeezenet_mcu.convert.lowering.tflite_file import Op
from squeezenet_mcu.convert.network import Kind, Layer

MAX_MEAN_PIXELS = 1 << 23  # their sum stays in int32; as in firmware_cpp/engine/model.cc


def pool(low: Lowering, op: Op) -> None:
    """MAX_POOL_2D and AVERAGE_POOL_2D."""
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
            layer_name(low.file, op), kind, op.index, [source], view.buffer, out.hwc[2], view.channel,
            kernel, stride, pads[0], pads[1], act_min, act_max, params=[windows], scratch_bytes=scratch,
        )
    )  # fmt: skip


def _check_axes(low: Lowering, op: Op) -> None:
    """The operator reduces height and width, and nothing else."""
    x, axes = low.tensor(op.inputs[0]), low.tensor(op.inputs[1])
    found = sorted(int(a) % 4 for a in axes.data.reshape(-1)) if axes.data is not None else None
    if len(x.shape) != 4 or found != [1, 2]:
        raise low.fail(op, axes, f"axes {found}; wanted height and width, [1, 2]")
    low.check_channels(op, low.tensor(op.outputs[0]), x.hwc[2])


def mean(low: Lowering, op: Op) -> None:
    """MEAN over a map."""
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    low.check_int8(op, x.index, out.index)
    _check_axes(low, op)
    if x.hwc[0] * x.hwc[1] > MAX_MEAN_PIXELS:
        raise low.fail(op, x, f"MEAN over {x.hwc[0] * x.hwc[1]:,} pixels; wanted at most {MAX_MEAN_PIXELS:,}")
    source = low.whole_input(op, x.index)
    real = float(x.scale[0]) / float(out.scale[0])
    low.multiplier(op, real)
    fixed = quant.mean_multiplier(real, x.hwc[0] * x.hwc[1])
    view = low.destination(out)
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.MEAN, op.index, [source], view.buffer, x.hwc[2], view.channel,
            kernel=(x.hwc[0], x.hwc[1]), params=[fixed.multiplier, fixed.shift], scratch_bytes=4 * x.hwc[2],
        )
    )  # fmt: skip


def reduce_max(low: Lowering, op: Op) -> None:
    """REDUCE_MAX over a map: a MAX_POOL whose one window is the map."""
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    low.check_int8(op, x.index, out.index)
    low.same_quantization(op, x, out)
    _check_axes(low, op)
    if max(x.hwc[:2]) > MAX_BYTE:
        raise low.fail(op, x, f"maximum over {x.hwc[0]}x{x.hwc[1]} pixels; wanted at most {MAX_BYTE} a side")
    source = low.whole_input(op, x.index)
    view = low.destination(out)
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.MAX_POOL, op.index, [source], view.buffer, x.hwc[2], view.channel,
            kernel=x.hwc[:2], params=[1],
        )
    )  # fmt: skip
