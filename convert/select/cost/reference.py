"""The reference kernels (portable/conv_2d_rows.cc): any shape, weights dense or as a sparse list."""

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, supports_any


def _reference_work(s: Shape, _scratch: int) -> Work:
    there = 1 - s.absent
    blocks, single = divmod(s.inside, 2)
    edges = s.out_width - s.inside
    of_pairs, of_channels = s.out_rows * s.pairs, s.out_rows * s.out_channels
    row_taps = s.kernel_w * s.in_channels
    return {
        "reference.calls": 1,
        "reference.channels": of_channels,
        "reference.absent_taps": of_channels * s.absent * s.taps,
        "reference.blocks": of_pairs * blocks,
        "reference.block_rows": of_pairs * blocks * s.kernel_h * there,
        "reference.block_taps": of_pairs * blocks * s.taps * there,
        "reference.single_rows": of_channels * single * s.kernel_h * there,
        "reference.single_taps": of_channels * single * s.taps * there,
        "reference.edges": of_channels * edges,
        "reference.edge_rows": of_channels * edges * s.kernel_h * there,
        "reference.edge_taps": of_channels * edges * s.kernel_h * row_taps * there,
        f"reference.{s.rounding}": s.pixels * s.out_channels,
    }


def _sparse(s: Shape) -> Work:
    return {"reference.nonzeros": s.nonzeros, "reference.zeros": s.taps * s.out_channels}


def _once(_shape: Shape, _scratch: int) -> int:
    return 1


_DENSE = KernelModel(
    ConvKernel.REFERENCE, Encoding.DENSE, supports_any, lambda s: 0, lambda s: 0, _reference_work
)
KERNELS = [
    _DENSE,
    KernelModel(
        ConvKernel.REFERENCE, Encoding.SPARSE, supports_any, lambda s: 2 * s.taps, lambda s: 2 * s.taps,
        lambda s, scratch: _reference_work(s, scratch) | _sparse(s),
    ),
]  # fmt: skip
_DECODED = KernelModel(
    ConvKernel.REFERENCE, Encoding.SPARSE, supports_any, lambda s: 2 * s.taps, lambda s: 2 * s.taps,
    _reference_work,
)  # fmt: skip
KERNELS.append(entropy_coded(_DECODED, _once))
