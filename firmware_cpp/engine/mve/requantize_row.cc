// Four channels at a time, about 3 instructions a channel.
#include "engine/kernels.h"
#include "engine/mve/rescale.h"

namespace squeeze {

void RequantizeRowStep(const RequantizeRow& r) {
  const SharedScale scale(r.multiplier, r.shift);
  const int32_t in_zero_point = r.in_zero_point;
  const int32_t out_zero_point = r.out_zero_point;
  const uint32_t channels = r.channels;
  const int8_t* in = r.row;
  int8_t* out = r.out;
  for (uint32_t x = r.width; x > 0; --x, in += channels, out += r.out_pixel_stride) {
    ForLanes(channels, [&](uint32_t c, auto... p) {
      const int32x4_t scaled = scale.Rescale(vsubq_n_s32(LoadLanes(in + c, p...), in_zero_point));
      StoreLanes(out + c, ClampLanes(vaddq_n_s32(scaled, out_zero_point), -128, 127), p...);
    });
  }
}

}  // namespace squeeze
