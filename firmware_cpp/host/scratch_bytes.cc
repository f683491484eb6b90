// The scratch of convolution kernels as the engine computes it, for many shapes a call: a test compares it
// with the converter's formulas (convert/select/cost_model.py). A library of its own, apart from the C API's.
#include <stddef.h>
#include <stdint.h>

#include "engine/conv_kernels.h"
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

// The kernel's own scratch to make everything in one pass; more is of no use to it.
uint32_t AllAtOnce(ConvKernel kernel, WeightEncoding encoding, const ConvShape& shape) {
  switch (kernel) {
    case ConvKernel::kGemm:
      return GemmScratchBytes(shape, shape.out_width * shape.out_rows);
    case ConvKernel::kWinograd:
      return WinogradScratchBytes(shape, WinogradTiles(shape.out_width, shape.out_rows),
                                  encoding == WeightEncoding::kWinograd);
    case ConvKernel::kFastFir:
      return FastFirScratchBytes(shape, FastFirTiles(shape.out_width, shape.out_rows));
    case ConvKernel::kLanes: {
      const LanesShape lanes =
          LanesShapeOf(shape.kernel_h, shape.kernel_w, shape.stride_w, shape.in_channels);
      const uint32_t tiles = LanesTiles(lanes, shape.out_width);
      return LanesScratchBytes(shape, tiles < 3 ? 3 : tiles);
    }
    case ConvKernel::kSparseList:
      return SparseListScratchBytes(shape, SparseListAllWords(shape));
    case ConvKernel::kPixelPairs:
      return PixelPairsScratchBytes(shape, encoding == WeightEncoding::kHuffman, PairsAllWords(shape));
    case ConvKernel::kWinogradWords:
      return WinogradWordsScratchBytes(shape, encoding == WeightEncoding::kSparse);
    case ConvKernel::kSlices:
      return kSliceTableBytes + SliceWindows(shape) * SlicePaddedTaps(shape) +
             SlicePaddedChannels(shape) * kSlicePixels * 4;
    case ConvKernel::kReference:
      break;
  }
  return ConvScratchBytes(kernel, encoding, shape);
}

}  // namespace
}  // namespace squeeze

// A layer with one kernel and encoding: 12 numbers, the shape's last.
struct ScratchCase {
  uint32_t kernel;
  uint32_t encoding;
  squeeze::ConvShape shape;
};
static_assert(sizeof(ScratchCase) == 12 * sizeof(uint32_t), "Python passes rows of 12 numbers");

// For each case the least scratch in bytes and the most that is of use; -1 twice where the kernel refuses it.
extern "C" void squeeze_scratch_bytes(const ScratchCase* cases, size_t count, int64_t* least, int64_t* most) {
  using namespace squeeze;
  for (size_t i = 0; i < count; ++i) {
    const auto kernel = static_cast<ConvKernel>(cases[i].kernel);
    const auto encoding = static_cast<WeightEncoding>(cases[i].encoding);
    const ConvShape& shape = cases[i].shape;
    least[i] = most[i] = -1;
    if (!ConvKernelSupports(kernel, encoding, shape)) continue;
    least[i] = ConvScratchBytes(kernel, encoding, shape);
    // Of kReference AllAtOnce has the front of Huffman-coded weights already.
    const bool front = encoding == WeightEncoding::kHuffman && kernel != ConvKernel::kReference;
    most[i] = AllAtOnce(kernel, encoding, shape);
    if (front) most[i] += HuffmanScratch(kernel, shape.out_channels, shape.Taps()).bytes;
  }
}
