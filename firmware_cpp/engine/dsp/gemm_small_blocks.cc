// The inner loops of GemmSmallRows: as those of gemm_blocks.cc, 2 channels by 3 (or 2) pixels, but 16 steps
// unrolled and entered where their number asks, run once more where there are over 16, and from the
// accumulators straight to the outputs: 31 (24) instructions a group besides its 11 (8) a step. Z tells
// whether to run once more: nothing in a step changes it.
//
// r0 inputs, r1 weights, r2 the run, r3 lr weights of the two channels, r4-r6 inputs of three pixels, r7-r12
// accumulators [pixel][channel]. r2 points into the run, at `weights`: one load with what follows starts a
// group, one with what precedes requantizes it. Before, 26 instructions make these words, and 13 of 16
// weights the two channels' ones.
#include "engine/dsp/gemm_small.h"
#include "engine/dsp/intrinsics.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// The function is aligned: ADR counts from a multiple of 4.

// clang-format off
#define SQUEEZE_FIRST(v)                                                          \
  "smmla " v ", " v ", r1, r3\n asr.w " v ", " v ", r4\n ssat " v ", #8, " v "\n"
#define SQUEEZE_SECOND(v, before)                                                 \
  "smmla " v ", " v ", r5, r6\n asr.w " v ", " v ", lr\n ssat " v ", #8, " v "\n" \
  "bfi " before ", " v ", #8, #8\n"
// clang-format on

__attribute__((naked, noinline, aligned(4))) void GemmSmallPair([[maybe_unused]] const uint32_t* inputs,
                                                                [[maybe_unused]] GemmSmallRun* run,
                                                                [[maybe_unused]] uint32_t steps) {
  __asm__(
      "cbnz r0, 7f\n"
      // Where to enter: of over 16 steps the first round by 12 and 8, which set Z.
      "subs r3, r2, #16\n"
      "it gt\n"
      "movgt r2, r3\n"
      "mov.w r12, #40\n"
      "adr.w r3, 13f + 1\n"  // Thumb bit
      "mls r3, r2, r12, r3\n"
      "str r3, [r1, #96]\n"
      "it gt\n"
      "adrgt.w r3, 12f + 1\n"
      "str r3, [r1, #52]\n"
      "mov.w r12, #30\n"
      "adr.w r3, 6f + 1\n"
      "mls r3, r2, r12, r3\n"
      "str r3, [r1, #100]\n"
      "it gt\n"
      "adrgt.w r3, 8f + 1\n"
      "str r3, [r1, #68]\n"
      "bx lr\n"
      // Weights: r0 to, r1 r2 from, r3 words left, lr a mask, r4-r11 eight words.
      "7: push {r0, r1, r4-r11, lr}\n"
      "ldr r0, [r1, #24]\n"
      "adds r1, #84\n"
      "ldm.w r1, {r1, r2, r3}\n"
      "mov.w lr, #0xFF00FF00\n"
      "subs r3, #2\n"
      "blt 2f\n"
      "1: ldr r6, [r1], #4\n"
      "ldr r10, [r1], #4\n"
      "ldr r7, [r2], #4\n"
      "ldr r11, [r2], #4\n"
      "and r4, lr, r6, lsl #8\n"
      "and r5, lr, r7, lsl #8\n"
      "and r6, r6, lr\n"
      "and r7, r7, lr\n"
      "and r8, lr, r10, lsl #8\n"
      "and r9, lr, r11, lsl #8\n"
      "and r10, r10, lr\n"
      "and r11, r11, lr\n"
      "stm r0!, {r4-r11}\n"
      "subs r3, #2\n"
      "bge 1b\n"
      "2: lsls r3, r3, #31\n"  // an odd word left?
      "beq 3f\n"
      "ldr r6, [r1]\n"
      "ldr r7, [r2]\n"
      "and r4, lr, r6, lsl #8\n"
      "and r5, lr, r7, lsl #8\n"
      "and r6, r6, lr\n"
      "and r7, r7, lr\n"
      "stm r0!, {r4-r7}\n"
      // The run: r3 biases, r4 multipliers, r5 shifts, r7-r12 the words to store.
      "3: pop {r0, r2}\n"
      "adds r2, #24\n"
      "ldrd r3, r4, [r2, #48]\n"
      "ldr r5, [r2, #56]\n"
      "ldrd r7, r8, [r3], #8\n"
      "lsls r7, r7, #8\n"
      "lsl r8, r8, #8\n"
      "mov r9, r7\n"
      "mov r10, r8\n"
      "mov r11, r7\n"
      "mov r12, r8\n"
      "adds r6, r2, #4\n"
      "stm.w r6, {r7-r12}\n"
      "ldrd r7, r10, [r4], #8\n"
      "ldrsb r9, [r5], #1\n"
      "ldrsb r12, [r5], #1\n"
      "strd r3, r4, [r2, #48]\n"
      "str r5, [r2, #56]\n"
      "movs r3, #255\n"
      "movs r4, #64\n"
      "rsb r9, r9, #7\n"
      "rsb r12, r12, #7\n"
      "lsl r8, r3, r9\n"
      "sub r8, r4, r8, lsr #1\n"
      "lsl r11, r3, r12\n"
      "sub r11, r4, r11, lsr #1\n"
      "sub r6, r2, #24\n"
      "stm.w r6, {r7-r12}\n"
      "ldr r5, [r2, #32]\n"
      "cmp r0, r5\n"
      "beq.w 4f\n"
      "11: ldm r2, {r1, r7-r12, pc}\n"
      "12: cmp r2, r2\n"
      "ldr.w pc, [r2, #72]\n"
      "10: cmp r2, #0\n"
      ".rept 16\n"  // 40 bytes
      "ldr.w lr, [r1, #4]\n"
      "ldr.n r5, [r0, #4]\n"
      "ldr.n r6, [r0, #8]\n"
      "ldr.w r3, [r1], #8\n"
      "ldr.w r4, [r0], #12\n"
      "smlad r7, r4, r3, r7\n"
      "smlad r8, r4, lr, r8\n"
      "smlad r9, r5, r3, r9\n"
      "smlad r10, r5, lr, r10\n"
      "smlad r11, r6, r3, r11\n"
      "smlad r12, r6, lr, r12\n"
      ".endr\n"
      "13: beq.w 10b\n"
      "ldmdb r2, {r1, r3, r4, r5, r6, lr}\n"  //
      SQUEEZE_FIRST("r7") SQUEEZE_SECOND("r8", "r7") SQUEEZE_FIRST("r9") SQUEEZE_SECOND("r10", "r9")
          SQUEEZE_FIRST("r11") SQUEEZE_SECOND("r12", "r11")
      "ldr.n r3, [r0, #4]\n"
      "ldr.n r4, [r0, #8]\n"
      "ldr.n r6, [r2, #36]\n"
      "ldr.n r1, [r0]\n"
      "ldr.n r5, [r2, #32]\n"
      "strh r7, [r1, r6]\n"
      "adds r0, #12\n"
      "strh r9, [r3, r6]\n"
      "strh r11, [r4, r6]\n"
      "cmp r0, r5\n"
      "bne.w 11b\n"
      "4: ldr r6, [r2, #40]\n"
      "cmp r0, r6\n"
      "beq.w 9f\n"
      "5: ldm r2, {r1, r7-r10}\n"
      "ldr.w pc, [r2, #44]\n"
      "8: cmp r2, r2\n"
      "ldr.w pc, [r2, #76]\n"
      "15: cmp r2, #0\n"
      ".rept 16\n"  // 30 bytes
      "ldr.w lr, [r1, #4]\n"
      "ldr.n r5, [r0, #4]\n"
      "ldr.w r3, [r1], #8\n"
      "ldr.w r4, [r0], #8\n"
      "smlad r7, r4, r3, r7\n"
      "smlad r8, r4, lr, r8\n"
      "smlad r9, r5, r3, r9\n"
      "smlad r10, r5, lr, r10\n"
      ".endr\n"
      "6: beq.w 15b\n"
      "ldmdb r2, {r1, r3, r4, r5, r6, lr}\n"  //
      SQUEEZE_FIRST("r7") SQUEEZE_SECOND("r8", "r7") SQUEEZE_FIRST("r9") SQUEEZE_SECOND("r10", "r9")
      "ldmia.w r0!, {r1, r3}\n"
      "ldrd r5, r6, [r2, #36]\n"
      "strh r7, [r1, r5]\n"
      "strh r9, [r3, r5]\n"
      "cmp r0, r6\n"
      "bne.w 5b\n"
      "9: pop {r4-r11, pc}\n");
}

