#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void DepthwiseRowStep(const DepthwiseRow& d) {
  int8_t* out = d.out;
  for (int32_t x = 0; x < d.out_width; ++x, out += d.out_pixel_stride) {
    const int32_t left = x * d.stride_w - d.pad_left;
    for (uint32_t c = 0; c < d.channels; ++c) {
      int32_t acc = d.bias[c];
      const int8_t* weight = d.weights + c;
      for (int32_t ky = 0; ky < d.kernel_h; ++ky) {
        const int8_t* const row = d.rows[ky];
        for (int32_t kx = 0; kx < d.kernel_w; ++kx, weight += d.channels) {
          const int32_t column = left + kx;
          const bool inside = row != nullptr && column >= 0 && column < d.in_width;
          const int32_t value =
              inside ? row[static_cast<uint32_t>(column) * d.channels + c] : d.in_zero_point;
          acc = WrappingAdd(acc, value * *weight);
        }
      }
      out[c] = Requantize(acc, d.multipliers[c], d.shifts[c], d.out_zero_point, d.act_min, d.act_max);
    }
  }
}

}  // namespace squeeze
