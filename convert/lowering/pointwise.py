"""Lowers operators that make each value from the values at its place: ADD, MUL, activations, QUANTIZE."""

from collections.abc import Sequence

import numpy as np

from squeezenet_mcu.common.litert import lookup
from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.lowering.names import layer_name
from squeezenet_mcu.convert.lowering.state import Lowering
from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor
from squeezenet_mcu.convert.network import Kind, Layer, TensorView

# One int8 makes one int8, by what LiteRT's kernel says.
BY_TABLE = (
    "ABS", "ELU", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC", "MAXIMUM", "MINIMUM", "NEG",
    "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "TANH",
)  # fmt: skip
_CLAMPING = (Kind.CONV_2D, Kind.DEPTHWISE, Kind.DENSE, Kind.ADD, Kind.MUL_CONSTANT, Kind.ADD_CONSTANT)


def copy_into(
    low: Lowering, op: Op, source: int, view: TensorView, fixed: quant.Multiplier, name: str
) -> None:
    """Adds a layer that writes `source` to `view`, rescaled."""
    low.layers.append(
        Layer(
            name, Kind.REQUANTIZE, op.index, [source], view.buffer, view.channels, view.channel,
            params=[fixed.multiplier, fixed.shift],
        )
    )  # fmt: skip


def requantize(low: Lowering, op: Op) -> None:
    """QUANTIZE of int8 to another scale."""
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    low.check_int8(op, x.index, out.index)
    fixed = low.multiplier(op, float(x.scale[0]) / float(out.scale[0]))
    source = low.pointwise_input(op, x.index)
    copy_into(low, op, source, low.destination(out, source), fixed, layer_name(low.file, op))


def _add_multipliers(low: Lowering, op: Op, a: Tensor, b: Tensor) -> list[quant.Multiplier]:
    """Of both inputs and of the output, as TFLite's ADD and SUB have them."""
    out = low.tensor(op.outputs[0])
    twice_max = 2.0 * float(max(a.scale[0], b.scale[0]))
    reals = [
        float(a.scale[0]) / twice_max,
        float(b.scale[0]) / twice_max,
        twice_max / ((1 << quant.ADD_LEFT_SHIFT) * float(out.scale[0])),
    ]
    fixed = [low.multiplier(op, r) for r in reals]
    if fixed[2].shift > 0:
        raise low.fail(
            op, out, f"output scale {out.scale[0]} is too small for its inputs: their larger one is "
            f"{twice_max / 2:g}; wanted less than {1 << (quant.ADD_LEFT_SHIFT - 1):,} times the output's"
        )  # fmt: skip
    return fixed


def _add_maps(low: Lowering, op: Op, a: Tensor, b: Tensor) -> None:
    out = low.tensor(op.outputs[0])
    if a.hwc != b.hwc or a.hwc != out.hwc:
        shapes = f"{list(a.shape)} and {list(b.shape)} to {list(out.shape)}"
        raise low.fail(op, b, f"adds {shapes}; wanted equal shapes, or a constant for each channel")
    sources = [low.whole_input(op, a.index), low.whole_input(op, b.index)]
    fixed = _add_multipliers(low, op, a, b)
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.ADD, op.index, sources, view.buffer, out.hwc[2], view.channel,
            act_min=act_min, act_max=act_max,
            params=[f.multiplier for f in fixed] + [f.shift for f in fixed],
        )
    )  # fmt: skip


def _add_constant(low: Lowering, op: Op, x: Tensor, constant: Tensor) -> None:
    out = low.tensor(op.outputs[0])
    inputs = [low.tensor(i) for i in op.inputs[:2]]
    source = low.whole_input(op, x.index)
    fixed = _add_multipliers(low, op, *inputs)
    mine, other = fixed[inputs.index(x)], fixed[inputs.index(constant)]
    assert constant.data is not None
    raised = (constant.data.reshape(-1).astype(np.int64) - constant.zero_point) << quant.ADD_LEFT_SHIFT
    sign = -1 if op.name == "SUB" else 1  # TFLite turns the multiplier's sign, which rounds otherwise
    addends = [quant.rescale(int(r), sign * other.multiplier, other.shift) for r in raised]
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.ADD_CONSTANT, op.index, [source], view.buffer, x.hwc[2],
            view.channel, act_min=act_min, act_max=act_max, constant=np.array(addends, np.int32),
            params=[mine.multiplier, fixed[2].multiplier, mine.shift, fixed[2].shift],
        )
    )  # fmt: skip


def _mul_constant(low: Lowering, op: Op, x: Tensor, constant: Tensor) -> None:
    out = low.tensor(op.outputs[0])
    source = low.whole_input(op, x.index)
    # TFLite's MUL computes this with float32 numbers.
    real = np.float32(x.scale[0]) * np.float32(constant.scale[0]) / np.float32(out.scale[0])
    fixed = low.multiplier(op, float(real))
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    assert constant.data is not None
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.MUL_CONSTANT, op.index, [source], view.buffer, x.hwc[2],
            view.channel, act_min=act_min, act_max=act_max,
            constant=constant.data.reshape(-1).astype(np.int16) - np.int16(constant.zero_point),
            params=[fixed.multiplier, fixed.shift],
        )
    )  # fmt: skip


