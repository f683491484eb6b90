"""Winograd (dsp/winograd.h): 3x3, stride 1, tiles of 2 rows by 4 columns."""

from collections.abc import Callable

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.gemm import sparse_per_weight
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, up

MAX_CHANNELS = 910  # |acc| < 2^27


def _supports_winograd(s: Shape) -> bool:
    same = (s.kernel_h, s.kernel_w, s.stride_h, s.stride_w) == (3, 3, 1, 1)
    return same and s.in_channels <= MAX_CHANNELS


def _winograd_tiles(s: Shape) -> int:
    return -(-s.out_width // 4) * -(-s.out_rows // 2)


def _winograd_scratch(s: Shape, tiles: int, stored: bool) -> int:
    padded, tiles = up(s.in_channels, 4), max(tiles, 3)
    weights = 24 * padded + 192 if stored else 108 * padded
    return weights + tiles * (48 * padded + 36) + 288 * -(-tiles // 3)


def _winograd_chunks(s: Shape, scratch: int, stored: bool = False) -> int:
    tiles = max(_winograd_tiles(s), 2)  # a single one goes as two
    fitting = max((t for t in range(3, tiles + 1) if _winograd_scratch(s, t, stored) <= scratch), default=3)
    return -(-tiles // fitting)


def _winograd_cost(s: Shape, scratch: int, stored: bool, unpack: float) -> float:
    """`unpack`: instructions a dense weight to decode it, before the transform."""
    padded = up(s.in_channels, 4)
    tiles = max(_winograd_tiles(s), 2)
    chunks = _winograd_chunks(s, scratch, stored)
    positions = 24
    transform = 0 if stored else 55 / 9 + unpack
    return (
        positions * (0.69 * padded + (0.7 if padded <= 32 else 1.6)) * tiles * s.out_channels
        + chunks * (transform * s.taps + 200) * s.out_channels
        + 3 * positions * padded * tiles
        + 120 * tiles * s.out_channels
    )


def _winograd(encoding: Encoding, stored: bool, unpack: Callable[[Shape], float]) -> KernelModel:
    return KernelModel(
        ConvKernel.WINOGRAD,
        encoding,
        _supports_winograd,
        lambda s: _winograd_scratch(s, 3, stored),
        lambda s: _winograd_scratch(s, _winograd_tiles(s), stored),
        lambda s, scratch: _winograd_cost(s, scratch, stored, unpack(s)),
    )


KERNELS = [
    _winograd(Encoding.DENSE, False, lambda s: 0.0),
    _winograd(Encoding.SPARSE, False, sparse_per_weight),
    _winograd(Encoding.WINOGRAD, True, lambda s: 0.0),
]
KERNELS.append(entropy_coded(KERNELS[0], _winograd_chunks))
