// Sums four channels at a time; the division by the window's size stays one by one (SDIV).
#include <arm_mve.h>

#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void AveragePoolRow(const PoolRow& p) {
  const uint32_t channels = p.channels;
  int8_t* out = p.out;
  int32_t* accumulators = p.accumulators;
  int left = -p.pad_left;
  for (uint32_t i = p.out_width; i > 0;
       --i, left += p.stride_w, out += p.out_pixel_stride, accumulators += channels) {
    const int begin = left > 0 ? left : 0;
    const int end = left + p.kernel_w < p.in_width ? left + p.kernel_w : p.in_width;
    const int8_t* pixel = p.row + static_cast<uint32_t>(begin) * channels;
    for (uint32_t c = 0; c < channels; c += 4) {
      const mve_pred16_t some = vctp32q(channels - c);
      int32x4_t sum = p.first ? vdupq_n_s32(0) : vldrwq_z_s32(accumulators + c, some);
      const int8_t* tap = pixel + c;
      for (int n = begin; n < end; ++n, tap += channels) sum = vaddq_s32(sum, vldrbq_z_s32(tap, some));
      vstrwq_p_s32(accumulators + c, sum, some);
    }
    if (!p.last) continue;
    const int32_t count = static_cast<int32_t>(p.window_rows) * (end - begin);
    for (uint32_t c = 0; c < channels; ++c) {  // rounds half away from zero, as TFLite does
      const int32_t half = accumulators[c] > 0 ? count / 2 : -(count / 2);
      // Every window has a tap: model.cc's WindowsTouch.
      const int32_t mean = (accumulators[c] + half) / count;  // NOLINT(clang-analyzer-core.DivideZero)
      out[c] = Clamp(mean, p.act_min, p.act_max);
    }
  }
}

}  // namespace squeeze
