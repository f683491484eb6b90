// The inner loops of ConvWinogradRows: at each position 2 output channels by 3 (or 2) tiles, as in
// gemm_blocks.cc.
//
// The transform down the columns is part of it. Of the four positions of a column, the accumulators of k = 1
// go on from those of k = 0 (m0 + m1), k = 3 from these, which gives y0, and k = 2 from 2 m0 - (m0 + m1) = m0
// - m1, which gives y1: one instruction a sum instead of four.
//
// r0 inputs, r1 weights, r2 rounds left times 4 and k, r3 r4 weights of two channels, r5-r7 inputs of three
// tiles, r8-lr accumulators. All four k run the same steps, so these stay in a flash's buffer of 1 KB.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/winograd.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// Stack: 0 zeros, 24 m0, 48 m0 + m1, 72 weights, 76 their end, 80 accumulators, 84 rounds (less one) times 4,
// 88 end of the inputs, 92 entry into the loop. Aligned: ADR counts from a multiple of 4.
// clang-format off
#define SQUEEZE_WINOGRAD_ENTER(bytes_of_a_step)  \
  "push {r4-r11, lr}\n"                          \
  "sub sp, #100\n"                              \
  "ldm r1, {r2, r3, r4, r5, r6}\n"               \
  "strd r2, r3, [sp, #72]\n"                     \
  "str r4, [sp, #80]\n"                          \
  "str r6, [sp, #88]\n"                          \
  "movs r2, #0\n"                                \
  "movs r3, #0\n"                                \
  "strd r2, r3, [sp]\n"                          \
  "strd r2, r3, [sp, #8]\n"                      \
  "strd r2, r3, [sp, #16]\n"                     \
  "subs r5, #1\n"                                \
  "lsrs r2, r5, #4\n"                            \
  "lsls r2, r2, #2\n"                            \
  "str r2, [sp, #84]\n"                          \
  "and r5, r5, #15\n"                            \
  "adds r5, #1\n"                                \
  "movs r6, #" bytes_of_a_step "\n"              \
  "muls r5, r6, r5\n"                            \
  "adr.w r2, 20f + 1\n" /* Thumb bit */          \
  "subs r2, r2, r5\n"                            \
  "str r2, [sp, #92]\n"

#define SQUEEZE_STEP_THREE    \
  "ldr.n r4, [r1, #4]\n"      \
  "ldr.n r6, [r0, #4]\n"      \
  "ldr.n r7, [r0, #8]\n"      \
  "ldr.w r3, [r1], #8\n"      \
  "ldr.w r5, [r0], #12\n"     \
  "smlad r8, r5, r3, r8\n"    \
  "smlad r9, r5, r4, r9\n"    \
  "smlad r10, r6, r3, r10\n"  \
  "smlad r11, r6, r4, r11\n"  \
  "smlad r12, r7, r3, r12\n"  \
  "smlad lr, r7, r4, lr\n"
#define SQUEEZE_STEP_TWO      \
  "ldr.n r4, [r1, #4]\n"      \
  "ldr.n r6, [r0, #4]\n"      \
  "ldr.w r3, [r1], #8\n"      \
  "ldr.w r5, [r0], #8\n"      \
  "smlad r8, r5, r3, r8\n"    \
  "smlad r9, r5, r4, r9\n"    \
  "smlad r10, r6, r3, r10\n"  \
  "smlad r11, r6, r4, r11\n"

// Sums up position `k` of a column: 16 steps unrolled, entered where their number asks.
#define SQUEEZE_WINOGRAD_SUM(k)  \
  "ldr r2, [sp, #84]\n"          \
  "adds r2, #" k "\n"            \
  "ldr.w pc, [sp, #92]\n"

