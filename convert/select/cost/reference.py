"""The reference kernels (portable/conv_2d_rows.cc): any shape, weights dense or as a sparse list."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, supports_any


def _reference_cost(s: Shape, _scratch: int) -> float:
    return 3.0 * s.macs + 40 * s.pixels * s.out_channels


KERNELS = [
    KernelModel(
        ConvKernel.REFERENCE, Encoding.DENSE, supports_any, lambda s: 0, lambda s: 0, _reference_cost,
    ),
    KernelModel(
        ConvKernel.REFERENCE, Encoding.SPARSE, supports_any, lambda s: 2 * s.taps, lambda s: 2 * s.taps,
        lambda s, scratch: _reference_cost(s, scratch) + 5 * s.nonzeros + 0.3 * s.taps * s.out_channels,
    ),
]  # fmt: skip
KERNELS.append(entropy_coded(KERNELS[1], lambda s, scratch: 1, 5))
