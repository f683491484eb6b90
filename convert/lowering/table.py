"""Which function lowers an operator, by its name in the .tflite; and what is asked of the network's ends."""

from collections.abc import Callable
from math import prod

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import convolutions, maps, moves, pointwise, pools
from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.lowering.state import MAX_INPUT, Lowering
from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor, TfliteFile
from squeezenet_mcu.convert.network import Kind, Layer
from squeezenet_mcu.model.network.foreign_files import PAGE

MAX_SOFTMAX = 4095  # sums of exp are Q12.19; as in firmware_cpp/engine/model.cc


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
    if not np.isfinite(op.options.beta):
        raise low.fail(op, x, f"beta {op.options.beta}; wanted a number")
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


def _quantize(low: Lowering, op: Op) -> None:
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    at_input, at_output = x.index in low.file.inputs, out.index in low.file.outputs
    if x.type_name == "INT8" and out.type_name == "INT8":
        pointwise.requantize(low, op)
        return
    if not (at_input or at_output):
        types = f"{x.type_name} to {out.type_name}"
        readers = {reader.name for reader in low.consumers.get(out.index, [])}
        what = f"{types} in the middle of the network, for {' and '.join(sorted(readers)) or 'nobody'}"
        raise low.fail(op, out, f"{what}; is not supported: wanted int8 all the way")
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


BY_NAME: dict[str, Callable[[Lowering, Op], None]] = {
    "CONV_2D": convolutions.conv,
    "DEPTHWISE_CONV_2D": convolutions.depthwise,
    "FULLY_CONNECTED": convolutions.fully_connected,
    "MAX_POOL_2D": pools.pool,
    "AVERAGE_POOL_2D": pools.pool,
    "MEAN": pools.mean,
    "REDUCE_MAX": pools.reduce_max,
    "ADD": pointwise.arithmetic,
    "MUL": pointwise.arithmetic,
    "SUB": pointwise.arithmetic,
    "PAD": maps.pad,
    "CONCATENATION": maps.concatenation,
    "SOFTMAX": _softmax,
    "TRANSPOSE": moves.transpose,
    "RESHAPE": moves.reshape,
    "EXPAND_DIMS": moves.reshape,
    "SQUEEZE": moves.reshape,
    "SHAPE": moves.shape,
    "STRIDED_SLICE": moves.of_shapes,
    "PACK": moves.of_shapes,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _quantize,
    **dict.fromkeys(pointwise.BY_TABLE, pointwise.by_table),
}

# What operators that are often met come from, and what else would do.
_WAYS_OUT = {
    "PRELU": " (of PReLU, a slope for each channel): want LeakyReLU, one slope for all",
    "GREATER": " (of selu, or of a ReLU with a threshold): want elu, or a plain ReLU",
    "DIV": " (of softsign, or of a division of maps): want tanh",
}


def unsupported(low: Lowering, op: Op) -> UserError:
    """Of an operator that is not in the table."""
    return low.fail(
        op,
        low.tensor(op.outputs[0]) if op.outputs else None,
        f"is not supported{_WAYS_OUT.get(op.name, '')}; ENGINE=tflm runs what TensorFlow Lite Micro "
        f"knows; our engine: {', '.join(sorted(BY_NAME))}",
    )


def check_file(file: TfliteFile) -> None:
    """UserError unless it has one input and one output, and no activations of int16."""
    if len(file.inputs) != 1 or len(file.outputs) != 1:
        raise UserError(
            f"{file.path}: {len(file.inputs)} inputs, {len(file.outputs)} outputs; wanted 1 and 1"
        )
    wide = next((t for t in file.tensors if t.type_name == "INT16" and t.data is None), None)
    if wide is not None:
        raise UserError(
            f"{file.path}: {wide}: int16 activations; wanted int8: quantize with activations and weights of "
            "8 bits"
        )


def image(low: Lowering) -> Tensor:
    """The int8 image: the graph's input, or what a QUANTIZE makes of it. UserError for other inputs."""
    file = low.file
    given = low.tensor(file.inputs[0])
    first = low.consumers.get(given.index, [])
    edge = first[0] if len(first) == 1 and first[0].name == "QUANTIZE" else None
    if given.type_name != "INT8" and edge is None:
        raise UserError(
            f"{file.path}: input {given}; wanted a fully int8-quantized .tflite (post-training quantization "
            f"with int8 input and output, or quantization-aware training); {PAGE} has scripts"
        )
    if len(given.shape) != 4 or given.shape[0] != 1:
        raise UserError(f"{file.path}: input {given}; wanted [1, height, width, channels]")
    if (values := prod(given.shape)) > MAX_INPUT:
        raise UserError(f"{file.path}: input {given}: {values:,} values; wanted at most {MAX_INPUT:,}")
    return low.tensor(edge.outputs[0]) if edge and given.type_name != "INT8" else given


def check_output(low: Lowering) -> None:
    if not low.layers:
        raise UserError(f"{low.file.path}: no operator computes anything; wanted a network")
    if low.file.outputs[0] in low.orders:
        output = low.tensor(low.file.outputs[0])
        raise low.fail(low.file.ops[-1], output, "output: its values are transposed; not supported")
