#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void AddConstantRowStep(const AddConstantRow& r) {
  const int32_t* p = r.params;
  const int8_t* in = r.row;
  int8_t* out = r.out;
  for (uint32_t x = 0; x < r.width; ++x, in += r.channels, out += r.out_pixel_stride) {
    for (uint32_t c = 0; c < r.channels; ++c) {
      const int32_t u = Rescale(ShiftLeft(in[c] - r.in_zero_point, kAddLeftShift), p[0], p[2]);
      out[c] = Requantize(WrappingAdd(u, r.addends[c]), p[1], p[3], r.out_zero_point, r.act_min, r.act_max);
    }
  }
}

}  // namespace squeeze
