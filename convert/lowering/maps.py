"""Lowers PAD and CONCATENATION, which put maps together."""

from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.lowering.names import layer_name
from squeezenet_mcu.convert.lowering.pointwise import BY_TABLE, copy_into
from squeezenet_mcu.convert.lowering.state import ACTIVATIONS, MAX_BYTE, VALID, Lowering
from squeezenet_mcu.convert.lowering.tflite_file import Op
from squeezenet_mcu.convert.network import Kind, Layer, TensorView

# Their layers write rows of any buffer; those of pools and others fill one of their own.
_IN_PLACE = {
    "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "SUB", "MUL", "PAD", "CONCATENATION", "QUANTIZE", *BY_TABLE
}  # fmt: skip


def pad(low: Lowering, op: Op) -> None:
    """PAD: folded into the convolutions and pools that read it where they can pad, else a layer."""
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
        if user.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
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
            layer_name(low.file, op), Kind.PAD, op.index, [source], view.buffer, out.hwc[2], view.channel,
            pad_top=top, pad_left=left,
        )
    )  # fmt: skip


def concatenation(low: Lowering, op: Op) -> None:
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
        copy_into(low, op, source, place, quant.Multiplier(1 << 30, 1), f"{layer_name(low.file, op)}/copy")


def reserve_concatenations(low: Lowering) -> None:
    """Gives the parts of each CONCATENATION their slice of its buffer, so that it costs nothing.

    From the last to the first, so that a nested concatenation finds its own slice already given.
    """
    for op in reversed(low.file.ops):
        if op.name == "CONCATENATION":
            reserve_concatenation(low, op)


def reserve_concatenation(low: Lowering, op: Op) -> None:
    """Gives the parts of one CONCATENATION their slice of its buffer."""
    producers = {t: maker for maker in low.file.ops for t in maker.outputs}
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
        if maker is not None and maker.name in _IN_PLACE and len(low.consumers[index]) == 1:
            low.views[index] = TensorView(view.buffer, channel, part.hwc[2])
        channel += part.hwc[2]
