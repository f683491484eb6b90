"""Slices (mve/slices.h): any shape, 16 taps by 7 pixels."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, supports_any, up

_MORE_OF_A_PRODUCT = 3.25  # instructions a channel and slice beside one a pixel (mve/slices_multiply.cc)


def _in_place(s: Shape) -> bool:
    return s.kernel_h * s.kernel_w == 1 and s.in_channels % 16 == 0


def _slices_scratch(s: Shape, channels: int) -> int:
    windows = 1 if _in_place(s) else 7
    return 200 + windows * up(s.taps, 16) + min(up(s.out_channels, 4), channels) * 28


def _groups(pixels: int) -> list[tuple[int, int]]:
    """Groups of a call's pixels: (pixels of a group, how many such groups)."""
    sevens, rest = divmod(pixels, 7)
    if sevens and rest in (1, 3, 5):  # of 8, 10 or 12: a six, and what is left
        return [(7, sevens - 1), (6, 1), (rest + 1, 1)]
    return [(7, sevens), *([(up(rest, 2), 1)] if rest else [])]


def _computed(s: Shape) -> int:
    """Output pixels of a call; those of a 1x1 that lie in the padding are all alike: one is computed."""
    if s.kernel_h * s.kernel_w > 1:
        return s.pixels
    real = round(s.inside * s.out_rows * (1 - s.absent))
    return real + 1 if real < s.pixels else real


def _slices_work(s: Shape, scratch: int) -> Work:
    slices, channels = up(s.taps, 16) // 16, up(s.out_channels, 4)
    block = max((scratch - _slices_scratch(s, 0)) // 28, 1)
    # Of the slow way of rounding: what is left of fours, or all.
    slow = s.out_channels % 4 if s.weights.usual else s.out_channels
    work: Work = {"slices.calls": 1}
    for n, count in _groups(_computed(s)):
        for part, more in {
            "slices.groups": 1.0,
            "slices.blocks": -(-channels // block),
            "slices.slices": slices,
            "slices.products": channels * slices * (n + _MORE_OF_A_PRODUCT),
            f"slices.stores{n}": channels,
            f"slices.{s.rounding}": (s.out_channels - slow) * n,
            "slices.slow": slow * n,
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
