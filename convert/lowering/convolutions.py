"""Lowers CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: layers that multiply by weights."""

from dataclasses import dataclass
from math import prod

import numpy as np

from squeezenet_mcu.convert.lowering import fixed_point as quant
from squeezenet_mcu.convert.lowering.names import layer_name
from squeezenet_mcu.convert.lowering.state import Lowering, geometry
from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor
from squeezenet_mcu.convert.network import Kind, Layer

MAX_KERNEL = 7
# As in firmware_cpp/engine/model.cc, whose Checker refuses more.
MAX_TAPS = 65535  # weights of one output channel: its sum of products stays below 2^30


@dataclass(frozen=True)
class _Parameters:
    """Of each output channel: int32 bias, with the zero point folded in, int32 multiplier, int8 shift."""

    bias: np.ndarray
    multipliers: np.ndarray
    shifts: np.ndarray


def _constant_weights(low: Lowering, op: Op, rank: int) -> Tensor:
    weights = low.tensor(op.inputs[1])
    low.check_int8(op, op.inputs[0], weights.index, op.outputs[0])
    if weights.data is None or len(weights.shape) != rank or not weights.data.size:
        raise low.fail(op, weights, f"weights are not a constant of rank {rank}")
    if weights.zero_point != 0:
        raise low.fail(op, weights, f"weight zero point {weights.zero_point}; wanted 0")
    return weights


def _check_taps(low: Lowering, op: Op, weights: Tensor, taps: int) -> None:
    if taps > MAX_TAPS:
        raise low.fail(op, weights, f"{taps:,} weights of one output channel; wanted at most {MAX_TAPS:,}")


def _real_multipliers(low: Lowering, op: Op, channels: int) -> list[float]:
    """As TFLite's PopulateConvolutionQuantizationParams computes them, with doubles."""
    x, weights, out = (low.tensor(i) for i in (op.inputs[0], op.inputs[1], op.outputs[0]))
    if len(weights.scale) not in (1, channels):
        raise low.fail(op, weights, f"{len(weights.scale)} scales; wanted 1 or {channels}")
    scales = np.broadcast_to(weights.scale.astype(np.float64), (channels,))
    return [float(x.scale[0]) * s / float(out.scale[0]) for s in scales.tolist()]


def _parameters(low: Lowering, op: Op, sums: np.ndarray) -> _Parameters:
    """`sums`: int64 [channels], of each one's weights."""
    x, weights = low.tensor(op.inputs[0]), low.tensor(op.inputs[1])
    bias = np.zeros(len(sums), np.int64)
    if len(op.inputs) > 2 and op.inputs[2] >= 0:
        b = low.tensor(op.inputs[2])
        if b.type_name != "INT32" or b.data is None or b.data.size != len(sums):
            raise low.fail(op, b, f"bias; wanted {len(sums)} constant int32")
        bias += b.data.reshape(-1)
    bias -= x.zero_point * sums
    if np.abs(bias).max(initial=0) > quant.INT32_MAX:
        raise low.fail(op, weights, "bias with the zero point folded in exceeds int32")
    fixed = [low.multiplier(op, real) for real in _real_multipliers(low, op, len(sums))]
    return _Parameters(
        bias.astype(np.int32),
        np.array([m.multiplier for m in fixed], np.int32),
        np.array([m.shift for m in fixed], np.int8),
    )


def _of_windows(low: Lowering, op: Op, w: np.ndarray) -> _Parameters:
    """The parameters that go with int8 weights [out, kernel_h, kernel_w, in]."""
    _check_taps(low, op, low.tensor(op.inputs[1]), w[0].size)
    return _parameters(low, op, w.astype(np.int64).sum(axis=(1, 2, 3)))


@dataclass(frozen=True)
class _Window:
    """Where a convolution's windows lie: the buffer that it reads, stride, padding above and left."""

    source: int
    stride: tuple[int, int]
    pads: tuple[int, int]


def _window(low: Lowering, op: Op, weights: Tensor, kernel: tuple[int, int]) -> _Window:
    out = low.tensor(op.outputs[0])
    if max(kernel) > MAX_KERNEL:
        raise low.fail(op, weights, f"kernel {kernel[0]}x{kernel[1]}; wanted at most {MAX_KERNEL}")
    if op.options.strideH not in (1, 2) or op.options.strideW not in (1, 2):
        raise low.fail(op, out, f"stride {op.options.strideH}x{op.options.strideW}; wanted 1 or 2")
    if op.options.dilationHFactor != 1 or op.options.dilationWFactor != 1:
        raise low.fail(op, out, "dilation; wanted 1")
    x = low.tensor(op.inputs[0])
    fused = low.pads.get(x.index)
    pads = geometry(low, op, x, out, kernel, fused[1:] if fused else None)
    stride = (int(op.options.strideH), int(op.options.strideW))
    return _Window(low.whole_input(op, fused[0] if fused else x.index), stride, pads)


