// Products of a group to sums (winograd_words.h): 215 cycles a tile on a Cortex-M0+.
#include "engine/v6m/winograd_words.h"

namespace squeeze {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// First down, column by column: r0 its products, r1 m0 and what the second row is, r2 m1, r3 m2, r4 m3 and
// what the first row is. The first row's six are in r8-r12 and r14, the second row's on the stack. Then
// along: r0 where the sums go, r1-r7 as the comments say. Stack: 0 six of the second row, 24 products, 28
// sums, 32 1/3, 36 bias, 40 end of the tiles.
// clang-format off
#define SQUEEZE_WORDS_SUM_DOWN(first, second)    \
  "ldr r1, [r0]\n"                               \
  "ldr r2, [r0, #16]\n"                          \
  "ldr r3, [r0, #32]\n"                          \
  "ldr r4, [r0, #48]\n"                          \
  "adds r0, #64\n"                               \
  "adds r4, r4, r1\n"                            \
  "adds r4, r4, r2\n"                            \
  "mov " first ", r4\n"                          \
  "subs r1, r1, r2\n"                            \
  "adds r1, r1, r3\n"                            \
  "str r1, [sp, #" second "]\n"
#define SQUEEZE_WORDS_HIGH(to, number, high) "mov " to ", " high "\n"
#define SQUEEZE_WORDS_STACK(to, at, high) "ldr " to ", [sp, #" at "]\n"
#define SQUEEZE_WORDS_SUM_ALONG(GET, half)                                                           \
  GET("r1", "4", "r9") GET("r2", "8", "r10")                                                         \
  "adds r3, r1, r2\n" /* p */                                                                        \
  "subs r1, r1, r2\n" /* q */                                                                        \
  GET("r2", "12", "r11") GET("r4", "16", "r12")                                                      \
  "adds r5, r2, r4\n" /* r */                                                                        \
  "subs r2, r2, r4\n" /* t */                                                                        \
  "subs r6, r5, r3\n" /* y2: r - p */                                                                \
  GET("r4", "0", "r8")                                                                               \
  "lsls r7, r4, #1\n"                                                                                \
  "adds r7, r7, r4\n"                                                                                \
  "lsls r3, r3, #1\n"                                                                                \
  "subs r7, r7, r3\n"                                                                                \
  "lsls r7, r7, #1\n"                                                                                \
  "adds r7, r7, r5\n" /* y0: 2 (3 m0 - 2 p) + r */                                                   \
  "lsls r3, r1, #1\n"                                                                                \
  "subs r3, r2, r3\n" /* y1: t - 2 q */                                                              \
  GET("r4", "20", "r14")                                                                             \
  "lsls r5, r4, #1\n"                                                                                \
  "adds r4, r4, r5\n"                                                                                \
  "adds r4, r4, r2\n"                                                                                \
  "lsls r4, r4, #1\n"                                                                                \
  "subs r4, r4, r1\n" /* y3: 2 (t + 3 m5) - q */                                                     \
  "ldr r1, [sp, #32]\n"                                                                              \
  "ldr r2, [sp, #36]\n"                                                                              \
  "muls r7, r1\n asrs r7, r7, #4\n adds r7, r7, r2\n str r7, [r0, #" half "]\n"                      \
  "muls r3, r1\n asrs r3, r3, #3\n adds r3, r3, r2\n str r3, [r0, #8+" half "]\n"                    \
  "muls r6, r1\n asrs r6, r6, #2\n adds r6, r6, r2\n str r6, [r0, #16+" half "]\n"                   \
  "muls r4, r1\n asrs r4, r4, #2\n adds r4, r4, r2\n str r4, [r0, #24+" half "]\n"

__attribute__((naked, noinline, aligned(4))) void WordsOutputs([[maybe_unused]] const uint32_t* products,
                                                               [[maybe_unused]] int32_t bias,
                                                               [[maybe_unused]] PairsSums* sums) {
  __asm__(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r4-r7}\n"
      "sub sp, #44\n"
      "str r2, [sp, #28]\n"
      "str r1, [sp, #36]\n"
      "ldr r3, 2f\n"
      "str r3, [sp, #32]\n"
      "movs r3, #16\n"
      "adds r3, r3, r0\n"
      "str r3, [sp, #40]\n"
      "1: str r0, [sp, #24]\n"
      SQUEEZE_WORDS_SUM_DOWN("r8", "0") SQUEEZE_WORDS_SUM_DOWN("r9", "4") SQUEEZE_WORDS_SUM_DOWN("r10", "8")
      SQUEEZE_WORDS_SUM_DOWN("r11", "12") SQUEEZE_WORDS_SUM_DOWN("r12", "16") SQUEEZE_WORDS_SUM_DOWN("r14", "20")
      "ldr r0, [sp, #28]\n"
      SQUEEZE_WORDS_SUM_ALONG(SQUEEZE_WORDS_HIGH, "0")
      SQUEEZE_WORDS_SUM_ALONG(SQUEEZE_WORDS_STACK, "4")
      "adds r0, #32\n"
      "str r0, [sp, #28]\n"
      "ldr r0, [sp, #24]\n"
      "adds r0, #4\n"
      "ldr r1, [sp, #40]\n"
      "cmp r0, r1\n"
      "beq 3f\n"
      "b 1b\n"
      "3: add sp, #44\n"
      "pop {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "pop {r4-r7, pc}\n"
      ".balign 4\n"
      "2: .word 0xAAAAAAAB\n");
}
// clang-format on

#else

void WordsOutputs(const uint32_t* products, int32_t bias, PairsSums* sums) {
  constexpr uint32_t kInverseOf3 = 0xAAAAAAAB;  // modulo 2^32
  for (uint32_t tile = 0; tile < kWordsGroup; ++tile, ++products, sums += kWordsColumns) {
    uint32_t m[2][6];  // of both rows
    for (uint32_t i = 0; i < 6; ++i) {
      const uint32_t* const from = products + 4 * kWordsGroup * i;
      const uint32_t m0 = from[0], m1 = from[kWordsGroup];
      m[0][i] = m0 + m1 + from[3 * kWordsGroup];
      m[1][i] = m0 - m1 + from[2 * kWordsGroup];
    }
    for (uint32_t y = 0; y < 2; ++y) {
      const uint32_t* const v = m[y];
      const uint32_t p = v[1] + v[2], q = v[1] - v[2], r = v[3] + v[4], t = v[3] - v[4];
      const uint32_t times[4] = {6 * v[0] - 4 * p + r, t - 2 * q, r - p, 2 * t - q + 6 * v[5]};
      constexpr uint32_t kShifts[4] = {4, 3, 2, 2};
      for (uint32_t x = 0; x < 4; ++x) {
        const uint32_t sum =
            static_cast<uint32_t>(static_cast<int32_t>(times[x] * kInverseOf3) >> kShifts[x]);
        (y == 0 ? sums[x].low : sums[x].high) = static_cast<int32_t>(sum + static_cast<uint32_t>(bias));
      }
    }
  }
}

#endif

}  // namespace squeeze
