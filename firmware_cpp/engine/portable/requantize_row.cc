#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void RequantizeRowStep(const RequantizeRow& r) {
  const int8_t* in = r.row;
  int8_t* out = r.out;
  for (uint32_t x = 0; x < r.width; ++x, in += r.channels, out += r.out_pixel_stride) {
    for (uint32_t c = 0; c < r.channels; ++c) {
      out[c] = Requantize(in[c] - r.in_zero_point, r.multiplier, r.shift, r.out_zero_point, -128, 127);
    }
  }
}

}  // namespace squeeze
