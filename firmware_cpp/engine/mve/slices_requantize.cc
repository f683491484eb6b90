// Lanes are 4 channels: VQRDMULH is fixed_point.h's DoublingHighMul, VRSHL by a negative shift its
// RoundingShiftRight but for halves of negative numbers, which it rounds up. With a fused ReLU they end in
// the clamp; else 1 is taken from negative numbers before.
// Two pixels are narrowed into one vector, a channel's two values side by side. With zero point -128 and no
// bounds but an int8's, narrowing saturates for the clamp (ReluPairs); a scatter then stores 8 bytes.
// Shifts of -1 or less leave at most 2^30, so adding the zero point cannot wrap, and saturating to 16 bits
// before it changes nothing that survives the clamp. Other shifts go by RequantizeSlices.
// Registers: q0 shifts, q1 multipliers, q2 bias, q3 addresses of the 4 channels' accumulators, q4 offsets of
// the scatter or lower bound, q7 upper bound. ReluPairs7 takes 52 instructions for 28 outputs, Clamp7 75.
#include "engine/mve/slices_requantize.h"

#include <arm_mve.h>

#include "engine/mve/rescale.h"

namespace squeeze {
void RequantizeSlices(const SlicesOutput& o, uint32_t first, uint32_t end, uint32_t pixels) {
  const uint32x4_t rows = vmulq_n_u32(vidupq_n_u32(0, 4), pixels);  // bytes to the lanes' channels
  for (uint32_t c = first; c < end; c += 4) {
    const mve_pred16_t p = vctp32q(end - c);
    const int32x4_t bias = vldrwq_z_s32(o.bias + c, p);
    const int32x4_t multiplier = vldrwq_z_s32(o.multipliers + c, p);
    const int32x4_t shift = vldrbq_z_s32(o.shifts + c, p);
    const int32x4_t left = vmaxq_s32(shift, vdupq_n_s32(0));
    const int32x4_t right = vminq_s32(shift, vdupq_n_s32(0));
    for (uint32_t i = 0; i < pixels; ++i) {
      const int32x4_t sum = vldrwq_gather_offset_s32(o.accumulators + c * pixels + i, rows);
      const int32x4_t x = RescaleLanes(vaddq_s32(sum, bias), multiplier, left, right);
      vstrbq_p_s32(reinterpret_cast<int8_t*>(o.out[i]) + c,
                   ClampLanes(vaddq_n_s32(x, o.zero_point), o.low, o.high), p);
    }
  }
}

#define SQUEEZE_SUM(q, at) "vldrw.u32 " q ", [q3, #" at "]\n"
#define SQUEEZE_FIRST_SUM(q, at) "vldrw.u32 " q ", [q3, #" at "]!\n"  // moves q3 on to the next quad
#define SQUEEZE_SCALE(q) \
  "vadd.i32 " q ", " q   \
  ", q2\n"               \
  "vqrdmulh.s32 " q ", " q ", q1\n"
#define SQUEEZE_AWAY(q) \
  "vpt.s32 lt, " q      \
  ", zr\n"              \
  "vsubt.i32 " q ", " q ", r12\n"
#define SQUEEZE_SHIFT(q) "vrshl.s32 " q ", " q ", q0\n"
#define SQUEEZE_JOIN     \
  "vqmovnb.s32 q5, q5\n" \
  "vqmovnt.s32 q5, q6\n" \
  "vqadd.s16 q5, q5, r11\n"

// What starts each function: r7 shifts (widening loads and narrowing stores want a low register), r8 bias, r9
// multipliers, r10 quads, r11 zero point, r12 the rest of SlicesOutput; q3 before the first quad's addresses.
#define SQUEEZE_START(channel_bytes, quad_bytes) \
  "push {r4-r11, lr}\n"                          \
  "vpush {d8-d15}\n"                             \
  "mov r12, r0\n"                                \
  "movs r0, #0\n"                                \
  "vidup.u32 q3, r0, #1\n"                       \
  "movs r1, #" channel_bytes                     \
  "\n"                                           \
  "vmul.i32 q3, q3, r1\n"                        \
  "ldm r12!, {r0, r7, r8, r9, r10, r11}\n"       \
  "subs r0, #" quad_bytes                        \
  "\n"                                           \
  "vadd.i32 q3, q3, r0\n"
#define SQUEEZE_QUAD          \
  "vldrw.u32 q1, [r9], #16\n" \
  "vldrb.s32 q0, [r7], #4\n"  \
  "vldrw.u32 q2, [r8], #16\n"
#define SQUEEZE_END \
  "le lr, 1b\n"     \
  "vpop {d8-d15}\n" \
  "pop {r4-r11, pc}\n"

// Then r4, r5, r6 pixels 0, 2, 4, r3 pixel 6 (where there are so many), r2 4; q4 = {0, stride, 1, stride + 1,
// ...} in 16 bits.
#define SQUEEZE_PAIRS         \
  "ldrd r1, r12, [r12, #8]\n" \
  "ldr r4, [r12]\n"           \
  "ldr r5, [r12, #8]\n"       \
  "ldr r6, [r12, #16]\n"      \
  "ldr r3, [r12, #24]\n"      \
  "movs r0, #0\n"             \
  "vidup.u32 q4, r0, #1\n"    \
  "mov r2, #0x10001\n"        \
  "vmul.i32 q4, q4, r2\n"     \
  "lsls r1, r1, #16\n"        \
  "vadd.i32 q4, q4, r1\n"     \
  "movs r2, #4\n"             \
  "dls lr, r10\n"             \
  "1:\n"
#define SQUEEZE_RELU_PAIR(first, second, out)                                                               \
  first second SQUEEZE_SCALE("q5") SQUEEZE_SCALE("q6") SQUEEZE_SHIFT("q5") SQUEEZE_SHIFT("q6") SQUEEZE_JOIN \
      "vqmovnb.s16 q5, q5\n"                                                                                \
      "vstrb.16 q5, [" out ", q4]\n"

#define SQUEEZE_RELU2(quad_bytes) \
  SQUEEZE_RELU_PAIR(SQUEEZE_FIRST_SUM("q5", quad_bytes), SQUEEZE_SUM("q6", "4"), "r4")
#define SQUEEZE_RELU4(quad_bytes) \
  SQUEEZE_RELU2(quad_bytes)       \
  SQUEEZE_RELU_PAIR(SQUEEZE_SUM("q5", "8"), SQUEEZE_SUM("q6", "12"), "r5")
#define SQUEEZE_RELU6(quad_bytes) \
  SQUEEZE_RELU4(quad_bytes)       \
  SQUEEZE_RELU_PAIR(SQUEEZE_SUM("q5", "16"), SQUEEZE_SUM("q6", "20"), "r6")
#define SQUEEZE_RELU7(quad_bytes) \
  SQUEEZE_RELU6(quad_bytes)       \
  SQUEEZE_SUM("q5", "24")         \
  SQUEEZE_SCALE("q5")             \
  SQUEEZE_SHIFT("q5")             \
  "vqmovnb.s32 q5, q5\n"          \
  "vqadd.s16 q5, q5, r11\n"       \
  "vqmovnb.s16 q5, q5\n"          \
  "vstrb.32 q5, [r3], #4\n"

#define SQUEEZE_FUNCTION(n, channel_bytes, quad_bytes)                                                \
  extern "C" __attribute__((naked)) void SqueezeSlicesReluPairs##n(const SlicesOutput*) {             \
    asm volatile(SQUEEZE_START(channel_bytes, quad_bytes) SQUEEZE_PAIRS SQUEEZE_QUAD SQUEEZE_RELU##n( \
        quad_bytes) "vadd.i16 q4, q4, r2\n" SQUEEZE_END);                                             \
  }
