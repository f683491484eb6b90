"""The fast FIR algorithm (dsp/fast_fir.h): 3x3, stride 2, tiles of 2 rows by 2 columns."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.groups import Groups, groups_of
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, up

LEAST_CHANNELS = 8
_TAPS = 25  # products of a tile and channel
_SIDE = 5  # of a tile's inputs


def _supports(s: Shape) -> bool:
    same = (s.kernel_h, s.kernel_w, s.stride_h, s.stride_w) == (3, 3, 2, 2)
    return same and s.in_channels >= LEAST_CHANNELS


def _across(s: Shape) -> int:
    return -(-s.out_width // 2)


def _tiles(s: Shape) -> int:
    return _across(s) * -(-s.out_rows // 2)


def _scratch(s: Shape, tiles: int) -> int:
    padded, tiles = up(s.in_channels, 4), max(tiles, 2)
    return max(_TAPS * padded, 144 * -(-tiles // 3)) + tiles * (2 * _TAPS * padded + 20)


def _groups(s: Shape, scratch: int) -> Groups:
    tiles = _tiles(s)
    fitting = next((t for t in range(tiles, 3, -1) if _scratch(s, t) <= scratch), 3)
    return groups_of(tiles, fitting)


def _collected(s: Shape) -> float:
    """Rows of tiles' inputs that are not read in place."""
    rows, across = _SIDE * -(-s.out_rows // 2), _across(s)
    if s.in_channels % 4:
        return float(rows * across)
    left = min(-(-s.pad_left // 4), across)
    last = (s.in_width + s.pad_left - _SIDE) // 4  # tile that still has all its columns
    inside = max(min(last + 1, across) - left, 0)
    # An odd last row of outputs has half a tile's rows.
    missing = rows * s.absent if s.out_rows % 2 == 0 else rows - (rows - 2) * (1 - s.absent)
    return rows * (across - inside) + missing * inside


def _work(s: Shape, scratch: int) -> Work:
    padded = up(s.in_channels, 4)
    groups = _groups(s, scratch)
    tiles = 3 * groups.threes + 2 * groups.twos
    steps = _TAPS * padded / 2 * s.pairs
    collected = _collected(s)
    # The last one of an odd number of channels takes the long way.
    exact = s.out_channels if s.rounding == "exact" else s.out_channels % 2
    work = {
        "fast_fir.calls": 1,
        "fast_fir.chunks": groups.chunks,
        "fast_fir.pairs": groups.chunks * s.pairs,
        "fast_fir.threes": groups.threes * s.pairs,
        "fast_fir.twos": groups.twos * s.pairs,
        "fast_fir.three_steps": groups.threes * steps,
        "fast_fir.two_steps": groups.twos * steps,
        "fast_fir.exact_tiles": _tiles(s) * exact,
        "fast_fir.inputs": tiles * padded,
        "fast_fir.tiles": tiles,
        "fast_fir.collected": collected,
        "fast_fir.collected_inputs": collected * padded,
    }
    if s.rounding == "linear":  # two instructions an output more than relu's, which the groups hold
        work["fast_fir.linear_tiles"] = _tiles(s) * (s.out_channels // 2)
    return work


KERNELS = [
    KernelModel(
        ConvKernel.FAST_FIR,
        Encoding.FAST_FIR,
        _supports,
        lambda s: _scratch(s, min(_tiles(s), 3)),
        lambda s: _scratch(s, _tiles(s)),
        _work,
    )
]
