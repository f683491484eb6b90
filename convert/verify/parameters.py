"""Reads an engine's model back: windows, limits, multipliers and buffers of each layer are its operator's.

Sample images cannot tell: a limit that is one lower, or a multiplier that is off by a little, changes none of
their values. What the .tflite wants is computed by formulas.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import lookup
from squeezenet_mcu.convert.lowering.pointwise import BY_TABLE
from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor, TfliteFile
from squeezenet_mcu.convert.network import Kind, Network
from squeezenet_mcu.convert.verify import formulas, moved
from squeezenet_mcu.convert.verify.records import Model, Record

Pair = tuple[int, int]

_KINDS: dict[str, tuple[Kind, ...]] = {
    "CONV_2D": (Kind.CONV_2D,),
    "MAX_POOL_2D": (Kind.MAX_POOL,),
    "AVERAGE_POOL_2D": (Kind.AVERAGE_POOL,),
    "MEAN": (Kind.MEAN, Kind.REQUANTIZE),  # the second copies a group's means behind those of the others
    "ADD": (Kind.ADD, Kind.ADD_CONSTANT, Kind.LOOKUP),
    "PAD": (Kind.PAD,),
    "CONCATENATION": (Kind.REQUANTIZE,),
    "QUANTIZE": (Kind.REQUANTIZE, Kind.LOOKUP),
    "SOFTMAX": (Kind.SOFTMAX,),
    "DEPTHWISE_CONV_2D": (Kind.DEPTHWISE, Kind.CONV_2D),
    "FULLY_CONNECTED": (Kind.DENSE,),
    "REDUCE_MAX": (Kind.MAX_POOL,),
    "MUL": (Kind.MUL_CONSTANT, Kind.LOOKUP),
    "SUB": (Kind.ADD_CONSTANT, Kind.LOOKUP),
} | dict.fromkeys(BY_TABLE, (Kind.LOOKUP,))


@dataclass(frozen=True)
class _Wanted:
    """What an operator gives its layer: the tensors that it reads and writes, and the record's numbers."""

    inputs: tuple[Tensor, ...]
    output: Tensor
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    limits: Pair = (-128, 127)
    params: tuple[int, ...] = ()


def _amounts(file: TfliteFile, op: Op) -> Pair:
    """Rows above and columns left that a PAD adds."""
    amounts = file.tensors[op.inputs[1]].data
    assert amounts is not None, "lowering takes constant paddings only"
    return int(amounts[1, 0]), int(amounts[2, 0])


def _limits(file: TfliteFile, network: Network, op: Op, out: Tensor) -> Pair:
    """Of the operator's own activation, and of one behind it whose input no buffer holds."""
    low, high = formulas.limits(int(op.options.fusedActivationFunction), float(out.scale[0]), out.zero_point)
    for later in moved.clamping(file, network, out.index):
        if later.name != "CONCATENATION":
            table = lookup.table(file.content, later.index)
            low, high = int(table[low + 128]), int(table[high + 128])
    return low, high


