// The inner loops of ConvWinogradRows for tall tiles: as in winograd_blocks.cc, with six positions a column,
// and in between what makes four rows of sums of them (m the sums of a position, k = 1, 2, 3, 4, 0, 5):
//   p = m1 + m2, q = m1 - m2 = 2 m1 - p, r = m3 + m4, t = m3 - m4 = 2 m3 - r
//   y0 = r - 4 p + m0, y1 = t - 2 q, y2 = r - p, y3 = 2 t - q + m5
// m2, m4, m0 and m5 are summed up on top of m1, m3, r - 4 p and 2 t - q.
//
// r0 inputs, r1 weights, r2 rounds left, r3 r4 weights of two channels, r5-r7 inputs of three tiles, r8-lr
// sums.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/winograd.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// Stack: 0 y1, 24 zeros, 48 m1, then q, 72 p, 96 m3, then t, 120 r, 144 y3, 168 weights, 172 their end, 176
// sums, 180 rounds, 184 end of the inputs, 188 entries into the six loops.
// clang-format off
#define SQUEEZE_ENTRY(label, at) "adr.w r2, " label "f + 1\n subs r2, r2, r5\n str r2, [sp, #" at "]\n"
#define SQUEEZE_WINOGRAD_ENTER(bytes_of_a_step)  \
  "push {r4-r11, lr}\n"                          \
  "sub sp, #212\n"                               \
  "ldm r1, {r2, r3, r4, r5, r6}\n"               \
  "strd r2, r3, [sp, #168]\n"                    \
  "str r4, [sp, #176]\n"                         \
  "str r6, [sp, #184]\n"                         \
  "movs r2, #0\n"                                \
  "movs r3, #0\n"                                \
  "strd r2, r3, [sp, #24]\n"                     \
  "strd r2, r3, [sp, #32]\n"                     \
  "strd r2, r3, [sp, #40]\n"                     \
  "adds r2, r5, #7\n"                            \
  "lsrs r2, r2, #3\n"                            \
  "str r2, [sp, #180]\n"                         \
  "ands r5, r5, #7\n"                            \
  "it eq\n"                                      \
  "moveq r5, #8\n"                               \
  "movs r6, #" bytes_of_a_step "\n"              \
  "muls r5, r6, r5\n"                            \
  SQUEEZE_ENTRY("20", "188")                     \
  SQUEEZE_ENTRY("21", "192")                     \
  SQUEEZE_ENTRY("22", "196")                     \
  SQUEEZE_ENTRY("23", "200")                     \
  SQUEEZE_ENTRY("24", "204")                     \
  SQUEEZE_ENTRY("25", "208")

// Sums up one position: 8 steps unrolled, entered where their number asks.
#define SQUEEZE_SUM(begin, end, entry, STEP)  \
  "ldr r2, [sp, #180]\n"                      \
  "ldr.w pc, [sp, #" entry "]\n"              \
  begin ":\n"                                 \
  ".rept 8\n"                                 \
  STEP                                        \
  ".endr\n"                                   \
  end ": subs r2, #1\n"                       \
  "bne.w " begin "b\n"

#define SQUEEZE_STEP_THREE    \
  "ldmia.w r0!, {r5-r7}\n"    \
  "ldmia.w r1!, {r3, r4}\n"   \
  "smlad r8, r5, r3, r8\n"    \
  "smlad r9, r5, r4, r9\n"    \
  "smlad r10, r6, r3, r10\n"  \
  "smlad r11, r6, r4, r11\n"  \
  "smlad r12, r7, r3, r12\n"  \
  "smlad lr, r7, r4, lr\n"
#define SQUEEZE_STEP_TWO      \
  "ldmia.w r0!, {r5, r6}\n"   \
  "ldmia.w r1!, {r3, r4}\n"   \
  "smlad r8, r5, r3, r8\n"    \
  "smlad r9, r5, r4, r9\n"    \
  "smlad r10, r6, r3, r10\n"  \
  "smlad r11, r6, r4, r11\n"

// sums = sums `op` (others `shift`), and the other way round.
#define SQUEEZE_FOUR(op, shift)  \
  op " r8, r8, r2" shift "\n"    \
  op " r9, r9, r3" shift "\n"    \
  op " r10, r10, r4" shift "\n"  \
  op " r11, r11, r5" shift "\n"
#define SQUEEZE_SIX(op, shift)   \
  SQUEEZE_FOUR(op, shift)        \
  op " r12, r12, r6" shift "\n"  \
  op " lr, lr, r7" shift "\n"
#define SQUEEZE_OTHER_FOUR(op, shift)  \
  op " r2, r2, r8" shift "\n"          \
  op " r3, r3, r9" shift "\n"          \
  op " r4, r4, r10" shift "\n"         \
  op " r5, r5, r11" shift "\n"
#define SQUEEZE_OTHER_SIX(op, shift)  \
  SQUEEZE_OTHER_FOUR(op, shift)       \
  op " r6, r6, r12" shift "\n"        \
  op " r7, r7, lr" shift "\n"

#define SQUEEZE_TO(at, regs) "add r2, sp, #" at "\n stm.w r2, {" regs "}\n"
#define SQUEEZE_FROM(at, regs) "add r2, sp, #" at "\n ldm.w r2, {" regs "}\n"
#define SQUEEZE_OUT(row, regs) "ldr r2, [sp, #176]\n add r2, #" row "\n stm.w r2, {" regs "}\n"

