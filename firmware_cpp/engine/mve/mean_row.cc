// Pixels are summed in int16 lanes, 32 channels at a time (10 instructions for 32 of a pixel), at most 255
// pixels before they go to the int32 accumulators.
#include <arm_mve.h>

#include "engine/kernels.h"
#include "engine/mve/rescale.h"

namespace squeeze {
namespace {

constexpr uint32_t kPixels = 255;  // 255 * -128 fits an int16

// Adds eight channels' accumulators of some pixels: even lanes and odd ones are widened apart, VLD2 and VST2
// keep them in order. Assembler, because the compiler spills the pair of vectors.
inline void Widen(int32_t* accumulators, int16x8_t of_pixels) {
  asm volatile(
      "vld20.32 {q0, q1}, [%[accumulators]]\n"
      "vld21.32 {q0, q1}, [%[accumulators]]\n"
      "vmovlb.s16 q2, %q[of_pixels]\n"
      "vmovlt.s16 q3, %q[of_pixels]\n"
      "vadd.i32 q0, q0, q2\n"
      "vadd.i32 q1, q1, q3\n"
      "vst20.32 {q0, q1}, [%[accumulators]]\n"
      "vst21.32 {q0, q1}, [%[accumulators]]\n" ::[accumulators] "r"(accumulators),
      [of_pixels] "w"(of_pixels)
      : "q0", "q1", "q2", "q3", "memory");
}

void Add32(const int8_t* pixel, uint32_t stride, uint32_t pixels, int32_t* accumulators) {
  int16x8_t a = vdupq_n_s16(0), b = a, c = a, d = a;
  asm volatile(
      "dls lr, %[pixels]\n"
      "1: vldrb.s16 q0, [%[pixel]]\n"
      "vldrb.s16 q1, [%[pixel], #8]\n"
      "vadd.i16 %q[a], %q[a], q0\n"
      "vldrb.s16 q0, [%[pixel], #16]\n"
      "vadd.i16 %q[b], %q[b], q1\n"
      "vldrb.s16 q1, [%[pixel], #24]\n"
      "vadd.i16 %q[c], %q[c], q0\n"
      "vadd.i16 %q[d], %q[d], q1\n"
      "add %[pixel], %[pixel], %[stride]\n"
      "le lr, 1b\n"
      : [a] "+w"(a), [b] "+w"(b), [c] "+w"(c), [d] "+w"(d), [pixel] "+l"(pixel)
      : [stride] "r"(stride), [pixels] "r"(pixels)
      : "lr", "q0", "q1", "memory");
  Widen(accumulators, a);
  Widen(accumulators + 8, b);
  Widen(accumulators + 16, c);
  Widen(accumulators + 24, d);
}

// Up to four channels.
void Add4(const int8_t* pixel, uint32_t stride, uint32_t pixels, int32_t* accumulators, mve_pred16_t p) {
  int32x4_t total = vldrwq_z_s32(accumulators, p);
  for (; pixels > 0; --pixels, pixel += stride) total = vaddq_s32(total, vldrbq_z_s32(pixel, p));
  vstrwq_p_s32(accumulators, total, p);
}

}  // namespace

void MeanRowStep(const MeanRow& m) {
  const uint32_t channels = m.channels;
  int32_t* const accumulators = m.accumulators;
  if (m.first) {
    for (uint32_t c = 0; c < channels; c += 4)
      vstrwq_p_s32(accumulators + c, vdupq_n_s32(0), vctp32q(channels - c));
  }
  const int8_t* row = m.row;
  for (uint32_t left = m.width; left > 0;) {
    const uint32_t pixels = left < kPixels ? left : kPixels;
    uint32_t c = 0;
    for (; c + 32 <= channels; c += 32) Add32(row + c, channels, pixels, accumulators + c);
    for (; c < channels; c += 4) Add4(row + c, channels, pixels, accumulators + c, vctp32q(channels - c));
    row += pixels * channels;
    left -= pixels;
  }
  if (!m.last) return;
  const int32_t zero_points = m.in_zero_point * static_cast<int32_t>(m.pixels);
  const SharedScale scale(m.multiplier, m.shift);
  const int32_t out_zero_point = m.out_zero_point;
  int8_t* const out = m.out;
  ForLanes(channels, [&](uint32_t c, auto... p) {
    const int32x4_t x = scale.Rescale(vsubq_n_s32(LoadLanes(accumulators + c, p...), zero_points));
    StoreLanes(out + c, ClampLanes(vaddq_n_s32(x, out_zero_point), -128, 127), p...);
  });
}

}  // namespace squeeze
