"""What Huffman-coded weights take on top, whatever the kernel (firmware_cpp/engine/huffman_layer.h)."""

from collections.abc import Callable

from squeezenet_mcu.convert.encode.entropy import Mode, mode_of
from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, up

TABLES_BYTES = 4128  # sizeof(HuffmanTables)
# Instructions of a call: to make the decoder's tables, of four classes; and a channel's parameters.
_CALL = {Mode.ALL: 4700.0, Mode.GAPS: 7800.0, Mode.MASKS: 28000.0}
_PARAMS = 28.0
# To decode: a stored weight, by lists and by bytes; a mask; a channel.
_WEIGHT = {Mode.ALL: (22.0, 9.0), Mode.GAPS: (19.8, 18.4), Mode.MASKS: (17.0, 16.8)}
_MASK = 10.7
_CHANNEL = (140.0, 110.0)


def _decoding(s: Shape, to_list: bool) -> float:
    """Instructions to decode all weights once."""
    weights = s.taps * s.out_channels
    mode = mode_of(s.nonzeros, weights, (s.kernel_h, s.kernel_w))
    sink = 0 if to_list else 1
    total = _CHANNEL[sink] * s.out_channels
    total += _WEIGHT[mode][sink] * (weights if mode is Mode.ALL else s.nonzeros)
    if mode is Mode.MASKS:
        total += _MASK * weights / 9
    if mode is not Mode.ALL and not to_list:
        total += 0.3 * weights  # zeros
    return total


def _making(s: Shape) -> float:
    """Instructions of a call before its kernel runs."""
    mode = mode_of(s.nonzeros, s.taps * s.out_channels, (s.kernel_h, s.kernel_w))
    return _CALL[mode] + _PARAMS * s.out_channels


def huffman_front(s: Shape, kernel: ConvKernel) -> int:
    """Bytes of parameters, the decoder's tables and two channels' weights in front of a kernel's scratch."""
    rows = 0 if kernel in (ConvKernel.SPARSE_LIST, ConvKernel.REFERENCE) else 2 * up(s.taps, 4)
    return up(up(9 * s.out_channels, 4) + TABLES_BYTES + rows, 8)


def entropy_coded(model: KernelModel, passes: Callable[[Shape, int], int], known: float = 0.0) -> KernelModel:
    """`model`, of dense or sparse weights, with Huffman-coded ones.

    passes: how often a call decodes them all, given its scratch; known: what `model` has for it already,
    instructions a stored weight.
    """
    to_list = model.kernel is ConvKernel.SPARSE_LIST

    def cost(s: Shape, scratch: int) -> float:
        own = scratch - huffman_front(s, model.kernel)
        once = _decoding(s, to_list) - known * s.nonzeros
        return model.cost(s, own) + passes(s, own) * once + _making(s)

    return KernelModel(
        model.kernel,
        Encoding.HUFFMAN,
        model.supports,
        lambda s: huffman_front(s, model.kernel) + model.scratch(s),
        lambda s: huffman_front(s, model.kernel) + model.useful_scratch(s),
        cost,
    )
