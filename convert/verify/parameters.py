"""Reads an engine's model back: windows, limits, multipliers and buffers of each layer are its operator's.

Sample images cannot tell: a limit that is one lower, or a multiplier that is off by a little, changes none of
their values. What the .tflite wants is computed by formulas.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor, TfliteFile
from squeezenet_mcu.convert.network import Kind, Network
from squeezenet_mcu.convert.verify import formulas
from squeezenet_mcu.convert.verify.records import Model, Record

Pair = tuple[int, int]

_KINDS = {
    "CONV_2D": (Kind.CONV_2D,),
    "MAX_POOL_2D": (Kind.MAX_POOL,),
    "AVERAGE_POOL_2D": (Kind.AVERAGE_POOL,),
    "MEAN": (Kind.MEAN, Kind.REQUANTIZE),  # the second copies a group's means behind those of the others
    "ADD": (Kind.ADD,),
    "PAD": (Kind.PAD,),
    "CONCATENATION": (Kind.REQUANTIZE,),
    "QUANTIZE": (Kind.REQUANTIZE,),
    "SOFTMAX": (Kind.SOFTMAX,),
}


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


def _limits(op: Op, out: Tensor) -> Pair:
    return formulas.limits(int(op.options.fusedActivationFunction), float(out.scale[0]), out.zero_point)


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
    return _Wanted((x,), out, kernel, stride, padding, _limits(op, out), params)


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
    options: Any = op.options
    if op.name == "CONV_2D":
        _, height, width, _ = file.tensors[op.inputs[1]].shape
        return _window(file, network, op, (height, width))
    if op.name in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        return _window(file, network, op, (int(options.filterHeight), int(options.filterWidth)))
    if op.name == "ADD":
        other = file.tensors[op.inputs[1]]
        fixed = formulas.add(float(x.scale[0]), float(other.scale[0]), float(out.scale[0]))
        params = (*(multiplier for multiplier, _ in fixed), *(shift for _, shift in fixed))
        return _Wanted((x, other), out, limits=_limits(op, out), params=params)
    if op.name == "PAD":
        return _Wanted((x,), out, padding=_amounts(file, op))
    if record.kind == Kind.REQUANTIZE and op.name != "QUANTIZE":
        x = _copied(file, network, op, record) if op.name == "CONCATENATION" else out
    return _Wanted((x,), out, params=_scaled(op, x, out, record.kind))


def _scaled(op: Op, x: Tensor, out: Tensor, kind: int) -> tuple[int, ...]:
    """The params of a layer that takes values of `x` to the scale of `out`."""
    if kind == Kind.SOFTMAX:
        return formulas.softmax(float(op.options.beta), float(x.scale[0]))
    if kind == Kind.MEAN:
        return formulas.mean(float(x.scale[0]), float(out.scale[0]), x.hwc[0] * x.hwc[1])
    return formulas.rescale(float(x.scale[0]), float(out.scale[0]))


def _place(network: Network, tensor: Tensor, buffer: int) -> int:
    """`buffer`, if it holds `tensor` or a part of it; else one that does."""
    holders = [view.buffer for view in network.tensors.get(tensor.index, ())]
    return buffer if buffer in holders else min(holders, default=-1)


def _compared(
    network: Network, model: Model, record: Record, wanted: _Wanted
) -> Iterator[tuple[str, Any, Any]]:
    """What is compared: its name, as it is stored, as it is wanted."""
    inputs = record.inputs[: len(wanted.inputs)]
    # Groups of means are in buffers of their own, which hold no tensor of the file.
    grouped = wanted.inputs == (wanted.output,)
    if not grouped:
        places = zip(wanted.inputs, inputs, strict=True)
        yield "input buffers", inputs, tuple(_place(network, tensor, at) for tensor, at in places)
    if record.kind != Kind.MEAN:
        yield "output buffer", record.output, _place(network, wanted.output, record.output)
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
            found = _compared(network, model, record, _of(file, network, op, record))
        for what, stored, wanted in found:
            if stored != wanted:
                raise UserError(
                    f"{file.path}: layer {layer.name}: its {what} in the engine's model: {stored}; op "
                    f"{op.index} {op.name} wants {wanted}: a bug of the converter; please report it with "
                    "the .tflite"
                )
