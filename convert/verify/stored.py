"""Reads an engine's model back: what it is made of is the .tflite's, to the last bit.

Weights, biases and multipliers of convolutions here; all other parameters in parameters.py; in ends.py what
it says of its input and outputs.

Sample images cannot tell: a multiplier of 31 bits that is off by one, or a bias of a channel that is never
on, changes no value of theirs. Written apart from convert/encode and convert/lowering, whose mistakes it is
to find.
"""

from dataclasses import dataclass

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor, TfliteFile
from squeezenet_mcu.convert.network import Encoding, Kind, Layer, Network
from squeezenet_mcu.convert.verify import constants, ends, huffman_stream, moved, parameters
from squeezenet_mcu.convert.verify.records import Model

# A 3x3 kernel at the points of F(2, 3) down and F(4, 3) along (firmware_cpp/engine/dsp/winograd.h).
_DOWN = ((1, 1, 1), (1, -1, 1), (0, 0, 1), (1, 0, 0))
_ALONG = ((1, 0, 0), (1, 1, 1), (1, -1, 1), (1, 2, 4), (1, -2, 4), (0, 0, 1))
# Of which weights each of the five taps of a direction is the sum (firmware_cpp/engine/dsp/fast_fir.h).
_FIR_SUMS = ([0, 2], [1], [0], [1], [2])

_MULTIPLYING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class _Wanted:
    """What the .tflite says of some output channels of a convolution; int64 but for `weights`."""

    weights: np.ndarray  # int8 [out, kernel_h, kernel_w, in]
    bias: np.ndarray
    zero_point: int  # of the input
    scale: np.ndarray  # float64: of the input, times that of the weights, by that of the output


def _constant(tensor: Tensor) -> np.ndarray:
    assert tensor.data is not None, "lowering takes constant weights and biases only"
    return tensor.data


def _dense_weights(file: TfliteFile, op: Op) -> np.ndarray:
    """Of a FULLY_CONNECTED, int8 [out, height, width, channels] of the map that it reads."""
    found = moved.source(file, op.inputs[0])
    given, shape = _constant(file.tensors[op.inputs[1]]), found.tensor.hwc
    weights = np.zeros_like(given)
    weights[:, found.places] = given
    return weights.reshape(len(given), *shape)


def _wanted(file: TfliteFile, op: Op, part: slice) -> _Wanted:
    x, w, out = file.tensors[op.inputs[0]], file.tensors[op.inputs[1]], file.tensors[op.outputs[0]]
    weights = _constant(w)
    scale = np.float64(x.scale[0]) * w.scale.astype(np.float64) / np.float64(out.scale[0])
    if op.name == "DEPTHWISE_CONV_2D":
        weights = weights.transpose(3, 1, 2, 0)  # one input channel each
    if op.name == "FULLY_CONNECTED":
        weights = _dense_weights(file, op)
    bias = np.zeros(len(weights), np.int64)
    if len(op.inputs) > 2 and op.inputs[2] >= 0:
        bias = _constant(file.tensors[op.inputs[2]]).reshape(-1).astype(np.int64)
    return _Wanted(weights[part], bias[part], x.zero_point, np.broadcast_to(scale, len(weights))[part])


def _sparse(content: bytes, shape: tuple[int, ...]) -> np.ndarray:
    words = np.frombuffer(content, "<u2")
    found = np.zeros((shape[0], int(np.prod(shape[1:]))), np.int8)
    at = 0
    for o in range(shape[0]):
        entries = words[at + 1 : at + 1 + int(words[at])]
        found[o, np.cumsum((entries & 0xFF).astype(np.int64) + 1) - 1] = (entries >> 8).astype(np.int8)
        at += 1 + len(entries)
    return found.reshape(shape)


