"""Which convolution kernels a family has; each one's formulas are in the folder cost."""

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.select.cost import (
    fast_fir,
    gemm,
    lanes,
    pixel_pairs,
    reference,
    slices,
    sparse_list,
    winograd,
    winograd_words,
)
from squeezenet_mcu.convert.select.cost.shape import KernelModel

FAMILY_KERNELS: dict[Family, list[KernelModel]] = {
    "portable": reference.KERNELS + pixel_pairs.PLAIN_KERNELS,
    "dsp": [
        *reference.KERNELS,
        *gemm.KERNELS,
        *winograd.KERNELS,
        *lanes.KERNELS,
        *sparse_list.KERNELS,
        *fast_fir.KERNELS,
    ],
    "v6m": reference.KERNELS + pixel_pairs.KERNELS + winograd_words.KERNELS,
    "mve": reference.KERNELS + slices.KERNELS,
}
