// The inner loop of ConvWinogradWordsRows: 31 cycles for a pair of channels times four tiles on a Cortex-M0+,
// 3.9 a product, and 28 a position besides.
#include "engine/v6m/winograd_words.h"

namespace squeeze {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// r0 weights, r1 inputs, r2 weight of the even channel, r7 of both, then of the odd one, r3-r6 inputs of four
// tiles; r8-r11 their sums; r12 end of the position's weights; r14 products. Stack: 0 bytes of a position's
// weights, 4 end of all, 8 how far to jump into the unrolled pairs.
//
// The word of weights is even + odd * 2^16 modulo 2^32: less `even` it is odd * 2^16.
// clang-format off
#define SQUEEZE_WORDS_FOUR(weight, ADD) \
  "ldm r1!, {r3-r6}\n"                 \
  "muls r3, " weight "\n"              \
  "muls r4, " weight "\n"              \
  "muls r5, " weight "\n"              \
  "muls r6, " weight "\n"              \
  ADD " r8, r3\n"                      \
  ADD " r9, r4\n"                      \
  ADD " r10, r5\n"                     \
  ADD " r11, r6\n"
#define SQUEEZE_WORDS_PAIR(ADD)                           \
  "ldm r0!, {r7}\n"                                       \
  "sxth r2, r7\n" SQUEEZE_WORDS_FOUR("r2", ADD)           \
  "subs r7, r7, r2\n"                                     \
  "asrs r7, r7, #16\n" SQUEEZE_WORDS_FOUR("r7", "add")

__attribute__((naked, noinline, aligned(4))) void WordsProducts([[maybe_unused]] const uint32_t* weights,
                                                                [[maybe_unused]] const uint32_t* inputs,
                                                                [[maybe_unused]] uint32_t pairs,
                                                                [[maybe_unused]] uint32_t* products) {
  __asm__(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r4-r7}\n"
      "sub sp, #12\n"
      "mov r14, r3\n"
      "mov r12, r0\n"
      "subs r3, r2, #1\n"
      "movs r4, #7\n"
      "ands r3, r4\n"
      "subs r3, r3, r4\n"
      "subs r3, #1\n"
      "rsbs r3, r3, #0\n"  // 8 - (pairs - 1) % 8: with 8 all are skipped at first
      "movs r4, #44\n"  // bytes of a pair's code
      "muls r3, r4\n"
      "str r3, [sp, #8]\n"
      "lsls r2, r2, #2\n"
      "str r2, [sp]\n"
      "movs r3, #24\n"
      "muls r3, r2\n"
      "adds r3, r3, r0\n"
      "str r3, [sp, #4]\n"
      "1: ldr r2, [sp]\n"
      "add r12, r2\n"
      SQUEEZE_WORDS_PAIR("mov")
      "ldr r2, [sp, #8]\n"
      "add pc, r2\n"
      "nop\n"
      "2:\n"
      ".rept 8\n" SQUEEZE_WORDS_PAIR("add")
      ".endr\n"
      "5: cmp r0, r12\n"
      "beq 3f\n"
      "b 2b\n"
      ".if 5b - 2b - 8 * 44\n"
      ".error \"bytes of a pair\"\n"
      ".endif\n"
      "3: mov r3, r8\n mov r4, r9\n mov r5, r10\n mov r6, r11\n"
      "mov r2, r14\n"
      "stm r2!, {r3-r6}\n"
      "mov r14, r2\n"
      "ldr r2, [sp, #4]\n"
      "cmp r0, r2\n"
      "beq 4f\n"
      "b 1b\n"
      "4: add sp, #12\n"
      "pop {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "pop {r4-r7, pc}\n");
}
// clang-format on

#else

void WordsProducts(const uint32_t* weights, const uint32_t* inputs, uint32_t pairs, uint32_t* products) {
  for (uint32_t position = 0; position < kWordsPositions; ++position, products += kWordsGroup) {
    uint32_t sums[kWordsGroup] = {};
    for (uint32_t i = pairs; i > 0; --i, inputs += 2 * kWordsGroup) {
      const uint32_t both = *weights++;
      const uint32_t even = static_cast<uint32_t>(int32_t{static_cast<int16_t>(both)});
      const uint32_t odd = static_cast<uint32_t>(static_cast<int32_t>(both - even) >> 16);
      for (uint32_t t = 0; t < kWordsGroup; ++t) sums[t] += even * inputs[t] + odd * inputs[kWordsGroup + t];
    }
    for (uint32_t t = 0; t < kWordsGroup; ++t) products[t] = sums[t];
  }
}

#endif

}  // namespace squeeze
