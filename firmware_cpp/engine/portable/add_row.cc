#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void AddRowStep(const AddRow& a) {
  const int32_t* p = a.params;
  const int8_t* left = a.a;
  const int8_t* right = a.b;
  int8_t* out = a.out;
  for (uint32_t x = 0; x < a.width; ++x, left += a.channels, right += a.channels, out += a.out_pixel_stride) {
    for (uint32_t c = 0; c < a.channels; ++c) {
      const int32_t u = Rescale(ShiftLeft(left[c] - a.a_zero_point, kAddLeftShift), p[0], p[3]);
      const int32_t v = Rescale(ShiftLeft(right[c] - a.b_zero_point, kAddLeftShift), p[1], p[4]);
      out[c] = Requantize(WrappingAdd(u, v), p[2], p[5], a.out_zero_point, a.act_min, a.act_max);
    }
  }
}

}  // namespace squeeze
