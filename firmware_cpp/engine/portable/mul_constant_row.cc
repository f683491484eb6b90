#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void MulConstantRowStep(const MulConstantRow& mul) {
  const int8_t* in = mul.row;
  int8_t* out = mul.out;
  for (uint32_t x = 0; x < mul.width; ++x, in += mul.channels, out += mul.out_pixel_stride) {
    for (uint32_t c = 0; c < mul.channels; ++c) {
      const int32_t product = (in[c] - mul.in_zero_point) * mul.factors[c];
      out[c] = Requantize(product, mul.multiplier, mul.shift, mul.out_zero_point, mul.act_min, mul.act_max);
    }
  }
}

}  // namespace squeeze
