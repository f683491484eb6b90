"""Winograd (dsp/winograd.h): 3x3, stride 1, tiles of 2 rows by 4 columns."""

from collections.abc import Callable

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.groups import Groups, groups_of
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, up

MAX_CHANNELS = 910  # |acc| < 2^27
_SHORT = 32  # up to so many channels the loops of winograd_short_blocks.cc run


def _supports_winograd(s: Shape) -> bool:
    same = (s.kernel_h, s.kernel_w, s.stride_h, s.stride_w) == (3, 3, 1, 1)
    return same and s.in_channels <= MAX_CHANNELS


def _winograd_tiles(s: Shape) -> int:
    return -(-s.out_width // 4) * -(-s.out_rows // 2)


def _winograd_scratch(s: Shape, tiles: int, stored: bool) -> int:
    padded, tiles = up(s.in_channels, 4), max(tiles, 2)
    sums = 288 * -(-tiles // 3)
    front = max(24 * padded + 192, sums) if stored else 108 * padded + sums
    return front + tiles * (48 * padded + 36)


def _groups(s: Shape, scratch: int, stored: bool) -> Groups:
    tiles = _winograd_tiles(s)
    fitting = next((t for t in range(tiles, 3, -1) if _winograd_scratch(s, t, stored) <= scratch), 3)
    return groups_of(tiles, fitting)


def _winograd_chunks(s: Shape, scratch: int) -> int:
    return _groups(s, scratch, False).chunks


def _winograd_work(s: Shape, scratch: int, stored: bool, unpack: Callable[[Shape], Work]) -> Work:
    """`unpack`: of all weights once, before their transform."""
    padded = up(s.in_channels, 4)
    groups = _groups(s, scratch, stored)
    tiles = 3 * groups.threes + 2 * groups.twos
    name = "winograd_short" if padded <= _SHORT else "winograd"
    steps = padded / 2 * 24 * s.pairs
    edges = min(2 * -(-s.out_rows // 2), tiles)
    work = {
        "winograd.calls": 1,
        "winograd.chunks": groups.chunks,
        f"{name}.pairs": groups.chunks * s.pairs,
        f"{name}.threes": groups.threes * s.pairs,
        f"{name}.twos": groups.twos * s.pairs,
        "winograd.three_steps": groups.threes * steps,
        "winograd.two_steps": groups.twos * steps,
        f"winograd.{s.rounding if s.weights.usual else 'exact'}_tiles": _winograd_tiles(s) * s.out_channels,
        "winograd.channels": groups.chunks * s.out_channels,
        "winograd.inputs": tiles * padded,
        "winograd.tiles": tiles,
        "winograd.edges": edges if padded == s.in_channels else tiles,
        "winograd.edge_inputs": (edges if padded == s.in_channels else tiles) * padded,
    }
    if not stored:
        work["winograd.weights"] = groups.chunks * padded * s.out_channels
    for part, count in unpack(s).items():
        work[part] = groups.chunks * count
    return work


def _dense(s: Shape) -> Work:
    return {} if s.in_channels % 4 == 0 else {"winograd.copies": 9 * s.out_channels}


def _sparse(s: Shape) -> Work:
    aligned = "" if s.in_channels % 4 == 0 else "_divided"
    return {f"winograd.nonzeros{aligned}": s.nonzeros, "winograd.zeros": s.taps * s.out_channels}


def _nothing(_shape: Shape) -> Work:
    return {}


def _winograd(encoding: Encoding, stored: bool, unpack: Callable[[Shape], Work]) -> KernelModel:
    return KernelModel(
        ConvKernel.WINOGRAD,
        encoding,
        _supports_winograd,
        lambda s: _winograd_scratch(s, min(_winograd_tiles(s), 3), stored),
        lambda s: _winograd_scratch(s, _winograd_tiles(s), stored),
        lambda s, scratch: _winograd_work(s, scratch, stored, unpack),
    )


KERNELS = [
    _winograd(Encoding.DENSE, False, _dense),
    _winograd(Encoding.SPARSE, False, _sparse),
    _winograd(Encoding.WINOGRAD, True, _nothing),
]
KERNELS.append(entropy_coded(KERNELS[0], _winograd_chunks))