def _winograd(content: bytes, shape: tuple[int, ...]) -> np.ndarray:
    out, quads = shape[0], -(-shape[3] // 4)
    stored = np.frombuffer(content, "<i2").reshape(-1, 24, quads, 2, 2, 2)
    # [pair, position, quad, word, channel of the pair, half] -> [out, column, row, in]
    kernels = stored.transpose(0, 4, 1, 2, 5, 3).reshape(-1, 6, 4, quads * 4)[:out, ..., : shape[3]]
    back = np.einsum("yk,xj,njkc->nyxc", np.linalg.pinv(_DOWN), np.linalg.pinv(_ALONG), kernels)
    weights = np.rint(back).astype(np.int64)
    if not np.array_equal(np.einsum("ky,jx,nyxc->njkc", _DOWN, _ALONG, weights), kernels):
        raise ValueError("not the transform of whole weights")
    found: np.ndarray = weights.astype(np.int8)
    return found


def _slices(content: bytes, shape: tuple[int, ...]) -> np.ndarray:
    channels, taps = shape[0], int(np.prod(shape[1:]))
    stored = np.frombuffer(content, np.int8).reshape(-1, -(-channels // 4) * 4, 16)
    return stored.transpose(1, 0, 2).reshape(stored.shape[1], -1)[:channels, :taps].reshape(shape)


def _fast_fir(content: bytes, shape: tuple[int, ...]) -> np.ndarray:
    out, quads = shape[0], -(-shape[3] // 4)
    stored = np.frombuffer(content, "<i2").reshape(-1, 25, quads, 2, 2, 2)
    # [pair, tap, quad, word, channel of the pair, half] -> [out, tap, in]
    taps = stored.transpose(0, 4, 1, 2, 5, 3).reshape(-1, 25, quads * 4)[:out, :, : shape[3]]
    places = [[10 + 2 * row, 2 * row + 1, 20 + row] for row in (2, 1, 4)]  # of the weights among the taps
    weights: np.ndarray = (taps[:, places] // 2).astype(np.int8)
    for row, rows in enumerate(_FIR_SUMS):
        for column, columns in enumerate(_FIR_SUMS):
            at = 20 + row if column == 4 else column // 2 * 10 + 2 * row + column % 2
            sums = weights[:, rows][:, :, columns].sum(axis=(1, 2), dtype=np.int64)
            if not np.array_equal(taps[:, at], 2 * sums):
                raise ValueError("not the sums of whole weights")
    return weights


def _multipliers_ok(scale: np.ndarray, multipliers: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """bool [out]: multiplier * 2^(shift - 31) is the nearest to `scale` that 31 bits can say."""
    nearest = np.floor(np.ldexp(scale, 31 - shifts.astype(np.int32)) + 0.5)
    full = (multipliers >= 1 << 30) & (multipliers < 1 << 31)
    normal = full & (shifts >= -31) & (shifts <= 30) & (nearest == multipliers)
    nothing = (scale < 2.0**-32) & (multipliers == 0) & (shifts == 0)
    beyond = (scale >= 2.0**30) & (multipliers == (1 << 31) - 1) & (shifts == 30)
    right: np.ndarray = normal | nothing | beyond
    return right


def _weights(model: Model, index: int, shape: tuple[int, ...]) -> np.ndarray:
    record = model.layer(index)
    if record.kind == Kind.DEPTHWISE:  # one input channel each; channels stand side by side
        return np.frombuffer(record.weights, np.int8).reshape(*shape[1:3], shape[0], 1).transpose(2, 0, 1, 3)
    if record.kind == Kind.DENSE or record.encoding == Encoding.DENSE:
        return np.frombuffer(record.weights, np.int8).reshape(shape)
    if record.encoding == Encoding.HUFFMAN:
        return huffman_stream.weights(record.weights, model.codes, shape)
    readers = {
        Encoding.SPARSE: _sparse,
        Encoding.WINOGRAD: _winograd,
        Encoding.SLICES: _slices,
        Encoding.FAST_FIR: _fast_fir,
    }
    return readers[Encoding(record.encoding)](record.weights, shape)


def _parameters(model: Model, index: int, wanted: _Wanted) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """int64 biases without the input's zero point, multipliers and shifts."""
    record, content, count = model.layer(index), model.content, len(wanted.bias)
    at = record.params
    if record.encoding == Encoding.HUFFMAN:
        return huffman_stream.parameters(content[at[0] : at[0] + at[1]], count)
    bias = np.frombuffer(content, "<i4", count, at[0]).astype(np.int64)
    folded = wanted.weights.reshape(count, -1).astype(np.int64).sum(axis=1) * wanted.zero_point
    multipliers = np.frombuffer(content, "<i4", count, at[1]).astype(np.int64)
    return bias + folded, multipliers, np.frombuffer(content, np.int8, count, at[2]).astype(np.int64)


def _difference(model: Model, index: int, wanted: _Wanted) -> str | None:
    """What differs in the convolution of record `index`: "weights", "biases" or "multipliers"."""
    try:
        weights = _weights(model, index, wanted.weights.shape)
        bias, multipliers, shifts = _parameters(model, index, wanted)
    except (ValueError, IndexError, KeyError):
        return "weights or parameters, which cannot be read back"
    if not np.array_equal(weights, wanted.weights):
        return "weights"
    if not np.array_equal(bias, wanted.bias):
        return "biases"
    return None if _multipliers_ok(wanted.scale, multipliers, shifts).all() else "multipliers"


def check(file: TfliteFile, network: Network, blob: bytes) -> None:
    """UserError at the first weight, bias, multiplier or other parameter that is not the .tflite's."""
    model = Model(blob)
    ends.check(file, network, model)
    parameters.check(file, network, model)
    constants.check(file, network, model)
    _check_convolutions(file, network, model)


def _check_convolutions(file: TfliteFile, network: Network, model: Model) -> None:
    done = {op.index: 0 for op in file.ops if op.name in _MULTIPLYING}
    index: int
    layer: Layer
    for index, layer in enumerate(network.layers):
        if layer.kind not in (Kind.CONV_2D, Kind.DEPTHWISE, Kind.DENSE):
            continue
        # A convolution that is split by channels has several layers, which stand in their channels' order.
        op, first = file.ops[layer.op_index], done[layer.op_index]
        done[layer.op_index] += layer.out_channels
        wanted = _wanted(file, op, slice(first, first + layer.out_channels))
        if len(wanted.bias) != layer.out_channels:
            what: str | None = f"{done[layer.op_index]} channels"
        else:
            what = _difference(model, index, wanted)
        if what:
            raise UserError(
                f"{file.path}: layer {layer.name}: its {what} in the engine's model are not those of op "
                f"{op.index} {op.name}: a bug of the converter; please report it with the .tflite"
            )
    for op_index, channels in done.items():
        op = file.ops[op_index]
        if channels != file.tensors[op.outputs[0]].hwc[2]:
            raise UserError(
                f"{file.path}: op {op_index} {op.name}: the engine's model has {channels} of its channels: a "
                "bug of the converter; please report it with the .tflite"
            )
