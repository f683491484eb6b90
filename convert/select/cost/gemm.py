"""GEMM (dsp/gemm.h): windows widened to int16, 2 channels by 3 pixels."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, supports_any, up


def _gemm_scratch(s: Shape, pixels: int) -> int:
    padded = up(s.taps, 4)
    return 4 * padded + max(pixels, 3) * (2 * padded + 8)


SMALL_TAPS = 64  # up to so many accumulation and requantization are fused (dsp/gemm_small.h)


def _gemm_chunks(s: Shape, scratch: int) -> int:
    padded = up(s.taps, 4)
    return -(-s.pixels // ((scratch - 4 * padded) // (2 * padded + 8)))


def _gemm_cost(s: Shape, scratch: int, per_weight: float) -> float:
    padded = up(s.taps, 4)
    chunks = _gemm_chunks(s, scratch)
    pixels = s.pixels + chunks * 0.5  # some of the last group is for nothing
    if s.taps <= SMALL_TAPS and s.out_channels % 2 == 0 and s.relu:
        accumulate = (4 * padded + 30) / 6 * pixels * s.out_channels
        pairs = 50 * chunks * s.out_channels
    else:
        accumulate = (0.68 * padded + 7) * pixels * s.out_channels
        pairs = 110 * chunks * s.out_channels
    windows = (1.5 if s.kernel_h * s.kernel_w == 1 else 3.5) * padded * s.pixels
    return accumulate + pairs + windows + chunks * per_weight * s.taps * s.out_channels


def sparse_per_weight(s: Shape) -> float:
    """Instructions a dense weight to unpack a sparse channel: 6 a non-zero, and the zeros."""
    return 0.3 + 6.0 * s.nonzeros / (s.taps * s.out_channels)


KERNELS = [
    KernelModel(
        ConvKernel.GEMM, Encoding.DENSE, supports_any,
        lambda s: _gemm_scratch(s, 3), lambda s: _gemm_scratch(s, s.pixels),
        lambda s, scratch: _gemm_cost(s, scratch, 0.85),
    ),
    KernelModel(
        ConvKernel.GEMM, Encoding.SPARSE, supports_any,
        lambda s: _gemm_scratch(s, 3), lambda s: _gemm_scratch(s, s.pixels),
        lambda s, scratch: _gemm_cost(s, scratch, sparse_per_weight(s)),
    ),
]  # fmt: skip
KERNELS.append(entropy_coded(KERNELS[0], _gemm_chunks))
