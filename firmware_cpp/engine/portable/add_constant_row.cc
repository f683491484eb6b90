#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void AddConstantRowStep(const AddConstantRow& add) {
  const int32_t* p = add.params;
  const int8_t* in = add.row;
  int8_t* out = add.out;
  for (uint32_t x = 0; x < add.width; ++x, in += add.channels, out += add.out_pixel_stride) {
    for (uint32_t c = 0; c < add.channels; ++c) {
      const int32_t u = Rescale(ShiftLeft(in[c] - add.in_zero_point, kAddLeftShift), p[0], p[2]);
      out[c] = Requantize(WrappingAdd(u, add.addends[c]), p[1], p[3], add.out_zero_point, add.act_min,
                          add.act_max);
    }
  }
}

}  // namespace squeeze
