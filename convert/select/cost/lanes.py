"""Lanes (dsp/lanes.h): few input channels, pixels and taps in lanes of 21 bits."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, up


def _supports_lanes(s: Shape) -> bool:
    return s.kernel_w <= 7 and s.in_channels <= 63 and s.kernel_w * s.in_channels <= 63


def _phases(s: Shape) -> int:
    return (2 if s.kernel_w > 1 else 1) if s.stride_w == 2 else (s.kernel_w + 3) // 4


def _planes(s: Shape) -> tuple[int, int]:
    """Planes, and accumulators of a tile."""
    return (4, 3) if s.kernel_w > 2 * s.stride_w else (1, 1)


def _units(s: Shape) -> int:
    return up(s.kernel_h * s.in_channels * _phases(s), 3)


def _input_rows(s: Shape) -> int:
    return (s.out_rows - 1) * s.stride_h + s.kernel_h


def _lanes_scratch(s: Shape, tiles: int) -> int:
    phases = _phases(s)
    planes, accumulators = _planes(s)
    line = up(s.in_channels * (s.stride_w * (2 * tiles * accumulators + 1) + 5), 8)
    return (
        4 * planes * _units(s) + line + 8 * tiles * (planes + accumulators + accumulators * s.out_rows)
        + 4 * planes * tiles * _input_rows(s) * s.in_channels * phases + 56
    )  # fmt: skip


def _tiles(s: Shape, outputs: int) -> int:
    tiles = outputs // 2 // _planes(s)[1] + 1
    return tiles + 1 if tiles % 3 == 2 else tiles


def _lanes_tiles(s: Shape) -> int:
    return max(_tiles(s, s.out_width), 3)


def _chunks(s: Shape, scratch: int) -> tuple[int, int]:
    """Chunks of columns, and the tiles of each."""
    most = _tiles(s, s.out_width)
    fitting = next((t for t in range(most, 3, -1) if _lanes_scratch(s, t) <= scratch), min(most, 3))
    if fitting % 3 == 2:
        fitting -= 1
    outputs = 2 * fitting * _planes(s)[1] - 1
    chunks = -(-s.out_width // outputs)
    return chunks, _tiles(s, -(-s.out_width // chunks))


def _lanes_work(s: Shape, scratch: int) -> Work:
    chunks, tiles = _chunks(s, scratch)
    planes, units = _planes(s)[0], _units(s)
    channels = chunks * s.out_channels
    passes = channels * s.out_rows * planes
    name = "lanes.planes" if planes > 1 else "lanes.single"
    return {
        "lanes.calls": 1,
        "lanes.chunks": chunks,
        f"{name}_channels": channels,
        f"{name}_passes": passes,
        "lanes.block_units": passes * (tiles // 3) * units,
        "lanes.blocks": passes * (tiles // 3),
        "lanes.last_units": passes * (tiles % 3 == 1) * units,
        f"{name}_tiles": chunks * tiles * s.out_rows * s.out_channels,
        f"lanes.{s.rounding}": s.pixels * s.out_channels,
        f"{name}_weights": channels * units,
        "lanes.sums": channels * s.taps,
        f"{name}_pack": chunks * tiles * _input_rows(s) * s.in_channels * _phases(s),
        "lanes.rows": chunks * _input_rows(s),
    }


KERNELS = [
    KernelModel(
        ConvKernel.LANES, Encoding.DENSE, _supports_lanes,
        lambda s: _lanes_scratch(s, 3), lambda s: _lanes_scratch(s, _lanes_tiles(s)), _lanes_work,
    )
]  # fmt: skip
KERNELS.append(entropy_coded(KERNELS[0], lambda s, scratch: _chunks(s, scratch)[0]))
