#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void MaxPoolRow(const PoolRow& p) {
  int8_t* out = p.out;
  for (int x = 0; x < p.out_width; ++x, out += p.out_pixel_stride) {
    const int left = x * p.stride_w - p.pad_left;
    const int begin = left > 0 ? left : 0;
    const int end = left + p.kernel_w < p.in_width ? left + p.kernel_w : p.in_width;
    const int8_t* pixel = p.row + static_cast<uint32_t>(begin) * p.channels;
    for (uint32_t c = 0; c < p.channels; ++c) {
      int8_t best = p.first ? int8_t{-128} : out[c];
      const int8_t* tap = pixel + c;
      for (int i = begin; i < end; ++i, tap += p.channels) {
        if (*tap > best) best = *tap;
      }
      out[c] = p.last ? Clamp(best, p.act_min, p.act_max) : best;
    }
  }
}

}  // namespace squeeze
