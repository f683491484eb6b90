"""Pairs of pixels (v6m/pixel_pairs.h): any shape, two pixels a word, non-zero weights only."""

from collections.abc import Callable

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, up

_MIN_WORDS = 3
_MOST_TAP_WORDS = 16383


def _planes(s: Shape) -> int:
    return min(s.kernel_w, s.stride_w)


def _apron(s: Shape) -> int:
    return (s.kernel_w - 1) // s.stride_w


def _supports(s: Shape) -> bool:
    return s.kernel_h * s.in_channels * _planes(s) * (_MIN_WORDS + _apron(s)) <= _MOST_TAP_WORDS


def _all_words(s: Shape) -> int:
    return s.out_width if s.out_rows % 2 == 0 else (s.out_width + 1) // 2


def _packed_rows(s: Shape) -> int:
    return (s.out_rows - (1 if s.out_rows % 2 else 2)) * s.stride_h + s.kernel_h


def _fixed(s: Shape) -> int:
    return up(s.in_channels, 8) + up(2 * s.taps, 8) + up(4 * (3 * s.taps + 3), 8)


def _scratch(s: Shape, words: int) -> int:
    packed = 4 * _packed_rows(s) * s.in_channels * _planes(s) * (words + _apron(s))
    return _fixed(s) + 8 * words + packed


def _words(s: Shape, scratch: int) -> list[tuple[int, int]]:
    """How many words the chunks have: (chunks, words of each)."""
    every = _all_words(s)
    fitting = (scratch - _scratch(s, 0)) // (_scratch(s, 1) - _scratch(s, 0))
    most = _MOST_TAP_WORDS // (s.kernel_h * s.in_channels * _planes(s)) - _apron(s)
    fitting = max(min(fitting, most), _MIN_WORDS)
    chunk = every
    if fitting < every:
        chunk = -(-every // -(-every // fitting))
        chunk = up(chunk, 3) if up(chunk, 3) <= fitting else chunk
    whole, rest = divmod(every, chunk)
    return [(whole, chunk), *([(1, rest)] if rest else [])]


def _chunks(s: Shape, scratch: int) -> int:
    return sum(count for count, _ in _words(s, scratch))


def _work(s: Shape, scratch: int) -> Work:
    passes = s.out_rows if s.out_rows % 2 else s.out_rows // 2
    step = s.stride_h * (1 if s.out_rows % 2 else 2)
    rows = s.kernel_h * passes if step > s.kernel_h else _packed_rows(s)
    chunks = _chunks(s, scratch)
    work: Work = {"pairs.calls": 1}
    for count, words in _words(s, scratch):
        threes, left = divmod(words, 3)
        row_words = _planes(s) * (words + _apron(s))
        for part, more in {
            "pairs.threes": s.nonzeros * threes * passes,
            "pairs.blocks": s.out_channels * threes * passes,
            "pairs.twos": s.nonzeros * passes if left == 2 else 0.0,
            "pairs.ones": s.nonzeros * passes if left == 1 else 0.0,
            "pairs.packed": rows * s.in_channels * row_words,
            "pairs.packed_pixels": rows * row_words,
        }.items():
            work[part] = work.get(part, 0.0) + count * more
    return work | {
        "pairs.chunks": chunks,
        "pairs.channels": chunks * s.out_channels,
        "pairs.passes": chunks * s.out_channels * passes,
        "pairs.table": chunks * s.taps,
        f"pairs.{s.rounding}": s.pixels * s.out_channels,
    }


def _with(more: Callable[[Shape], Work]) -> Callable[[Shape, int], Work]:
    """The work, and for each chunk what decoding all weights takes."""

    def work(s: Shape, scratch: int) -> Work:
        chunks = _chunks(s, scratch)
        return _work(s, scratch) | {part: chunks * count for part, count in more(s).items()}

    return work


def _dense(s: Shape) -> Work:
    return {"pairs.dense_taps": s.taps * s.out_channels, "pairs.dense_weights": s.nonzeros}


def _sparse(s: Shape) -> Work:
    return {"pairs.sparse_weights": s.nonzeros}


def _model(encoding: Encoding, work: Callable[[Shape, int], Work]) -> KernelModel:
    return KernelModel(
        ConvKernel.PIXEL_PAIRS, encoding, _supports,
        lambda s: _scratch(s, _MIN_WORDS), lambda s: _scratch(s, _all_words(s)), work,
    )  # fmt: skip


KERNELS = [
    _model(Encoding.DENSE, _with(_dense)),
    _model(Encoding.SPARSE, _with(_sparse)),
    entropy_coded(_model(Encoding.SPARSE, _work), _chunks),
]
