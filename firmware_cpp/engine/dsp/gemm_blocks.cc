// The inner loops of ConvGemmRows: 2 channels by 3 pixels, 11 instructions and 12 cycles for 12 MACs; by 2
// pixels, 8 and 9 for 8. Five LDRs in a row take 6 cycles; LDMs of 3 and of 2 words took 7.
//
// r0 inputs, r1 weights, r2 rounds left, r3 r4 weights of the two channels, r5-r7 inputs of three pixels,
// r8-lr accumulators [pixel][channel]. The rest is on the stack. Sixteen steps are unrolled; the first round
// is entered in the middle if the number of steps is not a multiple of 16: every step takes the same number
// of bytes.
#include "engine/dsp/gemm.h"
#include "engine/dsp/intrinsics.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// Stack: 0 the accumulators' start, 24 weights, 28 rounds, 32 entry, 36 accumulators, 40 end of the inputs.
// Aligned: ADR counts from a multiple of 4.
// clang-format off
#define SQUEEZE_GEMM_ENTER              \
  "push {r4-r11, lr}\n"                 \
  "sub sp, #44\n"                       \
  "ldm r1, {r2-r7}\n"                   \
  "strd r2, r3, [sp]\n"                 \
  "strd r2, r3, [sp, #8]\n"             \
  "strd r2, r3, [sp, #16]\n"            \
  "str r4, [sp, #24]\n"                 \
  "strd r6, r7, [sp, #36]\n"            \
  "adds r2, r5, #15\n"                  \
  "lsrs r2, r2, #4\n"                   \
  "str r2, [sp, #28]\n"                 \
  "ands r5, r5, #15\n"                  \
  "it eq\n"                             \
  "moveq r5, #16\n"                     \
  "adr.w r2, 3f + 1\n" /* Thumb bit */
#define SQUEEZE_GEMM_LEAVE  \
  "add sp, #44\n"           \
  "pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline, aligned(4))) void GemmThrees([[maybe_unused]] const uint32_t* inputs,
                                                             [[maybe_unused]] const GemmRun* run) {
  __asm__(SQUEEZE_GEMM_ENTER
          "movs r6, #38\n"
          "mls r2, r5, r6, r2\n"
          "str r2, [sp, #32]\n"
          "1: ldm sp, {r8-r12, lr}\n"
          "ldrd r1, r2, [sp, #24]\n"
          "ldr.w pc, [sp, #32]\n"
          "2:\n"
          ".rept 16\n"  // 38 bytes
          "ldr.n r4, [r1, #4]\n"
          "ldr.n r6, [r0, #4]\n"
          "ldr.n r7, [r0, #8]\n"
          "ldr.w r3, [r1], #8\n"
          "ldr.w r5, [r0], #12\n"
          "smlad r8, r5, r3, r8\n"
          "smlad r9, r5, r4, r9\n"
          "smlad r10, r6, r3, r10\n"
          "smlad r11, r6, r4, r11\n"
          "smlad r12, r7, r3, r12\n"
          "smlad lr, r7, r4, lr\n"
          ".endr\n"
          "3: subs r2, r2, #1\n"
          "bne.w 2b\n"
          "ldrd r1, r2, [sp, #36]\n"
          "stm r1!, {r8-r12, lr}\n"
          "str r1, [sp, #36]\n"
          "cmp r0, r2\n"
          "bne.w 1b\n" SQUEEZE_GEMM_LEAVE);
}

__attribute__((naked, noinline, aligned(4))) void GemmTwos([[maybe_unused]] const uint32_t* inputs,
                                                           [[maybe_unused]] const GemmRun* run) {
  __asm__(SQUEEZE_GEMM_ENTER
          "movs r6, #28\n"
          "mls r2, r5, r6, r2\n"
          "str r2, [sp, #32]\n"
          "1: ldm sp, {r8-r11}\n"
          "ldrd r1, r2, [sp, #24]\n"
          "ldr.w pc, [sp, #32]\n"
          "2:\n"
          ".rept 16\n"  // 28 bytes
          "ldr.n r4, [r1, #4]\n"
          "ldr.n r6, [r0, #4]\n"
          "ldr.w r3, [r1], #8\n"
          "ldr.w r5, [r0], #8\n"
          "smlad r8, r5, r3, r8\n"
          "smlad r9, r5, r4, r9\n"
          "smlad r10, r6, r3, r10\n"
          "smlad r11, r6, r4, r11\n"
          ".endr\n"
          "3: subs r2, r2, #1\n"
          "bne.w 2b\n"
          "ldrd r1, r2, [sp, #36]\n"
          "stm r1!, {r8-r11}\n"
          "str r1, [sp, #36]\n"
          "cmp r0, r2\n"
          "bne.w 1b\n" SQUEEZE_GEMM_LEAVE);
}

#else

namespace {

void Groups(const uint32_t* inputs, const GemmRun& run, uint32_t pixels) {
  int32_t* accumulators = run.accumulators;
  for (; inputs != run.inputs_end; inputs += pixels * run.steps) {
    for (uint32_t i = 0; i < 2 * pixels; ++i) {
      int32_t acc = run.start[i & 1];
      for (uint32_t k = 0; k < run.steps; ++k) {
        acc = Smlad(inputs[k * pixels + i / 2], run.weights[2 * k + (i & 1)], acc);
      }
      *accumulators++ = acc;
    }
  }
}

}  // namespace

void GemmThrees(const uint32_t* inputs, const GemmRun* run) { Groups(inputs, *run, 3); }
void GemmTwos(const uint32_t* inputs, const GemmRun* run) { Groups(inputs, *run, 2); }

#endif

}  // namespace squeeze
