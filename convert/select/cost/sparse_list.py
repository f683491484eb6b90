"""Sparse lists (dsp/sparse_list.h): stride 1, two pixels a word, non-zero weights only."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, up


def _supports_sparse_list(s: Shape) -> bool:
    if (s.stride_h, s.stride_w) != (1, 1):
        return False
    return _pointwise(s) or s.kernel_h * s.in_channels * (s.kernel_w + 2) <= 65535


def _pointwise(s: Shape) -> bool:
    return s.kernel_h == s.kernel_w == 1


def _list_words(s: Shape) -> int:
    if _pointwise(s):
        return (s.pixels + 2) // 2
    return s.out_width if s.out_rows % 2 == 0 else (s.out_width + 1) // 2


def _list_rows(s: Shape) -> int:
    if _pointwise(s):
        return 1
    return s.out_rows - 1 + s.kernel_h - (1 if s.out_rows % 2 == 0 else 0)


def _list_scratch(s: Shape, words: int) -> int:
    offsets = 0 if s.taps == s.in_channels else up(2 * s.taps, 8)
    packed = 4 * _list_rows(s) * s.in_channels * (words + s.kernel_w - 1)
    return up(s.in_channels, 8) + offsets + 8 * (s.taps + 3) + 8 * words + packed


def _words(s: Shape, scratch: int) -> list[tuple[int, int]]:
    """How many words the chunks have: (chunks, words of each)."""
    every = _list_words(s)
    if _pointwise(s):  # none of padding is needed, but where rows or columns of it are
        real = s.pixels - s.out_rows * (s.out_width - s.inside)
        every = ((real + 1 if real < s.pixels else real) + 1) // 2
    bytes_of_a_word = _list_scratch(s, 1) - _list_scratch(s, 0)
    fitting = (scratch - _list_scratch(s, 0)) // bytes_of_a_word
    if not _pointwise(s):
        fitting = min(fitting, 65535 // (s.kernel_h * s.in_channels) - s.kernel_w + 1)
    fitting = max(fitting, 3)
    chunk = every
    if fitting < every:
        chunk = -(-every // -(-every // fitting))
        chunk = up(chunk, 3) if up(chunk, 3) <= fitting else chunk
    whole, rest = divmod(every, chunk)
    return [(whole, chunk), *([(1, rest)] if rest else [])]


def _list_chunks(s: Shape, scratch: int) -> int:
    return sum(count for count, _ in _words(s, scratch))


def _list_work(s: Shape, scratch: int) -> Work:
    pairs = s.out_rows // 2 if s.out_rows % 2 == 0 else s.out_rows
    passes = 1 if _pointwise(s) else pairs
    fast = s.nonzeros - s.weights.wide
    entries = fast + s.out_channels * 0.5  # to an even number
    work: Work = {"list.calls": 1}
    chunks = 0
    for count, words in _words(s, scratch):
        chunks += count
        threes, left = divmod(words, 3)
        for part, more in {
            "list.threes": entries * threes * passes,
            "list.blocks": s.out_channels * threes * passes,
            "list.twos": entries * passes if left == 2 else 0.0,
            "list.ones": entries * passes if left == 1 else 0.0,
            "list.wide": s.weights.wide * words * passes,
            "list.packed": _list_rows(s) * s.in_channels * (words + s.kernel_w - 1),
            "list.packed_pixels": _list_rows(s) * (words + s.kernel_w - 1),
        }.items():
            work[part] = work.get(part, 0.0) + count * more
    channels = chunks * s.out_channels
    pointwise = "pointwise" if _pointwise(s) else "columns"
    return work | {
        f"list.{pointwise}_channels": channels,
        f"list.{pointwise}_passes": channels * passes,
        f"list.{pointwise}_rows": channels * s.out_rows,
        f"list.{s.rounding}": s.pixels * s.out_channels,
        f"list.{pointwise}_chunks": chunks,
        "list.checked": chunks * s.weights.long,
        "list.table": 0.0 if _pointwise(s) else chunks * s.taps,
    }


def _stored(s: Shape, scratch: int) -> Work:
    decoded = f"list.decode_{'pointwise' if _pointwise(s) else 'columns'}"
    return _list_work(s, scratch) | {decoded: _list_chunks(s, scratch) * s.nonzeros}


_DECODED = KernelModel(
    ConvKernel.SPARSE_LIST, Encoding.SPARSE, _supports_sparse_list,
    lambda s: _list_scratch(s, 3), lambda s: _list_scratch(s, _list_words(s)), _list_work,
)  # fmt: skip
KERNELS = [
    KernelModel(
        ConvKernel.SPARSE_LIST, Encoding.SPARSE, _supports_sparse_list,
        _DECODED.scratch, _DECODED.useful_scratch, _stored,
    ),
    entropy_coded(_DECODED, _list_chunks),
]  # fmt: skip
