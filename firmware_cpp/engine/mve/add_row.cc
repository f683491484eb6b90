// Four channels at a time, about 7 instructions a channel.
#include "engine/fixed_point.h"
#include "engine/kernels.h"
#include "engine/mve/rescale.h"

namespace squeeze {

void AddRowStep(const AddRow& a) {
  const SharedScale scale_a(a.params[0], a.params[3]);
  const SharedScale scale_b(a.params[1], a.params[4]);
  const SharedScale scale_out(a.params[2], a.params[5]);
  const int32_t zero_a = a.a_zero_point;
  const int32_t zero_b = a.b_zero_point;
  const int32_t zero_out = a.out_zero_point;
  const int32_t low = a.act_min;
  const int32_t high = a.act_max;
  const uint32_t channels = a.channels;
  const int8_t* left = a.a;
  const int8_t* right = a.b;
  int8_t* out = a.out;
  for (uint32_t x = a.width; x > 0; --x, left += channels, right += channels, out += a.out_pixel_stride) {
    ForLanes(channels, [&](uint32_t c, auto... p) {
      const int32x4_t u = vshlq_n_s32(vsubq_n_s32(LoadLanes(left + c, p...), zero_a), kAddLeftShift);
      const int32x4_t v = vshlq_n_s32(vsubq_n_s32(LoadLanes(right + c, p...), zero_b), kAddLeftShift);
      const int32x4_t sum = scale_out.Rescale(vaddq_s32(scale_a.Rescale(u), scale_b.Rescale(v)));
      StoreLanes(out + c, ClampLanes(vaddq_n_s32(sum, zero_out), low, high), p...);
    });
  }
}

}  // namespace squeeze
