"""Networks that somebody might train instead: a smaller input, a thinned layer, weights of fewer bits.

Only what sizes and times depend on is changed; nobody runs these networks.
"""

from dataclasses import replace

import numpy as np

from squeezenet_mcu.convert.encode import entropy
from squeezenet_mcu.convert.network import Buffer, Kind, Layer, Network
from squeezenet_mcu.convert.select.known import Known

_SLIDING = (Kind.CONV_2D, Kind.DEPTHWISE, Kind.MAX_POOL, Kind.AVERAGE_POOL)
_POOLS = (Kind.MAX_POOL, Kind.AVERAGE_POOL)
_BYTES_A_SUM = 4


def thinned(known: Known, index: int, zeros: float) -> Known:
    """With the smallest weights of convolution `index` set to 0, until so large a share is.

    The layer gets Huffman codes of its own, beside those of the others, which is quick and costs some bytes.
    """
    layers = list(known.network.layers)
    weights = layers[index].conv.weights
    order = np.argsort(np.abs(weights.astype(np.int16)).reshape(-1), kind="stable")
    thin = weights.reshape(-1).copy()
    thin[order[: round(zeros * weights.size)]] = 0
    layers[index] = replace(layers[index], weights=thin.reshape(weights.shape))
    alone = replace(known.network, layers=[layers[index]], codes=b"")
    entropy.code(alone)
    return Known(replace(known.network, layers=layers, codes=known.network.codes + alone.codes), known.peaks)


def narrowed(known: Known, bits: int) -> Known:
    """With all weights of convolutions in so many bits."""

    def narrow(layer: Layer) -> Layer:
        if layer.kind is not Kind.CONV_2D or entropy.value_bits(layer.conv.weights) <= bits:
            return layer
        before = (1 << (entropy.value_bits(layer.conv.weights) - 1)) - 1
        most = (1 << (bits - 1)) - 1
        scaled = np.rint(layer.conv.weights * (most / before)).clip(-most, most)
        return replace(layer, weights=scaled.astype(np.int8))

    layers = [narrow(layer) for layer in known.network.layers]
    return Known(replace(known.network, layers=layers, codes=b""), known.peaks)


def smaller(known: Known, share: float) -> Known | None:
    """With an input of that share of its sides; None where a layer wants its map as large as it is."""
    network = known.network
    image = network.buffers[network.input_buffer]
    sizes = {network.input_buffer: (round(image.height * share), round(image.width * share))}
    layers = []
    for layer in network.layers:
        made = _on_smaller(network, layer, sizes[layer.inputs[0]])
        if made is None or min(made[1]) < 1 or sizes.setdefault(layer.output, made[1]) != made[1]:
            return None
        if any(sizes[i] != sizes[layer.inputs[0]] for i in layer.inputs):
            return None
        layers.append(made[0])
    buffers: list[Buffer] = [
        replace(buffer, height=sizes[i][0], width=sizes[i][1]) for i, buffer in enumerate(network.buffers)
    ]
    return Known(replace(network, layers=layers, buffers=buffers))


def _on_smaller(
    network: Network, layer: Layer, size: tuple[int, int]
) -> tuple[Layer, tuple[int, int]] | None:
    """The layer on a map of that size, and the size of what it makes."""
    source, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
    before = (source.height, source.width)
    if layer.kind is Kind.MEAN:
        return replace(layer, kernel=size), (1, 1)
    if layer.kind is Kind.DENSE:
        return (layer, (1, 1)) if before == size else None
    if layer.kind is Kind.PAD:
        return layer, (size[0] + out.height - source.height, size[1] + out.width - source.width)
    if layer.kind not in _SLIDING:
        return layer, size
    if layer.kernel == before and before != (1, 1):  # of the whole map
        return (replace(layer, kernel=size), (1, 1)) if layer.kind in _POOLS else None
    high, top = _slide(source.height, out.height, layer, 0, size[0])
    wide, left = _slide(source.width, out.width, layer, 1, size[1])
    macs = layer.macs * high * wide // (out.height * out.width)
    made = replace(layer, pad_top=top, pad_left=left, macs=macs)
    if layer.kind in _POOLS:
        windows = min(-(-layer.kernel[0] // layer.stride[0]), high)
        made.params = [windows]
        if layer.kind is Kind.AVERAGE_POOL:
            made.scratch_bytes = _BYTES_A_SUM * windows * wide * layer.out_channels
    return made, (high, wide)


def _slide(before: int, out: int, layer: Layer, axis: int, now: int) -> tuple[int, int]:
    """Along an axis: how many windows a map of `now` has, and the padding before the first."""
    kernel, stride = layer.kernel[axis], layer.stride[axis]
    pad = (layer.pad_top, layer.pad_left)[axis]
    if -(-before // stride) == out and pad == max((out - 1) * stride + kernel - before, 0) // 2:
        count = -(-now // stride)  # padding SAME
        return count, max((count - 1) * stride + kernel - now, 0) // 2
    padding = max((out - 1) * stride + kernel - before, 2 * pad)
    return (now + padding - kernel) // stride + 1, pad
