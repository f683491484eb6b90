"""Slices (mve/slices.h): any shape, 16 taps by 7 pixels."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, supports_any, up


def _slices_windows(s: Shape) -> int:
    return 1 if s.kernel_h * s.kernel_w == 1 and s.in_channels % 16 == 0 else 7


def _slices_scratch(s: Shape, channels: int) -> int:
    return 200 + _slices_windows(s) * up(s.taps, 16) + min(up(s.out_channels, 4), channels) * 28


_SLICES_STORE = {7: 52, 6: 44, 4: 31, 2: 18}  # instructions to requantize four channels of a group


def _slices_cost(s: Shape, scratch: int) -> float:
    slices, channels = up(s.taps, 16) // 16, up(s.out_channels, 4)
    block = max((scratch - _slices_scratch(s, 0)) // 28, 1)
    groups, rest = divmod(s.pixels, 7)
    total = 250.0
    for n, count in ((7, groups), (6 if rest > 4 else 4 if rest > 2 else 2, 1 if rest else 0)):
        store = channels * (slices * (n + 3.25) - 1 + _SLICES_STORE[n] / 4)
        total += count * (100 + -(-channels // block) * 90 + slices * 16 + store)
    if _slices_windows(s) == 7:
        total += 8 * s.kernel_h * s.pixels
    return total


KERNELS = [
    KernelModel(
        ConvKernel.SLICES, Encoding.SLICES, supports_any,
        lambda s: _slices_scratch(s, 64), lambda s: _slices_scratch(s, s.out_channels + 3), _slices_cost,
    )
]  # fmt: skip