def _add_conv(low: Lowering, op: Op, w: np.ndarray, window: _Window, found: _Parameters) -> None:
    """Adds a CONV_2D of int8 weights [out, kernel_h, kernel_w, in]."""
    out, channels = low.tensor(op.outputs[0]), len(w)
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.CONV_2D, op.index, [window.source], view.buffer, channels,
            view.channel, (w.shape[1], w.shape[2]), window.stride, *window.pads, act_min, act_max,
            weights=w, bias=found.bias, multipliers=found.multipliers, shifts=found.shifts,
            macs=out.hwc[0] * out.hwc[1] * w.size,
        )
    )  # fmt: skip


def conv(low: Lowering, op: Op) -> None:
    """CONV_2D."""
    weights = _constant_weights(low, op, 4)
    w = weights.data
    assert w is not None
    window = _window(low, op, weights, (w.shape[1], w.shape[2]))
    if w.shape[3] != low.buffers[window.source].channels:
        message = f"{w.shape[3]} input channels; the input has {low.buffers[window.source].channels}"
        raise low.fail(op, weights, message)
    low.check_channels(op, low.tensor(op.outputs[0]), len(w))
    _add_conv(low, op, w, window, _of_windows(low, op, w))


def depthwise(low: Lowering, op: Op) -> None:
    """DEPTHWISE_CONV_2D: a convolution where the input has one channel, else one output channel for each."""
    weights, out = _constant_weights(low, op, 4), low.tensor(op.outputs[0])
    w = weights.data
    assert w is not None
    kernel = (w.shape[1], w.shape[2])
    window = _window(low, op, weights, kernel)
    channels = low.buffers[window.source].channels
    low.check_channels(op, out, w.shape[3])
    if w.shape[0] != 1 or w.shape[3] % channels:
        raise low.fail(op, weights, f"wanted [1, height, width, a multiple of {channels} channels]")
    if channels == 1:
        w = np.ascontiguousarray(w.transpose(3, 1, 2, 0))
        _add_conv(low, op, w, window, _of_windows(low, op, w))
        return
    if w.shape[3] != channels:
        raise low.fail(op, weights, f"{w.shape[3] // channels} outputs for each input channel; wanted 1")
    found = _parameters(low, op, w.astype(np.int64).sum(axis=(0, 1, 2)))
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.DEPTHWISE, op.index, [window.source], view.buffer, channels,
            view.channel, kernel, window.stride, *window.pads, act_min, act_max,
            weights=w[0], bias=found.bias, multipliers=found.multipliers, shifts=found.shifts,
            macs=out.hwc[0] * out.hwc[1] * w.size,
        )
    )  # fmt: skip


def _check_sums(low: Lowering, op: Op, w: np.ndarray, found: _Parameters) -> None:
    """Fails where a sum, times its multiplier, may leave int32: what LiteRT makes of it then is undefined."""
    ends = w.astype(np.int64)
    largest = np.maximum(
        (ends * np.where(ends > 0, 127, -128)).sum(axis=1) + found.bias,
        (ends * np.where(ends > 0, 128, -127)).sum(axis=1) - found.bias,
    )
    real = np.ldexp(found.multipliers.astype(np.float64), found.shifts.astype(np.int64) - 31)
    worst = float((largest * real).max(initial=0.0))
    if worst > quant.INT32_MAX:
        out = low.tensor(op.outputs[0])
        raise low.fail(
            op,
            out,
            f"sums of up to {worst:,.0f} steps of the output; wanted what int32 holds: a larger scale",
        )


def fully_connected(low: Lowering, op: Op) -> None:
    """FULLY_CONNECTED: a DENSE, of a pixel or of a whole map.

    It is no convolution of one window: LiteRT rounds a FULLY_CONNECTED once, a convolution twice, which
    differs in one of a thousand values.
    """
    weights, out = _constant_weights(low, op, 2), low.tensor(op.outputs[0])
    w = weights.data
    assert w is not None
    if getattr(op.options, "weightsFormat", 0):
        raise low.fail(op, weights, "weights in a shuffled format; wanted the usual one")
    outputs, taps = w.shape
    source = low.flat_input(op, op.inputs[0])
    b = low.buffers[source.buffer]
    shape = (b.height, b.width, b.channels)
    if taps != prod(shape) or prod(out.shape) != outputs:
        found = f"weights {list(w.shape)} of {list(low.tensor(op.inputs[0]).shape)} to {list(out.shape)}"
        raise low.fail(op, weights, f"{found}; wanted all values of one image to a vector")
    low.check_channels(op, out, outputs)
    if source.order is not None:  # of a TRANSPOSE before: the weights are put in the map's order
        w = w[:, np.argsort(source.order)]
    w = np.ascontiguousarray(w).reshape(outputs, *shape)
    parameters = _of_windows(low, op, w)
    _check_sums(low, op, w.reshape(outputs, -1), parameters)
    view = low.destination(out)
    act_min, act_max = low.activation(op, out)
    low.layers.append(
        Layer(
            layer_name(low.file, op), Kind.DENSE, op.index, [source.buffer], view.buffer, outputs,
            view.channel, shape[:2], act_min=act_min, act_max=act_max, weights=w, bias=parameters.bias,
            multipliers=parameters.multipliers, shifts=parameters.shifts, scratch_bytes=4 * outputs,
            macs=w.size,
        )
    )  # fmt: skip
