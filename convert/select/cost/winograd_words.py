"""Winograd's method in words (v6m/winograd_words.h): 3x3, stride 1, all tiles of a call at once."""

from collections.abc import Callable

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, up

MAX_CHANNELS = 910
_MOST = 1 << 16  # tiles times channels
_POSITIONS = 24
_GROUP = 4


def _across(s: Shape) -> int:
    return -(-s.out_width // 4)


def _tile_rows(s: Shape) -> int:
    return -(-s.out_rows // 2)


def _tiles(s: Shape) -> int:
    return up(_across(s) * _tile_rows(s), _GROUP)


def _supports(s: Shape) -> bool:
    three = (s.kernel_h, s.kernel_w, s.stride_h, s.stride_w) == (3, 3, 1, 1)
    return three and s.in_channels <= MAX_CHANNELS and _tiles(s) * up(s.in_channels, 2) <= _MOST


def _scratch(s: Shape, sparse: bool) -> int:
    padded, tiles = up(s.in_channels, 2), _tiles(s)
    inputs = 16 * (4 * _across(s) + 2) + s.in_width * s.in_channels
    outputs = 2 * _POSITIONS * padded + 4 * _POSITIONS * _GROUP + 32 * tiles + (s.taps if sparse else 0)
    return up(max(inputs, outputs), 8) + 4 * _POSITIONS * tiles * padded


def _work(s: Shape, unpack: Callable[[Shape], Work]) -> Work:
    columns = max(min(4 * _across(s) + 2 - s.pad_left, s.in_width), 0)
    groups = _tiles(s) // _GROUP
    pairs = -(-s.in_channels // 2)
    return {
        "words.calls": 1,
        "words.row_channels": _tile_rows(s) * s.in_channels,
        "words.columns": _tile_rows(s) * s.in_channels * columns,
        "words.along": _tile_rows(s) * _across(s) * s.in_channels,
        "words.channels": s.out_channels,
        "words.weights": pairs * s.out_channels,
        "words.groups": groups * s.out_channels,
        "words.products": groups * pairs * s.out_channels,
        "words.rows": s.out_rows * s.out_channels,
        f"words.{s.rounding}": s.pixels * s.out_channels,
    } | unpack(s)


def _sparse(s: Shape) -> Work:
    return {"words.nonzeros": s.nonzeros, "words.zeros": s.taps * s.out_channels}


def _nothing(_shape: Shape) -> Work:
    return {}


def _model(encoding: Encoding, unpack: Callable[[Shape], Work]) -> KernelModel:
    sparse = encoding is Encoding.SPARSE
    return KernelModel(
        ConvKernel.WINOGRAD_WORDS, encoding, _supports,
        lambda s: _scratch(s, sparse), lambda s: _scratch(s, sparse), lambda s, _: _work(s, unpack),
    )  # fmt: skip


KERNELS = [_model(Encoding.DENSE, _nothing), _model(Encoding.SPARSE, _sparse)]
KERNELS.append(entropy_coded(KERNELS[0], lambda _shape, _scratch: 1))
