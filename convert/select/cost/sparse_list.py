"""Sparse lists (dsp/sparse_list.h): stride 1, two pixels a word, non-zero weights only."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, up


def _supports_sparse_list(s: Shape) -> bool:
    if (s.stride_h, s.stride_w) != (1, 1):
        return False
    pointwise = s.kernel_h == s.kernel_w == 1
    return pointwise or s.kernel_h * s.in_channels * (s.kernel_w + 2) <= 65535


def _list_words(s: Shape) -> int:
    if s.kernel_h == s.kernel_w == 1:
        return (s.pixels + 2) // 2
    return s.out_width if s.out_rows % 2 == 0 else (s.out_width + 1) // 2


def _list_rows(s: Shape) -> int:
    if s.kernel_h == s.kernel_w == 1:
        return 1
    return s.out_rows - 1 + s.kernel_h - (1 if s.out_rows % 2 == 0 else 0)


def _list_scratch(s: Shape, words: int) -> int:
    offsets = 0 if s.taps == s.in_channels else up(2 * s.taps, 8)
    packed = 4 * _list_rows(s) * s.in_channels * (words + s.kernel_w - 1)
    return up(s.in_channels, 8) + offsets + 8 * (s.taps + 3) + 8 * words + packed


def _list_chunks(s: Shape, scratch: int) -> int:
    words = _list_words(s)
    fitting = max((w for w in range(3, words + 1) if _list_scratch(s, w) <= scratch), default=3)
    return -(-words // fitting)


def _list_cost(s: Shape, scratch: int) -> float:
    words = _list_words(s)
    chunks = _list_chunks(s, scratch)
    # Beyond 255 entries and sum|w| of 32,767 a channel is summed the slow way: dense layers go elsewhere.
    slow = 8.0 if s.nonzeros > 0.6 * s.taps * s.out_channels and s.taps > 255 else 1.0
    per_word = (5.5 if words % 3 == 0 else 5.5 + 1.2 * 3 / words) / 3 * slow
    pairs = s.out_rows // 2 if s.out_rows % 2 == 0 else s.out_rows
    passes = 1 if s.kernel_h == s.kernel_w == 1 else pairs
    return (
        s.nonzeros * per_word * words * passes
        + chunks * (6 * s.nonzeros + 150 * s.out_channels)
        + 9.5 * s.pixels * s.out_channels
        + 6 * _list_rows(s) * s.in_channels * (words + 2)
    )


KERNELS = [
    KernelModel(
        ConvKernel.SPARSE_LIST, Encoding.SPARSE, _supports_sparse_list,
        lambda s: _list_scratch(s, 3), lambda s: _list_scratch(s, _list_words(s)), _list_cost,
    )
]  # fmt: skip
KERNELS.append(entropy_coded(KERNELS[0], _list_chunks, 6))