SQUEEZE_FUNCTION(2, "8", "32")
SQUEEZE_FUNCTION(4, "16", "64")
SQUEEZE_FUNCTION(6, "24", "96")
SQUEEZE_FUNCTION(7, "28", "112")
#undef SQUEEZE_FUNCTION

// Then r0 to r6 the pixels, q4 and q7 the bounds, r12 1.
#define SQUEEZE_BOUNDS                      \
  "dls lr, r10\n"                           \
  "ldrd r4, r5, [r12]\n"                    \
  "vdup.16 q4, r4\n"                        \
  "vdup.16 q7, r5\n"                        \
  "ldr r12, [r12, #12]\n"                   \
  "ldm r12, {r0, r1, r2, r3, r4, r5, r6}\n" \
  "movs r12, #1\n"                          \
  "1:\n"
#define SQUEEZE_BOUND     \
  "vmax.s16 q5, q5, q4\n" \
  "vmin.s16 q5, q5, q7\n"
// A pair's second value is in the upper halves of the lanes.
#define SQUEEZE_CLAMP_PAIR(first, second, out0, out1)                                             \
  first second SQUEEZE_SCALE("q5") SQUEEZE_SCALE("q6") SQUEEZE_AWAY("q5") SQUEEZE_AWAY("q6")      \
      SQUEEZE_SHIFT("q5") SQUEEZE_SHIFT("q6") SQUEEZE_JOIN SQUEEZE_BOUND "vstrb.32 q5, [" out0    \
                                                                         "], #4\n"                \
                                                                         "vshr.u32 q5, q5, #16\n" \
                                                                         "vstrb.32 q5, [" out1 "], #4\n"

#define SQUEEZE_CLAMP2(quad_bytes) \
  SQUEEZE_CLAMP_PAIR(SQUEEZE_FIRST_SUM("q5", quad_bytes), SQUEEZE_SUM("q6", "4"), "r0", "r1")
#define SQUEEZE_CLAMP4(quad_bytes) \
  SQUEEZE_CLAMP2(quad_bytes)       \
  SQUEEZE_CLAMP_PAIR(SQUEEZE_SUM("q5", "8"), SQUEEZE_SUM("q6", "12"), "r2", "r3")
#define SQUEEZE_CLAMP6(quad_bytes) \
  SQUEEZE_CLAMP4(quad_bytes)       \
  SQUEEZE_CLAMP_PAIR(SQUEEZE_SUM("q5", "16"), SQUEEZE_SUM("q6", "20"), "r4", "r5")
#define SQUEEZE_CLAMP7(quad_bytes) \
  SQUEEZE_CLAMP6(quad_bytes)       \
  SQUEEZE_SUM("q5", "24")          \
  SQUEEZE_SCALE("q5")              \
  SQUEEZE_AWAY("q5")               \
  SQUEEZE_SHIFT("q5")              \
  "vqmovnb.s32 q5, q5\n"           \
  "vqadd.s16 q5, q5, r11\n" SQUEEZE_BOUND "vstrb.32 q5, [r6], #4\n"

#define SQUEEZE_FUNCTION(n, channel_bytes, quad_bytes)                                      \
  extern "C" __attribute__((naked)) void SqueezeSlicesClamp##n(const SlicesOutput*) {       \
    asm volatile(SQUEEZE_START(channel_bytes, quad_bytes)                                   \
                     SQUEEZE_BOUNDS SQUEEZE_QUAD SQUEEZE_CLAMP##n(quad_bytes) SQUEEZE_END); \
  }
SQUEEZE_FUNCTION(2, "8", "32")
SQUEEZE_FUNCTION(4, "16", "64")
SQUEEZE_FUNCTION(6, "24", "96")
SQUEEZE_FUNCTION(7, "28", "112")

}  // namespace squeeze
