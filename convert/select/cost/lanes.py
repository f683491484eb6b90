"""Lanes (dsp/lanes.h): few input channels, pixels and taps in lanes of 21 bits."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, up


def _supports_lanes(s: Shape) -> bool:
    return s.kernel_w <= 7 and s.in_channels <= 63 and s.kernel_w * s.in_channels <= 63


def _lanes_scratch(s: Shape, tiles: int) -> int:
    phases = (2 if s.kernel_w > 1 else 1) if s.stride_w == 2 else (s.kernel_w + 3) // 4
    planes, accumulators = (4, 3) if s.kernel_w > 2 * s.stride_w else (1, 1)
    units = up(s.kernel_h * s.in_channels * phases, 3)
    rows = (s.out_rows - 1) * s.stride_h + s.kernel_h
    line = up(s.in_channels * (s.stride_w * (2 * tiles * accumulators + 1) + 5), 8)
    return (
        4 * planes * units + line + 8 * tiles * (planes + accumulators + accumulators * s.out_rows)
        + 4 * planes * tiles * rows * s.in_channels * phases + 56
    )  # fmt: skip


def _lanes_tiles(s: Shape) -> int:
    accumulators = 3 if s.kernel_w > 2 * s.stride_w else 1
    tiles = s.out_width // 2 // accumulators + 1
    return tiles + 1 if tiles % 3 == 2 else max(tiles, 3)


def _lanes_chunks(s: Shape, scratch: int) -> int:
    tiles = _lanes_tiles(s)
    fitting = max((t for t in range(3, tiles + 1) if _lanes_scratch(s, t) <= scratch), default=3)
    return -(-tiles // fitting)


def _lanes_cost(s: Shape, scratch: int) -> float:
    chunks = _lanes_chunks(s, scratch)
    per_mac = 0.368 if s.kernel_w > 2 * s.stride_w else 0.6
    if s.stride_w == 1:
        per_mac = 1.5  # half empty lanes
    return (
        per_mac * s.macs
        + 8 * s.pixels * s.out_channels
        + (7 + 11 * (chunks - 1)) * s.taps * s.out_channels
        + 150 * s.out_channels
        + 10 * s.in_width * s.in_channels * ((s.out_rows - 1) * s.stride_h + s.kernel_h)
    )


KERNELS = [
    KernelModel(
        ConvKernel.LANES, Encoding.DENSE, _supports_lanes,
        lambda s: _lanes_scratch(s, 3), lambda s: _lanes_scratch(s, _lanes_tiles(s)), _lanes_cost,
    )
]  # fmt: skip
KERNELS.append(entropy_coded(KERNELS[0], _lanes_chunks))
