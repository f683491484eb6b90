#include "engine/conv_kernels.h"

#include "engine/channel_weights.h"
#include "engine/dsp/fast_fir.h"
#include "engine/dsp/gemm.h"
#include "engine/dsp/lanes.h"
#include "engine/dsp/sparse_list.h"
#include "engine/dsp/winograd.h"
#include "engine/huffman_layer.h"
#include "engine/mve/slices.h"
#include "engine/portable/pixel_pairs.h"
#include "engine/v6m/winograd_words.h"

namespace squeeze {
namespace {

bool IsHuffman([[maybe_unused]] WeightEncoding encoding) {
#if SQUEEZE_KERNEL_HUFFMAN
  return encoding == WeightEncoding::kHuffman;
#else
  return false;
#endif
}

// What kernels take that read one channel after the other.
[[maybe_unused]] bool AnyOrder(WeightEncoding encoding) {
  return encoding == WeightEncoding::kDense || encoding == WeightEncoding::kSparse || IsHuffman(encoding);
}

}  // namespace

bool ConvKernelSupports(ConvKernel kernel, [[maybe_unused]] WeightEncoding encoding,
                        [[maybe_unused]] const ConvShape& shape) {
  switch (kernel) {
#if SQUEEZE_KERNEL_REFERENCE
    // A build may lack either of the two.
    case ConvKernel::kReference:  // NOLINT(bugprone-branch-clone)
      return AnyOrder(encoding);
#endif
#if SQUEEZE_KERNEL_GEMM
    case ConvKernel::kGemm:
      return AnyOrder(encoding);
#endif
#if SQUEEZE_KERNEL_WINOGRAD
    case ConvKernel::kWinograd:
      return (AnyOrder(encoding) || encoding == WeightEncoding::kWinograd) && WinogradSupports(shape);
#endif
#if SQUEEZE_KERNEL_LANES
    case ConvKernel::kLanes:
      return (encoding == WeightEncoding::kDense || IsHuffman(encoding)) && LanesSupports(shape);
#endif
#if SQUEEZE_KERNEL_SPARSE_LIST
    case ConvKernel::kSparseList:
      return (encoding == WeightEncoding::kSparse || IsHuffman(encoding)) && SparseListSupports(shape);
#endif
#if SQUEEZE_KERNEL_SLICES
    case ConvKernel::kSlices:
      return encoding == WeightEncoding::kSlices;
#endif
#if SQUEEZE_KERNEL_PIXEL_PAIRS
    case ConvKernel::kPixelPairs:
      return AnyOrder(encoding) && PixelPairsSupports(shape);
#endif
#if SQUEEZE_KERNEL_FAST_FIR
    case ConvKernel::kFastFir:
      return encoding == WeightEncoding::kFastFir && FastFirSupports(shape);
#endif
#if SQUEEZE_KERNEL_WINOGRAD_WORDS
    case ConvKernel::kWinogradWords:
      return AnyOrder(encoding) && WinogradWordsSupports(shape);
#endif
    default:
      return false;
  }
}

namespace {

uint32_t KernelScratchBytes(ConvKernel kernel, WeightEncoding encoding, const ConvShape& shape) {
  switch (kernel) {
#if SQUEEZE_KERNEL_GEMM
    case ConvKernel::kGemm:
      return GemmScratchBytes(shape);
#endif
#if SQUEEZE_KERNEL_WINOGRAD
    case ConvKernel::kWinograd:
      return WinogradLeastScratchBytes(shape, encoding == WeightEncoding::kWinograd);
#endif
#if SQUEEZE_KERNEL_LANES
    case ConvKernel::kLanes:
      return LanesScratchBytes(shape);
#endif
#if SQUEEZE_KERNEL_SPARSE_LIST
    case ConvKernel::kSparseList:
      return SparseListScratchBytes(shape);
#endif
#if SQUEEZE_KERNEL_SLICES
    case ConvKernel::kSlices:
      return SlicesScratchBytes(shape);
#endif
#if SQUEEZE_KERNEL_PIXEL_PAIRS
    case ConvKernel::kPixelPairs:
      return PixelPairsScratchBytes(shape, IsHuffman(encoding));
#endif
#if SQUEEZE_KERNEL_FAST_FIR
    case ConvKernel::kFastFir:
      return FastFirLeastScratchBytes(shape);
#endif
#if SQUEEZE_KERNEL_WINOGRAD_WORDS
    case ConvKernel::kWinogradWords:
      return WinogradWordsScratchBytes(shape, encoding == WeightEncoding::kSparse);
#endif
    default:
      return encoding == WeightEncoding::kSparse || IsHuffman(encoding) ? 2 * shape.Taps() : 0;
  }
}

}  // namespace

uint32_t ConvScratchBytes(ConvKernel kernel, WeightEncoding encoding, const ConvShape& shape) {
  const uint32_t own = KernelScratchBytes(kernel, encoding, shape);
  return IsHuffman(encoding) ? HuffmanScratch(kernel, shape.out_channels, shape.Taps()).bytes + own : own;
}

bool StoredWeightsOk(WeightEncoding encoding, const ConvShape& shape, const uint8_t* stored, uint32_t bytes) {
  switch (encoding) {
    case WeightEncoding::kDense:
      return bytes == uint64_t{shape.out_channels} * shape.Taps();
    case WeightEncoding::kSparse:
      return SparseWeightsOk(stored, bytes, shape.out_channels, shape.Taps());
    case WeightEncoding::kWinograd:
      return bytes == WinogradStoredBytes(shape);
    case WeightEncoding::kSlices:
      return bytes == SlicesStoredBytes(shape);
    case WeightEncoding::kFastFir:
      return bytes == FastFirStoredBytes(shape);
    case WeightEncoding::kHuffman:
      return bytes >= kHuffmanHeaderBytes;  // the rest: HuffmanLayersOk, with scratch for it
    default:
      return false;
  }
}

void RunConvKernel(ConvKernel kernel, [[maybe_unused]] const ConvRows& conv) {
  switch (kernel) {
#if SQUEEZE_KERNEL_REFERENCE
    case ConvKernel::kReference:
      Conv2DRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_GEMM
    case ConvKernel::kGemm:
      ConvGemmRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_WINOGRAD
    case ConvKernel::kWinograd:
      ConvWinogradRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_LANES
    case ConvKernel::kLanes:
      ConvLanesRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_SPARSE_LIST
    case ConvKernel::kSparseList:
      ConvSparseListRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_SLICES
    case ConvKernel::kSlices:
      ConvSlicesRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_PIXEL_PAIRS
    case ConvKernel::kPixelPairs:
      ConvPixelPairsRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_FAST_FIR
    case ConvKernel::kFastFir:
      ConvFastFirRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_WINOGRAD_WORDS
    case ConvKernel::kWinogradWords:
      ConvWinogradWordsRows(conv);
      return;
#endif
    default:
      return;  // Model::Parse lets none through
  }
}

}  // namespace squeeze
