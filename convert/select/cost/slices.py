"""Slices (mve/slices.h): any shape, 16 taps by 7 pixels."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, supports_any, up


def _in_place(s: Shape) -> bool:
    return s.kernel_h * s.kernel_w == 1 and s.in_channels % 16 == 0


def _slices_scratch(s: Shape, channels: int) -> int:
    windows = 1 if _in_place(s) else 7
    return 200 + windows * up(s.taps, 16) + min(up(s.out_channels, 4), channels) * 28


def _slices_work(s: Shape, scratch: int) -> Work:
    slices, channels = up(s.taps, 16) // 16, up(s.out_channels, 4)
    block = max((scratch - _slices_scratch(s, 0)) // 28, 1)
    groups, rest = divmod(s.pixels, 7)
    work: Work = {"slices.calls": 1}
    last = 6 if rest > 4 else 4 if rest > 2 else 2
    for n, count in ((7, groups), (last, 1 if rest else 0)):
        for part, more in {
            "slices.groups": 1.0,
            "slices.blocks": -(-channels // block),
            "slices.slices": slices,
            f"slices.products{n}": channels * slices,
            f"slices.stores{n}": channels,
            f"slices.{s.rounding}": channels * n,
        }.items():
            work[part] = work.get(part, 0.0) + count * more
    if not _in_place(s):
        edges = (s.out_width - s.inside) * s.out_rows
        work["slices.windows"] = s.pixels - edges
        work["slices.window_rows"] = (s.pixels - edges) * s.kernel_h
        work["slices.window_taps"] = s.pixels * up(s.taps, 16)
        work["slices.edges"] = edges
        work["slices.edge_rows"] = edges * s.kernel_h
        work["slices.edge_pixels"] = edges * s.kernel_h * s.kernel_w
    return work


KERNELS = [
    KernelModel(
        ConvKernel.SLICES, Encoding.SLICES, supports_any,
        lambda s: _slices_scratch(s, 64), lambda s: _slices_scratch(s, s.out_channels + 3), _slices_work,
    )
]  # fmt: skip