// regs: the accumulators; D: turns m0 (in r2...) and m0 + m1 (in the accumulators) into m0 - m1. Behind the
// steps, N and C have the bits of k.
#define SQUEEZE_WINOGRAD_LOOP(regs, D, STEP)     \
  "1: ldr r1, [sp, #72]\n"                       \
  "2: ldm.w sp, {" regs "}\n"                    \
  SQUEEZE_WINOGRAD_SUM("0")                      \
  "10:\n"                                        \
  ".rept 16\n"                                   \
  STEP                                           \
  ".endr\n"                                      \
  "20: subs r2, #4\n"                            \
  "bpl.w 10b\n"                                  \
  "lsls r2, r2, #31\n"                           \
  "bcs.n 12f\n"                                  \
  "bmi.n 11f\n"                                  \
  "add r2, sp, #24\n"                            \
  "stm.w r2, {" regs "}\n"                       \
  SQUEEZE_WINOGRAD_SUM("1")                      \
  "11: add r2, sp, #48\n"                        \
  "stm.w r2, {" regs "}\n"                       \
  "add r2, sp, #24\n"                            \
  D                                              \
  SQUEEZE_WINOGRAD_SUM("2")                      \
  "12: ldr r2, [sp, #80]\n"                      \
  "bmi.n 13f\n"                                  \
  "adds r2, #24\n"                               \
  "stm.w r2, {" regs "}\n"                       \
  "add r2, sp, #48\n"                            \
  "ldm.w r2, {" regs "}\n"                       \
  SQUEEZE_WINOGRAD_SUM("3")                      \
  "13: stm.w r2, {" regs "}\n"                   \
  "adds r2, #48\n"                               \
  "ldr r3, [sp, #76]\n"                          \
  "str r2, [sp, #80]\n"                          \
  "cmp r1, r3\n"                                 \
  "bne.w 2b\n"                                   \
  "ldr r2, [sp, #88]\n"                          \
  "cmp r0, r2\n"                                 \
  "bne.w 1b\n"                                   \
  "add sp, #100\n"                              \
  "pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline, aligned(4))) void WinogradThrees([[maybe_unused]] const uint32_t* inputs,
                                                                 [[maybe_unused]] const WinogradRun* run) {
  __asm__(SQUEEZE_WINOGRAD_ENTER("38")  //
          SQUEEZE_WINOGRAD_LOOP("r8-r12, lr",
                                "ldm r2, {r2-r7}\n"
                                "rsb r8, r8, r2, lsl #1\n"
                                "rsb r9, r9, r3, lsl #1\n"
                                "rsb r10, r10, r4, lsl #1\n"
                                "rsb r11, r11, r5, lsl #1\n"
                                "rsb r12, r12, r6, lsl #1\n"
                                "rsb lr, lr, r7, lsl #1\n",
                                SQUEEZE_STEP_THREE));
}

__attribute__((naked, noinline, aligned(4))) void WinogradTwos([[maybe_unused]] const uint32_t* inputs,
                                                               [[maybe_unused]] const WinogradRun* run) {
  __asm__(SQUEEZE_WINOGRAD_ENTER("28")  //
          SQUEEZE_WINOGRAD_LOOP("r8-r11",
                                "ldm r2, {r2-r5}\n"
                                "rsb r8, r8, r2, lsl #1\n"
                                "rsb r9, r9, r3, lsl #1\n"
                                "rsb r10, r10, r4, lsl #1\n"
                                "rsb r11, r11, r5, lsl #1\n",
                                SQUEEZE_STEP_TWO));
}

#else

namespace {

int32_t Dot(const uint32_t* inputs, const uint32_t* weights, const WinogradRun& run, uint32_t tiles) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < run.steps; ++i) sum = Smlad(inputs[i * tiles], weights[2 * i], sum);
  return sum;
}

void Groups(const uint32_t* inputs, const WinogradRun& run, uint32_t tiles) {
  int32_t* accumulators = run.accumulators;
  for (; inputs != run.inputs_end; inputs += 24 * run.steps * tiles) {
    for (uint32_t column = 0; column < 6; ++column, accumulators += 12) {
      for (uint32_t i = 0; i < 2 * tiles; ++i) {
        uint32_t m[4];
        for (uint32_t k = 0; k < 4; ++k) {
          const uint32_t position = 4 * column + k;
          m[k] = static_cast<uint32_t>(Dot(inputs + position * run.steps * tiles + i / 2,
                                           run.weights + position * run.steps * 2 + i % 2, run, tiles));
        }
        accumulators[i] = static_cast<int32_t>(m[0] + m[1] + m[3]);
        accumulators[6 + i] = static_cast<int32_t>(m[0] - m[1] + m[2]);
      }
    }
  }
}

}  // namespace

void WinogradThrees(const uint32_t* inputs, const WinogradRun* run) { Groups(inputs, *run, 3); }
void WinogradTwos(const uint32_t* inputs, const WinogradRun* run) { Groups(inputs, *run, 2); }

#endif

}  // namespace squeeze