#else

void GemmSmallPair(const uint32_t* inputs, GemmSmallRun* run, uint32_t steps) {
  if (inputs == nullptr) {
    run->entry_of_threes = run->entry_of_twos = steps;
    return;
  }
  const ConvRows& conv = *run->conv;
  for (uint32_t i = 0; i < run->words; ++i) {
    GemmSmallWiden(run->weights + 4 * i, LoadWord(run->first + 4 * i), LoadWord(run->second + 4 * i));
  }
  for (uint32_t i = 0; i < 2; ++i) {
    const int shift = 7 - *run->shifts++;
    run->scale[3 * i] = *run->multipliers++;
    run->scale[3 * i + 1] = 64 - (255 << (shift - 1));
    run->scale[3 * i + 2] = shift;
    run->start[i] = run->start[i + 2] = run->start[i + 4] = *run->bias++ * 256;
  }
  while (inputs != run->inputs_end) {
    const bool threes = inputs < run->threes_end;
    const uint32_t pixels = threes ? 3 : 2;
    steps = threes ? run->entry_of_threes : run->entry_of_twos;
    const uint32_t* const table = inputs + pixels * steps;
    for (uint32_t i = 0; i < 2 * pixels; ++i) {
      int32_t acc = run->start[i];
      for (uint32_t k = 0; k < steps; ++k) {
        acc = Smlad(inputs[k * pixels + i / 2], run->weights[2 * k + (i & 1)], acc);
      }
      const int32_t* const scale = run->scale + 3 * (i & 1);
      const int32_t high = static_cast<int32_t>((int64_t{acc} * scale[0]) >> 32);
      const uint32_t pixel = table[i / 2];
      int8_t* const to = conv.out[pixel / conv.out_width] + pixel % conv.out_width * conv.out_pixel_stride;
      to[run->o + (i & 1)] = static_cast<int8_t>(Ssat8((high + scale[1]) >> scale[2]));
    }
    inputs = table + pixels;
  }
}

#endif

}  // namespace squeeze
