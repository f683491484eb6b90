"""What Huffman-coded weights take on top, whatever the kernel (firmware_cpp/engine/huffman_layer.h)."""

from collections.abc import Callable

from squeezenet_mcu.convert.encode.entropy import TOP_BITS, Mode, mode_of
from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, up

TABLES_BYTES = 4128  # sizeof(HuffmanTables)
# Kernels with a place of their own for a channel's weights.
_OWN_ROWS = (ConvKernel.SPARSE_LIST, ConvKernel.REFERENCE, ConvKernel.PIXEL_PAIRS)


def _decoding(s: Shape, to_list: bool, passes: int) -> Work:
    """Of decoding all weights, `passes` times; and of a call: the decoder's tables, the parameters."""
    weights = s.taps * s.out_channels
    mode = mode_of(s.nonzeros, weights, (s.kernel_h, s.kernel_w))
    name = f"huffman.{mode.name.lower()}"
    sink = f"{name}_to_{'list' if to_list else 'bytes'}"
    stored = weights if mode is Mode.ALL else s.nonzeros
    work: Work = {
        f"{name}_tables": 1,
        "huffman.params": s.out_channels,
        f"{sink}_weights": passes * stored,
        f"{sink}_raw_bits": passes * stored * max(s.weights.bits - TOP_BITS, 0),
        f"{sink}_channels": passes * s.out_channels,
    }
    if mode is Mode.MASKS:
        work[f"{sink}_masks"] = passes * weights / 9
    elif mode is Mode.GAPS and not to_list:
        work[f"{sink}_zeros"] = passes * weights
    return work


def huffman_front(s: Shape, kernel: ConvKernel) -> int:
    """Bytes of parameters, the decoder's tables and two channels' weights in front of a kernel's scratch."""
    rows = 0 if kernel in _OWN_ROWS else 2 * up(s.taps, 4)
    return up(up(9 * s.out_channels, 4) + TABLES_BYTES + rows, 8)


def entropy_coded(model: KernelModel, passes: Callable[[Shape, int], int]) -> KernelModel:
    """`model` with Huffman-coded weights; its work is that of weights that have been decoded.

    passes: how often a call decodes them all, given its scratch.
    """
    to_list = model.kernel in (ConvKernel.SPARSE_LIST, ConvKernel.PIXEL_PAIRS)

    def work(s: Shape, scratch: int) -> Work:
        own = scratch - huffman_front(s, model.kernel)
        return model.work(s, own) | _decoding(s, to_list, passes(s, own))

    return KernelModel(
        model.kernel,
        Encoding.HUFFMAN,
        model.supports,
        lambda s: huffman_front(s, model.kernel) + model.scratch(s),
        lambda s: huffman_front(s, model.kernel) + model.useful_scratch(s),
        work,
    )
