"""Pairs of pixels (portable/pixel_pairs.h): any shape, two pixels a word, non-zero weights only."""

import math
from collections.abc import Callable

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, up

_MIN_WORDS = 3
_MOST_TAP_WORDS = 16383
_CHUNK_WEIGHTS = 255
_PART = 144  # weights of a list at most, but of Huffman-coded channels
# Words of a block in plain C++, kPairsBlock of portable/pixel_pairs_plain.inc. The fit finds out which it is.
_BLOCKS = (3, 6)


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


def _ends(s: Shape) -> float:
    """Chunks of lists, about: the weights of one add up to 255 at most."""
    return s.weights.magnitude / _CHUNK_WEIGHTS + s.out_channels


def _passes(s: Shape) -> int:
    return s.out_rows if s.out_rows % 2 else s.out_rows // 2


def _scratch(s: Shape, words: int, huffman: bool) -> int:
    parts = not huffman and s.taps > _PART
    listed = _PART if parts else s.taps
    fixed = up(s.in_channels, 8) + up(2 * s.taps, 8) + up(4 * (3 * listed + 3), 8)
    packed = 4 * _packed_rows(s) * s.in_channels * _planes(s) * (words + _apron(s))
    return fixed + 8 * (_passes(s) if parts else 1) * words + packed


def _words(s: Shape, scratch: int, huffman: bool) -> list[tuple[int, int]]:
    """How many words the chunks have: (chunks, words of each)."""
    every = _all_words(s)
    none, one = (_scratch(s, words, huffman) for words in (0, 1))
    fitting = (scratch - none) // (one - none)
    most = _MOST_TAP_WORDS // (s.kernel_h * s.in_channels * _planes(s)) - _apron(s)
    fitting = max(min(fitting, most), _MIN_WORDS)
    chunk = every
    if fitting < every:
        chunk = -(-every // -(-every // fitting))
        chunk = up(chunk, 3) if up(chunk, 3) <= fitting else chunk
    whole, rest = divmod(every, chunk)
    return [(whole, chunk), *([(1, rest)] if rest else [])]


def _chunks(s: Shape, scratch: int, huffman: bool) -> int:
    return sum(count for count, _ in _words(s, scratch, huffman))


def _assembler(s: Shape, words: int, lists: float) -> Work:
    """The inner loops of v6m, of a chunk of columns: three words at a time, then two or one."""
    threes, left = divmod(words, 3)
    passes = _passes(s)
    return {
        "pairs.threes": s.nonzeros * threes * passes,
        "pairs.three_ends": _ends(s) * threes * passes,
        "pairs.blocks": lists * threes * passes,
        "pairs.twos": (s.nonzeros + _ends(s)) * passes if left == 2 else 0.0,
        "pairs.ones": (s.nonzeros + _ends(s)) * passes if left == 1 else 0.0,
    }


def _plain(s: Shape, words: int, lists: float) -> Work:
    """The same in plain C++: blocks of words, and a smaller one for what is left."""
    passes = _passes(s)
    work: Work = {
        "pairs.products": s.nonzeros * words * passes,
        "pairs.closed": _ends(s) * words * passes,
        "pairs.sums": lists * words * passes,
    }
    for size in _BLOCKS:
        blocks = math.ceil(words / size) * passes
        work[f"pairs.entries_{size}"] = s.nonzeros * blocks
        work[f"pairs.ends_{size}"] = _ends(s) * blocks
        work[f"pairs.blocks_{size}"] = lists * blocks
    return work


_Loops = Callable[[Shape, int, float], Work]


def _work(s: Shape, scratch: int, parts: int, huffman: bool, loops: _Loops) -> Work:
    """`parts`: of a channel's list, about."""
    passes = _passes(s)
    step = s.stride_h * (1 if s.out_rows % 2 else 2)
    rows = s.kernel_h * passes if step > s.kernel_h else _packed_rows(s)
    chunks = _chunks(s, scratch, huffman)
    lists = s.out_channels * parts
    work: Work = {"pairs.calls": 1}
    for count, words in _words(s, scratch, huffman):
        row_words = _planes(s) * (words + _apron(s))
        packed = {
            "pairs.packed": rows * s.in_channels * row_words,
            "pairs.packed_pixels": rows * row_words,
        }
        for part, more in (loops(s, words, lists) | packed).items():
            work[part] = work.get(part, 0.0) + count * more
    return work | {
        "pairs.chunks": chunks,
        "pairs.channels": chunks * s.out_channels,
        "pairs.parts": chunks * lists,
        "pairs.ends": chunks * _ends(s),
        "pairs.passes": chunks * lists * passes,
        "pairs.table": chunks * s.taps,
        f"pairs.{s.rounding}": s.pixels * s.out_channels,
    }


def _dense(s: Shape, scratch: int, loops: _Loops) -> Work:
    chunks = _chunks(s, scratch, False)
    return _work(s, scratch, -(-s.taps // _PART), False, loops) | {
        "pairs.dense_taps": chunks * s.taps * s.out_channels,
        "pairs.dense_weights": chunks * s.nonzeros,
    }


def _sparse(s: Shape, scratch: int, loops: _Loops) -> Work:
    parts = max(-(-s.nonzeros // (s.out_channels * _PART)), 1)
    decoded = _chunks(s, scratch, False) * s.nonzeros
    return _work(s, scratch, parts, False, loops) | {"pairs.sparse_weights": decoded}


def _decoded(s: Shape, scratch: int, loops: _Loops) -> Work:
    return _work(s, scratch, 1, True, loops)


def _model(encoding: Encoding, work: Callable[[Shape, int], Work], huffman: bool = False) -> KernelModel:
    return KernelModel(
        ConvKernel.PIXEL_PAIRS, encoding, _supports,
        lambda s: _scratch(s, _MIN_WORDS, huffman), lambda s: _scratch(s, _all_words(s), huffman), work,
    )  # fmt: skip


def _kernels(loops: _Loops) -> list[KernelModel]:
    huffman = _model(Encoding.SPARSE, lambda s, scratch: _decoded(s, scratch, loops), True)
    return [
        _model(Encoding.DENSE, lambda s, scratch: _dense(s, scratch, loops)),
        _model(Encoding.SPARSE, lambda s, scratch: _sparse(s, scratch, loops)),
        entropy_coded(huffman, lambda s, scratch: _chunks(s, scratch, True)),
    ]


KERNELS = _kernels(_assembler)
PLAIN_KERNELS = _kernels(_plain)