def refused_maps(op: Op) -> str:
    """What is wrong with an operator of two maps, and the way out."""
    return (
        f"{op.name} of two maps is not supported, unless both are made of one map, value by value (as "
        "x * sigmoid(x)): leave out squeeze-and-excite and gates, or take ENGINE=tflm"
    )


def arithmetic(low: Lowering, op: Op) -> None:
    """ADD of two maps; ADD, MUL and SUB of a constant."""
    a, b, out = low.tensor(op.inputs[0]), low.tensor(op.inputs[1]), low.tensor(op.outputs[0])
    low.check_int8(op, a.index, b.index, out.index)
    constants = [tensor for tensor in (a, b) if tensor.data is not None]
    if len(constants) == 1:
        _with_constant(low, op, b if constants[0] is a else a, constants[0])
    elif op.name == "ADD":
        _add_maps(low, op, a, b)
    else:
        raise low.fail(op, b, refused_maps(op))


def _with_constant(low: Lowering, op: Op, x: Tensor, constant: Tensor) -> None:
    assert constant.data is not None
    channels = x.hwc[2]
    if constant.data.size == 1:
        by_table(low, op)
        return
    if constant.data.size != channels or constant.shape[-1] != channels:
        raise low.fail(op, constant, f"wanted one value, or one for each of {channels} channels")
    if op.name == "SUB" and constant.index == op.inputs[0]:
        raise low.fail(op, constant, "a map taken from a constant; wanted a constant taken from a map")
    (_mul_constant if op.name == "MUL" else _add_constant)(low, op, x, constant)


def _clamp_of(values: np.ndarray) -> tuple[int, int] | None:
    """(least, most) where the table only clamps; None where it does anything else."""
    least, most = int(values[0]), int(values[-1])
    if least > most or not np.array_equal(values, np.clip(lookup.VALUES, least, most)):
        return None
    return least, most


def by_table(low: Lowering, op: Op) -> None:
    """Any operator that makes one int8 of one int8: a clamp in the layers before, else a LOOKUP."""
    out = low.tensor(op.outputs[0])
    maps = [low.tensor(i) for i in op.inputs if low.tensor(i).data is None]
    constants = [low.tensor(i) for i in op.inputs if low.tensor(i).data is not None]
    if len(maps) > 1:
        raise low.fail(op, maps[1], refused_maps(op))
    if not maps or any(c.data is None or c.data.size != 1 for c in constants):
        raise low.fail(op, out, "wanted one map, and constants of one value")
    x = maps[0]
    low.check_int8(op, x.index, out.index)
    table = table_of(low, [op])
    clamp = _clamp_of(table)
    if clamp is not None and _clamped_before(low, op, x, out, clamp):
        return
    look_up(low, op, x, table)


def table_of(low: Lowering, ops: Sequence[Op]) -> np.ndarray:
    """What `ops` together make of each int8, by LiteRT."""
    try:
        return lookup.table(low.file.content, *(op.index for op in ops))
    except ValueError as error:
        raise low.fail(ops[-1], low.tensor(ops[-1].outputs[0]), str(error)) from error


def look_up(low: Lowering, op: Op, x: Tensor, table: np.ndarray) -> None:
    """Adds a layer that makes the output of `op` of map `x` by a table."""
    source = low.pointwise_input(op, x.index)
    view = low.destination(low.tensor(op.outputs[0]), source)
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.LOOKUP, op.index, [source], view.buffer, view.channels,
            view.channel, constant=table,
        )
    )  # fmt: skip


def _clamped_before(low: Lowering, op: Op, x: Tensor, out: Tensor, clamp: tuple[int, int]) -> bool:
    """Narrows the clamp of the layers that make `x`, so that they make `out`, if nobody else reads `x`."""
    root = low.root(x.index)
    view = low.views.get(root)
    same = (x.scale[0], x.zero_point) == (out.scale[0], out.zero_point)
    alone = root == x.index and low.consumers[x.index] == [op] and x.index not in low.file.outputs
    if view is None or not same or not alone or out.index in low.views or x.index in low.orders:
        return False
    channels = range(view.channel, view.channel + view.channels)
    makers = [la for la in low.layers if la.output == view.buffer and la.out_channel in channels]
    if not makers or any(layer.kind not in _CLAMPING for layer in makers):
        return False
    for layer in makers:
        layer.act_min, layer.act_max = (int(np.clip(a, *clamp)) for a in (layer.act_min, layer.act_max))
    # What stood there before the clamp is nowhere now: neither `x` nor the parts of a concatenation.
    for index, held in list(low.views.items()):
        if held.buffer == view.buffer and held.channel in channels:
            del low.views[index]
    low.views[out.index] = view
    return True
