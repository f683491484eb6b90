#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void MulConstantRowStep(const MulConstantRow& r) {
  const int8_t* in = r.row;
  int8_t* out = r.out;
  for (uint32_t x = 0; x < r.width; ++x, in += r.channels, out += r.out_pixel_stride) {
    for (uint32_t c = 0; c < r.channels; ++c) {
      const int32_t product = (in[c] - r.in_zero_point) * r.factors[c];
      out[c] = Requantize(product, r.multiplier, r.shift, r.out_zero_point, r.act_min, r.act_max);
    }
  }
}

}  // namespace squeeze