#define SQUEEZE_TALL_LOOP(regs, others, EACH, OTHER, STEP)  \
  "1: ldr r1, [sp, #168]\n"                                 \
  "2:\n"                                                    \
  SQUEEZE_FROM("24", regs)                                  \
  SQUEEZE_SUM("10", "20", "188", STEP)                      \
  SQUEEZE_TO("48", regs)                                    \
  SQUEEZE_SUM("11", "21", "192", STEP)                      \
  SQUEEZE_TO("72", regs)                                    \
  SQUEEZE_FROM("24", regs)                                  \
  SQUEEZE_SUM("12", "22", "196", STEP)                      \
  SQUEEZE_TO("96", regs)                                    \
  SQUEEZE_SUM("13", "23", "200", STEP)                      \
  SQUEEZE_TO("120", regs)                                   \
  SQUEEZE_FROM("96", others)                                \
  EACH("rsb", ", lsl #1") /* t */                           \
  SQUEEZE_TO("96", regs)                                    \
  SQUEEZE_FROM("72", regs)                                  \
  SQUEEZE_FROM("48", others)                                \
  EACH("rsb", ", lsl #1") /* q */                           \
  SQUEEZE_TO("48", regs)                                    \
  SQUEEZE_FROM("96", others)                                \
  OTHER("sub", ", lsl #1") /* y1 */                         \
  "stm.w sp, {" others "}\n"                                \
  SQUEEZE_FROM("96", others)                                \
  EACH("rsb", ", lsl #1") /* y3, without m5 */              \
  SQUEEZE_TO("144", regs)                                   \
  "ldm.w sp, {" regs "}\n"                                  \
  SQUEEZE_OUT("24", regs)                                   \
  SQUEEZE_FROM("120", regs)                                 \
  SQUEEZE_FROM("72", others)                                \
  EACH("sub", "") /* y2 */                                  \
  SQUEEZE_OUT("48", regs)                                   \
  SQUEEZE_FROM("120", regs)                                 \
  SQUEEZE_FROM("72", others)                                \
  EACH("sub", ", lsl #2") /* y0, without m0 */              \
  SQUEEZE_SUM("14", "24", "204", STEP)                      \
  SQUEEZE_OUT("0", regs)                                    \
  SQUEEZE_FROM("144", regs)                                 \
  SQUEEZE_SUM("15", "25", "208", STEP)                      \
  SQUEEZE_OUT("72", regs)                                   \
  "adds r2, #24\n"                                          \
  "ldr r3, [sp, #172]\n"                                    \
  "str r2, [sp, #176]\n"                                    \
  "cmp r1, r3\n"                                            \
  "bne.w 2b\n"                                              \
  "ldr r2, [sp, #184]\n"                                    \
  "cmp r0, r2\n"                                            \
  "bne.w 1b\n"                                              \
  "add sp, #212\n"                                          \
  "pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) void WinogradTallThrees([[maybe_unused]] const uint32_t* inputs,
                                                         [[maybe_unused]] const WinogradRun* run) {
  __asm__(SQUEEZE_WINOGRAD_ENTER("32")  //
          SQUEEZE_TALL_LOOP("r8-r12, lr", "r2-r7", SQUEEZE_SIX, SQUEEZE_OTHER_SIX, SQUEEZE_STEP_THREE));
}

__attribute__((naked, noinline)) void WinogradTallTwos([[maybe_unused]] const uint32_t* inputs,
                                                       [[maybe_unused]] const WinogradRun* run) {
  __asm__(SQUEEZE_WINOGRAD_ENTER("24")  //
          SQUEEZE_TALL_LOOP("r8-r11", "r2-r5", SQUEEZE_FOUR, SQUEEZE_OTHER_FOUR, SQUEEZE_STEP_TWO));
}

#else

namespace {

uint32_t Dot(const uint32_t* inputs, const uint32_t* weights, const WinogradRun& run, uint32_t tiles) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < run.steps; ++i) sum = Smlad(inputs[i * tiles], weights[2 * i], sum);
  return static_cast<uint32_t>(sum);
}

void Groups(const uint32_t* inputs, const WinogradRun& run, uint32_t tiles) {
  int32_t* sums = run.sums;
  for (; inputs != run.inputs_end; inputs += 36 * run.steps * tiles) {
    for (uint32_t column = 0; column < 6; ++column, sums += 24) {
      for (uint32_t i = 0; i < 2 * tiles; ++i) {
        uint32_t m[6];  // in the order of positions: k = 1, 2, 3, 4, 0, 5
        for (uint32_t k = 0; k < 6; ++k) {
          const uint32_t position = 6 * column + k;
          m[k] = Dot(inputs + position * run.steps * tiles + i / 2,
                     run.weights + position * run.steps * 2 + i % 2, run, tiles);
        }
        const uint32_t p = m[0] + m[1], q = m[0] - m[1], r = m[2] + m[3], t = m[2] - m[3];
        sums[i] = static_cast<int32_t>(r - 4 * p + m[4]);
        sums[6 + i] = static_cast<int32_t>(t - 2 * q);
        sums[12 + i] = static_cast<int32_t>(r - p);
        sums[18 + i] = static_cast<int32_t>(2 * t - q + m[5]);
      }
    }
  }
}

}  // namespace

void WinogradTallThrees(const uint32_t* inputs, const WinogradRun* run) { Groups(inputs, *run, 3); }
void WinogradTallTwos(const uint32_t* inputs, const WinogradRun* run) { Groups(inputs, *run, 2); }

#endif

}  // namespace squeeze
