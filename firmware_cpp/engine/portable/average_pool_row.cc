#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void AveragePoolRow(const PoolRow& p) {
  int8_t* out = p.out;
  int32_t* accumulators = p.accumulators;
  for (int x = 0; x < p.out_width; ++x, out += p.out_pixel_stride, accumulators += p.channels) {
    const int left = x * p.stride_w - p.pad_left;
    const int begin = left > 0 ? left : 0;
    const int end = left + p.kernel_w < p.in_width ? left + p.kernel_w : p.in_width;
    const int8_t* pixel = p.row + static_cast<uint32_t>(begin) * p.channels;
    const int32_t count = static_cast<int32_t>(p.window_rows) * (end - begin);
    for (uint32_t c = 0; c < p.channels; ++c) {
      int32_t sum = p.first ? 0 : accumulators[c];
      const int8_t* tap = pixel + c;
      for (int i = begin; i < end; ++i, tap += p.channels) sum = WrappingAdd(sum, *tap);
      accumulators[c] = sum;
      if (p.last) {  // rounds half away from zero, as TFLite does
        const int32_t half = sum > 0 ? count / 2 : -(count / 2);
        // Every window has a tap: model.cc's WindowsTouch.
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult,clang-analyzer-core.DivideZero)
        out[c] = Clamp(WrappingAdd(sum, half) / count, p.act_min, p.act_max);
      }
    }
  }
}

}  // namespace squeeze