def _window(file: TfliteFile, network: Network, op: Op, kernel: Pair) -> _Wanted:
    """Of a convolution or a pool. Where it reads a padding that no buffer holds, it pads itself."""
    x, out = file.tensors[op.inputs[0]], file.tensors[op.outputs[0]]
    stride = (int(op.options.strideH), int(op.options.strideW))
    padding = (0, 0)
    if op.options.padding == schema.Padding.SAME:
        padding = (
            formulas.padding(x.hwc[0], kernel[0], stride[0]),
            formulas.padding(x.hwc[1], kernel[1], stride[1]),
        )
    if x.index not in network.tensors:
        pad = next(other for other in file.ops if x.index in other.outputs)
        x, padding = file.tensors[pad.inputs[0]], _amounts(file, pad)
    params: tuple[int, ...] = ()
    if op.name == "AVERAGE_POOL_2D":  # windows that overlap, or all there are
        params = (min((kernel[0] + stride[0] - 1) // stride[0], out.hwc[0]),)
    return _Wanted((x,), out, kernel, stride, padding, _limits(file, network, op, out), params)


def _arithmetic(file: TfliteFile, network: Network, op: Op, record: Record) -> _Wanted:
    """Of ADD, SUB and MUL."""
    a, b, out = (file.tensors[index] for index in (*op.inputs[:2], op.outputs[0]))
    inputs = tuple(tensor for tensor in (a, b) if tensor.data is None)
    limits = _limits(file, network, op, out)
    if record.kind == Kind.MUL_CONSTANT:
        return _Wanted(inputs, out, limits=limits, params=formulas.mul(a.scale[0], b.scale[0], out.scale[0]))
    fixed = list(formulas.add(float(a.scale[0]), float(b.scale[0]), float(out.scale[0])))
    if record.kind == Kind.ADD_CONSTANT:
        del fixed[1 if inputs == (a,) else 0]
    params = (*(multiplier for multiplier, _ in fixed), *(shift for _, shift in fixed))
    return _Wanted(inputs, out, limits=limits, params=params)


def _copied(file: TfliteFile, network: Network, op: Op, record: Record) -> Tensor:
    """The input of a CONCATENATION that belongs where the record writes."""
    channel = network.tensors[op.outputs[0]][0].channel
    for index in op.inputs:
        if channel == record.out_channel:
            return file.tensors[index]
        channel += file.tensors[index].hwc[2]
    return file.tensors[op.inputs[0]]


def _of(file: TfliteFile, network: Network, op: Op, record: Record) -> _Wanted:
    """What `op` gives the layer of `record`, which is of one of its kinds."""
    x, out = file.tensors[op.inputs[0]], file.tensors[op.outputs[0]]
    kind: int = record.kind
    options: Any = op.options
    if kind in (Kind.CONV_2D, Kind.DEPTHWISE):
        _, height, width, _ = file.tensors[op.inputs[1]].shape
        wanted = _window(file, network, op, (height, width))
    elif op.name == "REDUCE_MAX":
        wanted = _Wanted((x,), out, kernel=x.hwc[:2])
    elif kind in (Kind.MAX_POOL, Kind.AVERAGE_POOL):
        wanted = _window(file, network, op, (int(options.filterHeight), int(options.filterWidth)))
    elif kind == Kind.DENSE:
        source = moved.source(file, op.inputs[0]).tensor
        wanted = _Wanted((source,), out, limits=_limits(file, network, op, out))
    elif kind == Kind.LOOKUP:
        _, source = moved.looked_up(file, network, op)
        wanted = _Wanted((source,), out)
    elif kind in (Kind.ADD, Kind.ADD_CONSTANT, Kind.MUL_CONSTANT):
        wanted = _arithmetic(file, network, op, record)
    elif kind == Kind.PAD:
        wanted = _Wanted((x,), out, padding=_amounts(file, op))
    elif kind == Kind.REQUANTIZE and op.name == "CONCATENATION":
        part = _copied(file, network, op, record)
        wanted = _Wanted((part,), out, params=_scaled(op, part, out, kind))
    elif kind == Kind.REQUANTIZE and op.name == "MEAN":  # a copy of a group's means
        wanted = _Wanted((out,), out, params=_scaled(op, out, out, kind))
    else:
        wanted = _Wanted((x,), out, params=_scaled(op, x, out, kind))
    return wanted


def _scaled(op: Op, x: Tensor, out: Tensor, kind: int) -> tuple[int, ...]:
    """The params of a layer that takes values of `x` to the scale of `out`."""
    if kind == Kind.SOFTMAX:
        return formulas.softmax(float(op.options.beta), float(x.scale[0]))
    if kind == Kind.MEAN:
        return formulas.mean(float(x.scale[0]), float(out.scale[0]), x.hwc[0] * x.hwc[1])
    return formulas.rescale(float(x.scale[0]), float(out.scale[0]))


def _place(file: TfliteFile, network: Network, tensor: Tensor, buffer: int) -> int:
    """`buffer`, if it holds `tensor` or a part of it; else one that does."""
    behind = moved.clamping(file, network, tensor.index)
    tensor = file.tensors[behind[-1].outputs[0]] if behind else tensor
    holders = [view.buffer for view in network.tensors.get(tensor.index, ())]
    return buffer if buffer in holders else min(holders, default=-1)


def _compared(
    file: TfliteFile, network: Network, model: Model, record: Record, wanted: _Wanted
) -> Iterator[tuple[str, Any, Any]]:
    """What is compared: its name, as it is stored, as it is wanted."""
    inputs = record.inputs[: len(wanted.inputs)]
    # Groups of means are in buffers of their own, which hold no tensor of the file.
    grouped = wanted.inputs == (wanted.output,)
    if not grouped:
        places = zip(wanted.inputs, inputs, strict=True)
        yield "input buffers", inputs, tuple(_place(file, network, tensor, at) for tensor, at in places)
    if record.kind != Kind.MEAN:
        yield "output buffer", record.output, _place(file, network, wanted.output, record.output)
    points = tuple(model.zero_point(at) for at in (*inputs, record.output))
    yield "zero points", points, tuple(t.zero_point for t in (*wanted.inputs, wanted.output))
    yield "kernel", record.kernel, wanted.kernel
    yield "stride", record.stride, wanted.stride
    yield "padding", record.padding, wanted.padding
    yield "act_min and act_max", record.limits, wanted.limits
    yield "params", record.params[: len(wanted.params)], wanted.params


def check(file: TfliteFile, network: Network, model: Model) -> None:
    """UserError at the first layer that is not as its operator in the .tflite says.

    The weights, biases and multipliers of convolutions are compared by stored.py.
    """
    if model.layer_count != len(network.layers):
        raise UserError(
            f"{file.path}: the engine's model has {model.layer_count} layers; wanted {len(network.layers)}: "
            "a bug of the converter; please report it with the .tflite"
        )
    for index, layer in enumerate(network.layers):
        op, record = file.ops[layer.op_index], model.layer(index)
        kinds = _KINDS.get(op.name, ())
        if record.kind not in kinds:
            found: Iterator[tuple[str, Any, Any]] = iter([("kind", record.kind, [int(k) for k in kinds])])
        else:
            found = _compared(file, network, model, record, _of(file, network, op, record))
        for what, stored, wanted in found:
            if stored != wanted:
                raise UserError(
                    f"{file.path}: layer {layer.name}: its {what} in the engine's model: {stored}; op "
                    f"{op.index} {op.name} wants {wanted}: a bug of the converter; please report it with "
                    "the .tflite"
                )
