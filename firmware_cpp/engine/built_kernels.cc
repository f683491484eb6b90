#include "engine/built_kernels.h"

#include "engine/conv_kernels.h"

namespace squeeze {
namespace {

constexpr uint32_t Bit(ConvKernel kernel) { return uint32_t{1} << static_cast<uint32_t>(kernel); }

constexpr uint32_t kConvKernels = 0
#if SQUEEZE_KERNEL_REFERENCE
                                  | Bit(ConvKernel::kReference)
#endif
#if SQUEEZE_KERNEL_GEMM
                                  | Bit(ConvKernel::kGemm)
#endif
#if SQUEEZE_KERNEL_WINOGRAD
                                  | Bit(ConvKernel::kWinograd)
#endif
#if SQUEEZE_KERNEL_LANES
                                  | Bit(ConvKernel::kLanes)
#endif
#if SQUEEZE_KERNEL_SPARSE_LIST
                                  | Bit(ConvKernel::kSparseList)
#endif
#if SQUEEZE_KERNEL_SLICES
                                  | Bit(ConvKernel::kSlices)
#endif
#if SQUEEZE_KERNEL_PIXEL_PAIRS
                                  | Bit(ConvKernel::kPixelPairs)
#endif
#if SQUEEZE_KERNEL_FAST_FIR
                                  | Bit(ConvKernel::kFastFir)
#endif
#if SQUEEZE_KERNEL_WINOGRAD_WORDS
                                  | Bit(ConvKernel::kWinogradWords)
#endif
#if SQUEEZE_KERNEL_HUFFMAN
                                  | uint32_t{1} << kKernelBitHuffman
#endif
    ;

}  // namespace

uint32_t BuiltKernels() {
  uint32_t kernels = kConvKernels | uint32_t{kFormatVersion} << kKernelBitsVersion;
  for (uint32_t kind = static_cast<uint32_t>(LayerKind::kMaxPool);
       kind <= static_cast<uint32_t>(LayerKind::kDense); ++kind) {
    if (LayerKernelBuilt(static_cast<LayerKind>(kind))) kernels |= uint32_t{1} << (kKernelBitOfKinds + kind);
  }
  return kernels;
}

}  // namespace squeeze
