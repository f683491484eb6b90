"""What each layer computes, in plain numpy: TFLite's integer arithmetic, apart from the engine's sources."""

import numpy as np

from squeezenet_mcu.convert.network import Kind, Layer, Network

_INT32 = 1 << 32


def wrapped(x: np.ndarray) -> np.ndarray:
    """int64 -> the int32 of the same bits, as int64."""
    return (x + (1 << 31)) % _INT32 - (1 << 31)


def doubling_high_mul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """gemmlowp's SaturatingRoundingDoublingHighMul, int64 in and out."""
    return (a * b + (1 << 30)) >> 31


def rounding_shift_right(x: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """x / 2^exponent, half away from zero."""
    half = np.where(exponent > 0, 1 << np.maximum(exponent - 1, 0), 0)
    return np.sign(x) * ((np.abs(x) + half) >> exponent)


def rescale(x: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """TFLite's MultiplyByQuantizedMultiplier."""
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    return rounding_shift_right(doubling_high_mul(wrapped(x << left), multiplier), right)


def to_int8(x: np.ndarray, zero_point: int, low: int, high: int) -> np.ndarray:
    """Adds the zero point and clamps."""
    return np.clip(wrapped(x + zero_point), low, high).astype(np.int8)


def _wide(values: np.ndarray | int) -> np.ndarray:
    return np.asarray(values, np.int64)


def _windows(layer: Layer, x: np.ndarray, shape: tuple[int, int], fill: int) -> np.ndarray:
    """[height, width, kernel_h, kernel_w, channels] of `x` [h, w, c], which `fill` surrounds."""
    (kernel_h, kernel_w), (stride_h, stride_w), (height, width) = layer.kernel, layer.stride, shape
    rows, columns = (height - 1) * stride_h + kernel_h, (width - 1) * stride_w + kernel_w
    bottom, right = layer.pad_top + x.shape[0], layer.pad_left + x.shape[1]
    canvas = np.full((max(rows, bottom), max(columns, right), x.shape[2]), fill, x.dtype)
    canvas[layer.pad_top : bottom, layer.pad_left : right] = x
    windows = np.lib.stride_tricks.sliding_window_view(canvas, (kernel_h, kernel_w), (0, 1))
    top_left = windows[: rows - kernel_h + 1 : stride_h, : columns - kernel_w + 1 : stride_w]
    return top_left.transpose(0, 1, 3, 4, 2)


def _convolution(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    source, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
    patches = _windows(layer, x.astype(np.float64), (out.height, out.width), source.zero_point)
    weights = layer.weights.reshape(len(layer.weights), -1).astype(np.float64)
    # Products and sums are whole numbers below 2^53: exact in any order.
    sums = patches.reshape(out.height * out.width, -1) @ weights.T
    accumulators = wrapped(sums.astype(np.int64) + _wide(layer.bias))
    scaled = rescale(accumulators, _wide(layer.multipliers), _wide(layer.shifts))
    values = to_int8(scaled, out.zero_point, layer.act_min, layer.act_max)
    return values.reshape(out.height, out.width, -1)


def _pool(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    out = network.buffers[layer.output]
    # 1000 stands for a tap outside of the map.
    windows = _windows(layer, x.astype(np.int64), (out.height, out.width), 1000)
    inside = windows != 1000
    if layer.kind is Kind.MAX_POOL:
        values = np.where(inside, windows, -128).max(axis=(2, 3))
    else:
        counts = inside.sum(axis=(2, 3))
        sums = np.where(inside, windows, 0).sum(axis=(2, 3))
        values = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
    return np.clip(values, layer.act_min, layer.act_max).astype(np.int8)


def _mean(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    zero_point = network.buffers[layer.inputs[0]].zero_point
    sums = x.astype(np.int64).sum(axis=(0, 1)) - zero_point * x.shape[0] * x.shape[1]
    multiplier, shift = layer.params
    scaled = rescale(sums, _wide(multiplier), _wide(shift))
    return to_int8(scaled, network.buffers[layer.output].zero_point, -128, 127)[None, None]


def _add(network: Network, layer: Layer, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    p = [_wide(value) for value in layer.params]
    terms = []
    for x, index, multiplier, shift in ((a, layer.inputs[0], p[0], p[3]), (b, layer.inputs[1], p[1], p[4])):
        raised = (x.astype(np.int64) - network.buffers[index].zero_point) << 20
        terms.append(rescale(raised, multiplier, shift))
    scaled = rescale(wrapped(terms[0] + terms[1]), p[2], p[5])
    return to_int8(scaled, network.buffers[layer.output].zero_point, layer.act_min, layer.act_max)


def _requantize(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    multiplier, shift = layer.params
    source = network.buffers[layer.inputs[0]].zero_point
    scaled = rescale(x.astype(np.int64) - source, _wide(multiplier), _wide(shift))
    return to_int8(scaled, network.buffers[layer.output].zero_point, -128, 127)


def _lookup(_network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    found: np.ndarray = layer.constant[x.astype(np.int64) + 128]
    return found


def _mul_constant(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    multiplier, shift = layer.params
    products = (x.astype(np.int64) - network.buffers[layer.inputs[0]].zero_point) * _wide(layer.constant)
    scaled = rescale(products, _wide(multiplier), _wide(shift))
    return to_int8(scaled, network.buffers[layer.output].zero_point, layer.act_min, layer.act_max)


def _add_constant(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    p = [_wide(value) for value in layer.params]
    raised = (x.astype(np.int64) - network.buffers[layer.inputs[0]].zero_point) << 20
    terms = wrapped(rescale(raised, p[0], p[2]) + _wide(layer.constant))
    scaled = rescale(terms, p[1], p[3])
    return to_int8(scaled, network.buffers[layer.output].zero_point, layer.act_min, layer.act_max)


def _depthwise(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    source, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
    patches = _windows(layer, x.astype(np.int64), (out.height, out.width), source.zero_point)
    sums = np.einsum("hwyxc,yxc->hwc", patches, _wide(layer.weights))
    scaled = rescale(wrapped(sums + _wide(layer.bias)), _wide(layer.multipliers), _wide(layer.shifts))
    return to_int8(scaled, out.zero_point, layer.act_min, layer.act_max)


def _dense(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    """Rounded once, halves up, as LiteRT does for FULLY_CONNECTED."""
    sums = wrapped(_wide(layer.weights).reshape(len(layer.weights), -1) @ _wide(x).reshape(-1) + layer.bias)
    scaled = [
        (int(total) * int(multiplier) + (1 << 30 - int(shift))) >> 31 - int(shift)
        for total, multiplier, shift in zip(sums, layer.multipliers, layer.shifts, strict=True)
    ]
    zero_point = network.buffers[layer.output].zero_point
    low = [wrapped(_wide(value % _INT32)) for value in scaled]  # C++ keeps 32 bits
    return to_int8(np.array(low), zero_point, layer.act_min, layer.act_max)[None, None]


def _padded(network: Network, layer: Layer, x: np.ndarray) -> np.ndarray:
    out = network.buffers[layer.output]
    canvas = np.full((out.height, out.width, x.shape[2]), out.zero_point, np.int8)
    canvas[layer.pad_top : layer.pad_top + x.shape[0], layer.pad_left : layer.pad_left + x.shape[1]] = x
    return canvas


def _exp_of_negative(a: int) -> int:
    """exp of `a` <= 0 in Q5.26, as Q0.31 (gemmlowp's exp_on_negative_values)."""
    if a == 0:
        return (1 << 31) - 1
    quarter = 1 << 24
    low = (a & (quarter - 1)) - quarter
    high = low - a
    x = (low << 5) + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3, x4 = doubling_high_mul(x2, x), doubling_high_mul(x2, x2)
    tail = _shift(doubling_high_mul(_shift(x4, 2) + x3, 715827883) + x2, 1)
    result = 1895147668 + doubling_high_mul(1895147668, x + tail)
    powers = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for k, power in enumerate(powers):
        if high >> (24 + k) & 1:
            result = doubling_high_mul(result, power)
    return result


def _shift(x: int, exponent: int) -> int:
    return int(rounding_shift_right(_wide(x), _wide(exponent)))


def _saturated(x: int) -> int:
    return min(max(x, -(1 << 31)), (1 << 31) - 1)


def _softmax(_network: Network, layer: Layer, logits: np.ndarray) -> np.ndarray:
    multiplier, left_shift, smallest = layer.params
    differences = logits.reshape(-1).astype(int) - int(logits.max())

    def power(difference: int) -> int:
        raised = int(wrapped(_wide(difference << left_shift)))
        return _exp_of_negative(min(doubling_high_mul(raised, multiplier), 0))

    powers = [power(int(d)) if d >= smallest else None for d in differences]
    total = sum(_shift(p, 12) for p in powers if p is not None)  # Q12.19
    headroom = 32 - total.bit_length()
    half = ((total << headroom) - (1 << 31) + (1 << 31)) // 2
    x = 1515870810 + doubling_high_mul(half, -1010580540)  # 1 / (1 + a), Newton-Raphson on Q2.29
    for _ in range(3):
        error = (1 << 29) - doubling_high_mul(half, x)
        x += _saturated(doubling_high_mul(x, error) << 2)
    scale, exponent = _saturated(x << 1), 12 - headroom + 31 - 8
    values = [
        0 if p is None or exponent > 31 else _shift(doubling_high_mul(scale, p), exponent) for p in powers
    ]
    return np.clip(np.array(values) - 128, -128, 127).astype(np.int8).reshape(logits.shape)


_REFERENCES = {
    Kind.CONV_2D: _convolution,
    Kind.MAX_POOL: _pool,
    Kind.AVERAGE_POOL: _pool,
    Kind.MEAN: _mean,
    Kind.ADD: _add,
    Kind.PAD: _padded,
    Kind.REQUANTIZE: _requantize,
    Kind.SOFTMAX: _softmax,
    Kind.LOOKUP: _lookup,
    Kind.MUL_CONSTANT: _mul_constant,
    Kind.ADD_CONSTANT: _add_constant,
    Kind.DEPTHWISE: _depthwise,
    Kind.DENSE: _dense,
}


def maps_of(network: Network, image: np.ndarray) -> list[np.ndarray]:
    """Every buffer's map, int8 [height, width, channels], for an image of the same kind."""
    maps = [np.zeros((b.height, b.width, b.channels), np.int8) for b in network.buffers]
    maps[network.input_buffer][:] = image
    for layer in network.layers:
        values = _REFERENCES[layer.kind](network, layer, *(maps[i] for i in layer.inputs))
        maps[layer.output][..., layer.out_channel : layer.out_channel + layer.out_channels] = values
    return maps
