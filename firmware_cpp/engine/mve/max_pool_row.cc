// 16 channels at a time, the last ones under the loop's predicate. Taps go by three: 7 instructions for 16
// channels in the window's first row, 9 in the others, and 11 a pixel.
#include <arm_mve.h>

#include "engine/kernels.h"

namespace squeeze {
namespace {

// `pixels` windows of taps at from, from + second and from + third.
struct Taps {
  const int8_t* from;
  uint32_t second;
  uint32_t third;
  uint32_t step;  // from window to window
  int8_t* out;
  uint32_t out_step;
  uint32_t pixels;  // at least 1
};

// Assembler, because the compiler makes no loop with a predicate, and additions of its own for addresses.
#define SQUEEZE_POOL(load_out, max_out)                                                               \
  asm volatile(                                                                                       \
      "1: add r0, %[from], %[second]\n"                                                               \
      "add r1, %[from], %[third]\n"                                                                   \
      "mov r2, %[from]\n"                                                                             \
      "mov r3, %[out]\n"                                                                              \
      "dlstp.8 lr, %[channels]\n"                                                                     \
      "2: vldrb.u8 q1, [r0], #16\n"                                                                   \
      "vldrb.u8 q2, [r1], #16\n"                                                                      \
      "vldrb.u8 q0, [r2], #16\n" load_out                                                             \
      "vmax.s8 q1, q1, q2\n"                                                                          \
      "vmax.s8 q0, q0, q1\n" max_out                                                                  \
      "vstrb.8 q0, [r3], #16\n"                                                                       \
      "letp lr, 2b\n"                                                                                 \
      "ldr r0, %[step]\n"                                                                             \
      "ldr r1, %[out_step]\n"                                                                         \
      "add %[from], %[from], r0\n"                                                                    \
      "add %[out], %[out], r1\n"                                                                      \
      "subs %[pixels], %[pixels], #1\n"                                                               \
      "bne 1b\n"                                                                                      \
      : [from] "+r"(t.from), [out] "+r"(t.out), [pixels] "+r"(t.pixels)                               \
      : [second] "r"(t.second), [third] "r"(t.third), [step] "m"(t.step), [out_step] "m"(t.out_step), \
        [channels] "r"(channels)                                                                      \
      : "r0", "r1", "r2", "r3", "lr", "q0", "q1", "q2", "q3", "cc", "memory")

// out = the largest of the taps, or of the taps and out.
void Pool(Taps t, uint32_t channels, bool first) {
  if (first) {
    SQUEEZE_POOL("", "");
  } else {
    SQUEEZE_POOL("vldrb.u8 q3, [r3]\n", "vmax.s8 q0, q0, q3\n");
  }
}

// One pixel whose window has any number of taps.
void PoolPixel(const int8_t* tap, uint32_t taps, int8_t* out, uint32_t channels, bool first) {
  if (first && taps == 0) {
    for (uint32_t c = 0; c < channels; c += 16) {
      vstrbq_p_s8(out + c, vdupq_n_s8(-128), vctp8q(channels - c));
    }
  }
  while (taps > 0) {
    const uint32_t some = taps < 3 ? taps : 3;
    Pool({tap, some > 1 ? channels : 0, (some - 1) * channels, 0, out, 0, 1}, channels, first);
    first = false;
    taps -= some;
    tap += some * channels;
  }
}

void ClampPixel(int8_t* out, int8_t low, int8_t high, uint32_t channels) {
  for (uint32_t c = 0; c < channels; c += 16) {
    const mve_pred16_t p = vctp8q(channels - c);
    const int8x16_t x = vldrbq_z_s8(out + c, p);
    vstrbq_p_s8(out + c, vminq_s8(vmaxq_s8(x, vdupq_n_s8(low)), vdupq_n_s8(high)), p);
  }
}

}  // namespace

void MaxPoolRow(const PoolRow& p) {
  const uint32_t channels = p.channels;
  const uint32_t stride = p.out_pixel_stride;
  const int width = p.in_width;
  int8_t* out = p.out;
  int left = -p.pad_left;
  for (uint32_t x = 0; x < p.out_width;) {
    uint32_t pixels = 1;
    if (left >= 0 && left + 3 <= width && p.kernel_w == 3) {  // all the windows that are inside the row
      // A stride is at least 1: model.cc's Checker. NOLINTNEXTLINE(clang-analyzer-core.DivideZero)
      pixels = static_cast<uint32_t>(width - 3 - left) / p.stride_w + 1;
      if (pixels > p.out_width - x) pixels = p.out_width - x;
      const int8_t* from = p.row + static_cast<uint32_t>(left) * channels;
      Pool({from, channels, 2 * channels, p.stride_w * channels, out, stride, pixels}, channels, p.first);
    } else {
      const int begin = left > 0 ? left : 0;
      const int end = left + p.kernel_w < width ? left + p.kernel_w : width;
      const uint32_t taps = end > begin ? static_cast<uint32_t>(end - begin) : 0;
      PoolPixel(p.row + static_cast<uint32_t>(begin) * channels, taps, out, channels, p.first);
    }
    x += pixels;
    left += static_cast<int>(pixels * p.stride_w);
    out += pixels * stride;
  }
  if (!p.last || (p.act_min == -128 && p.act_max == 127)) return;
  for (uint32_t x = 0; x < p.out_width; ++x) ClampPixel(p.out + x * stride, p.act_min, p.act_max, channels);
}

}  // namespace squeeze
