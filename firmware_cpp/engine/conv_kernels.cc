#include "engine/conv_kernels.h"

#include "engine/channel_weights.h"
#include "engine/coded_layer.h"
#include "engine/dsp/gemm.h"
#include "engine/dsp/lanes.h"
#include "engine/dsp/list.h"
#include "engine/dsp/winograd.h"
#include "engine/mve/slices.h"

namespace squeeze {
namespace {

bool Coded([[maybe_unused]] WeightEncoding encoding) {
#if SQUEEZE_KERNEL_CODED
  return encoding == WeightEncoding::kCoded;
#else
  return false;
#endif
}

// What kernels take that read one channel after the other.
[[maybe_unused]] bool AnyOrder(WeightEncoding encoding) {
  return encoding == WeightEncoding::kDense || encoding == WeightEncoding::kSparse || Coded(encoding);
}

}  // namespace

bool LayerKernelBuilt(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConv2D:
#if SQUEEZE_KERNEL_MAX_POOL
    case LayerKind::kMaxPool:
#endif
#if SQUEEZE_KERNEL_AVERAGE_POOL
    case LayerKind::kAveragePool:
#endif
#if SQUEEZE_KERNEL_MEAN
    case LayerKind::kMean:
#endif
#if SQUEEZE_KERNEL_ADD
    case LayerKind::kAdd:
#endif
#if SQUEEZE_KERNEL_PAD
    case LayerKind::kPad:
#endif
#if SQUEEZE_KERNEL_REQUANTIZE
    case LayerKind::kRequantize:
#endif
#if SQUEEZE_KERNEL_SOFTMAX
    case LayerKind::kSoftmax:
#endif
      return true;
    default:
      return false;
  }
}

bool ConvKernelTakes(ConvKernel kernel, [[maybe_unused]] WeightEncoding encoding,
                     [[maybe_unused]] const ConvShape& shape) {
  switch (kernel) {
#if SQUEEZE_KERNEL_PLAIN
    // A build may lack either of the two.
    case ConvKernel::kPlain:  // NOLINT(bugprone-branch-clone)
      return AnyOrder(encoding);
#endif
#if SQUEEZE_KERNEL_GEMM
    case ConvKernel::kGemm:
      return AnyOrder(encoding);
#endif
#if SQUEEZE_KERNEL_WINOGRAD
    case ConvKernel::kWinograd:
      return (AnyOrder(encoding) || encoding == WeightEncoding::kWinograd) && WinogradTakes(shape);
#endif
#if SQUEEZE_KERNEL_LANES
    case ConvKernel::kLanes:
      return (encoding == WeightEncoding::kDense || Coded(encoding)) && LanesTakes(shape);
#endif
#if SQUEEZE_KERNEL_LIST
    case ConvKernel::kList:
      return (encoding == WeightEncoding::kSparse || Coded(encoding)) && ListTakes(shape);
#endif
#if SQUEEZE_KERNEL_SLICES
    case ConvKernel::kSlices:
      return encoding == WeightEncoding::kSlices;
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
      return WinogradScratchBytes(shape, 3, encoding == WeightEncoding::kWinograd);
#endif
#if SQUEEZE_KERNEL_LANES
    case ConvKernel::kLanes:
      return LanesScratchBytes(shape);
#endif
#if SQUEEZE_KERNEL_LIST
    case ConvKernel::kList:
      return ListScratchBytes(shape);
#endif
#if SQUEEZE_KERNEL_SLICES
    case ConvKernel::kSlices:
      return SlicesScratchBytes(shape);
#endif
    default:
      return encoding == WeightEncoding::kSparse || Coded(encoding) ? 2 * shape.Taps() : 0;
  }
}

}  // namespace

uint32_t ConvScratchBytes(ConvKernel kernel, WeightEncoding encoding, const ConvShape& shape) {
  const uint32_t own = KernelScratchBytes(kernel, encoding, shape);
  return Coded(encoding) ? CodedScratch(kernel, shape.out_channels, shape.Taps()).bytes + own : own;
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
    case WeightEncoding::kCoded:
      return bytes >= kCodedHeaderBytes;  // the rest: CodedLayersOk, with scratch for it
    default:
      return false;
  }
}

void RunConvKernel(ConvKernel kernel, [[maybe_unused]] const ConvRows& conv) {
  switch (kernel) {
#if SQUEEZE_KERNEL_PLAIN
    case ConvKernel::kPlain:
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
#if SQUEEZE_KERNEL_LIST
    case ConvKernel::kList:
      ConvListRows(conv);
      return;
#endif
#if SQUEEZE_KERNEL_SLICES
    case ConvKernel::kSlices:
      ConvSlicesRows(conv);
      return;
#endif
    default:
      return;  // Model::Parse lets none through
  }
}

}  // namespace squeeze
