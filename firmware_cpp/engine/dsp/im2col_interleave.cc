#include "engine/dsp/im2col.h"
#include "engine/dsp/intrinsics.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

namespace {

// r0 to, r1-r3 from, lr words left; two words of each of three pixels in r4-r9 (r4 r5 the first's), r10-r12
// their odd bytes. STM stores registers in ascending order: (k0, k2) of the three, then (k1, k3).
// clang-format off
#define SQUEEZE_THREE_PLAIN(a, b, c)                 \
  "sxtb16.w r10, " a ", ror #8\n"                    \
  "sxtb16.w " a ", " a "\n"                          \
  "sxtb16.w r11, " b ", ror #8\n"                    \
  "sxtb16.w " b ", " b "\n"                          \
  "sxtb16.w r12, " c ", ror #8\n"                    \
  "sxtb16.w " c ", " c "\n"                          \
  "stm r0!, {" a ", " b ", " c ", r10, r11, r12}\n"
#define SQUEEZE_THREE_DOUBLED(a, b, c)               \
  "sxtb16.w r10, " a ", ror #8\n"                    \
  "sxtb16.w " a ", " a "\n"                          \
  "sxtb16.w r11, " b ", ror #8\n"                    \
  "sxtb16.w " b ", " b "\n"                          \
  "sxtb16.w r12, " c ", ror #8\n"                    \
  "sxtb16.w " c ", " c "\n"                          \
  "sadd16 r10, r10, r10\n"                           \
  "sadd16 " a ", " a ", " a "\n"                     \
  "sadd16 r11, r11, r11\n"                           \
  "sadd16 " b ", " b ", " b "\n"                     \
  "sadd16 r12, r12, r12\n"                           \
  "sadd16 " c ", " c ", " c "\n"                     \
  "stm r0!, {" a ", " b ", " c ", r10, r11, r12}\n"
#define SQUEEZE_THREE(WORDS)  \
  "push {r4-r11, lr}\n"       \
  "mov lr, r2\n"              \
  "ldm r1, {r1, r2, r3}\n"    \
  "subs lr, #2\n"             \
  "blt 2f\n"                  \
  "1: ldmia r1!, {r4, r5}\n"  \
  "ldmia r2!, {r6, r7}\n"     \
  "ldmia.w r3!, {r8, r9}\n"   \
  WORDS("r4", "r6", "r8")     \
  WORDS("r5", "r7", "r9")     \
  "subs lr, #2\n"             \
  "bge 1b\n"                  \
  "2: tst lr, #1\n"           \
  "beq 3f\n"                  \
  "ldr r4, [r1]\n"            \
  "ldr r6, [r2]\n"            \
  "ldr r8, [r3]\n"            \
  WORDS("r4", "r6", "r8")     \
  "3: pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) uint32_t* ThreesPlain([[maybe_unused]] uint32_t* to,
                                                       [[maybe_unused]] const int8_t* const* from,
                                                       [[maybe_unused]] uint32_t words) {
  __asm__(SQUEEZE_THREE(SQUEEZE_THREE_PLAIN));
}

__attribute__((naked, noinline)) uint32_t* ThreesDoubled([[maybe_unused]] uint32_t* to,
                                                         [[maybe_unused]] const int8_t* const* from,
                                                         [[maybe_unused]] uint32_t words) {
  __asm__(SQUEEZE_THREE(SQUEEZE_THREE_DOUBLED));
}

// Stack: 0 words, 4 groups left; 44 gap.
__attribute__((naked, noinline)) uint32_t* GroupsOfThree([[maybe_unused]] uint32_t* to,
                                                         [[maybe_unused]] const int8_t* from,
                                                         [[maybe_unused]] uint32_t words,
                                                         [[maybe_unused]] uint32_t groups,
                                                         [[maybe_unused]] uint32_t gap) {
  __asm__(
      "push {r4-r11, lr}\n"
      "push {r2, r3}\n"
      "4: ldr.w lr, [sp]\n"
      "add r2, r1, lr, lsl #2\n"
      "add r3, r2, lr, lsl #2\n"
      "subs lr, #2\n"
      "blt 2f\n"
      "1: ldmia r1!, {r4, r5}\n"
      "ldmia r2!, {r6, r7}\n"
      "ldmia.w r3!, {r8, r9}\n"  //
      SQUEEZE_THREE_PLAIN("r4", "r6", "r8") SQUEEZE_THREE_PLAIN("r5", "r7", "r9")
      "subs lr, #2\n"
      "bge 1b\n"
      "2: tst lr, #1\n"
      "beq 3f\n"
      "ldr r4, [r1]\n"
      "ldr r6, [r2]\n"
      "ldr r8, [r3], #4\n"  //
      SQUEEZE_THREE_PLAIN("r4", "r6", "r8")
      "3: mov r1, r3\n"
      "ldr r4, [sp, #44]\n"
      "add r0, r0, r4, lsl #2\n"
      "ldr r4, [sp, #4]\n"
      "subs r4, #1\n"
      "str r4, [sp, #4]\n"
      "bne 4b\n"
      "add sp, #8\n"
      "pop {r4-r11, pc}\n");
}

// The same for two: r1 r2 from, r3 words left, four words of each in r4-r7 and r8-r11, their odd bytes in r12
// lr.
// clang-format off
#define SQUEEZE_TWO_PLAIN(a, b)         \
  "sxtb16.w r12, " a ", ror #8\n"       \
  "sxtb16.w " a ", " a "\n"             \
  "sxtb16.w lr, " b ", ror #8\n"        \
  "sxtb16.w " b ", " b "\n"             \
  "stm r0!, {" a ", " b ", r12, lr}\n"
#define SQUEEZE_TWO_DOUBLED(a, b)       \
  "sxtb16.w r12, " a ", ror #8\n"       \
  "sxtb16.w " a ", " a "\n"             \
  "sxtb16.w lr, " b ", ror #8\n"        \
  "sxtb16.w " b ", " b "\n"             \
  "sadd16 r12, r12, r12\n"              \
  "sadd16 " a ", " a ", " a "\n"        \
  "sadd16 lr, lr, lr\n"                 \
  "sadd16 " b ", " b ", " b "\n"        \
  "stm r0!, {" a ", " b ", r12, lr}\n"
#define SQUEEZE_TWO(WORDS)   \
  "push {r4-r11, lr}\n"      \
  "mov r3, r2\n"             \
  "ldm r1, {r1, r2}\n"       \
  "subs r3, #4\n"            \
  "blt 2f\n"                 \
  "1: ldmia r1!, {r4-r7}\n"  \
  "ldmia.w r2!, {r8-r11}\n"  \
  WORDS("r4", "r8")          \
  WORDS("r5", "r9")          \
  WORDS("r6", "r10")         \
  WORDS("r7", "r11")         \
  "subs r3, #4\n"            \
  "bge 1b\n"                 \
  "2: adds r3, #4\n"         \
  "beq 4f\n"                 \
  "3: ldr r4, [r1], #4\n"    \
  "ldr r8, [r2], #4\n"       \
  WORDS("r4", "r8")          \
  "subs r3, #1\n"            \
  "bne 3b\n"                 \
  "4: pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) uint32_t* TwosDoubled([[maybe_unused]] uint32_t* to,
                                                       [[maybe_unused]] const int8_t* const* from,
                                                       [[maybe_unused]] uint32_t words) {
  __asm__(SQUEEZE_TWO(SQUEEZE_TWO_DOUBLED));
}

__attribute__((naked, noinline)) uint32_t* TwosPlain([[maybe_unused]] uint32_t* to,
                                                     [[maybe_unused]] const int8_t* const* from,
                                                     [[maybe_unused]] uint32_t words) {
  __asm__(SQUEEZE_TWO(SQUEEZE_TWO_PLAIN));
}

}  // namespace

uint32_t* InterleaveThrees(uint32_t* to, const int8_t* from, uint32_t words, uint32_t groups, uint32_t gap) {
  return GroupsOfThree(to, from, words, groups, gap);
}

uint32_t* Interleave(uint32_t* to, const int8_t* const* from, uint32_t count, uint32_t words, bool doubled) {
  if (count == 3) return doubled ? ThreesDoubled(to, from, words) : ThreesPlain(to, from, words);
  return doubled ? TwosDoubled(to, from, words) : TwosPlain(to, from, words);
}

#else

uint32_t* Interleave(uint32_t* to, const int8_t* const* from, uint32_t count, uint32_t words, bool doubled) {
  for (uint32_t i = 0; i < words; ++i, to += 2 * count) {
    for (uint32_t j = 0; j < count; ++j) {
      const uint32_t word = LoadWord(from[j] + 4 * i);
      const uint32_t even = Sxtb16(word), odd = Sxtb16Ror8(word);
      to[j] = doubled ? Sadd16(even, even) : even;
      to[count + j] = doubled ? Sadd16(odd, odd) : odd;
    }
  }
  return to;
}

uint32_t* InterleaveThrees(uint32_t* to, const int8_t* from, uint32_t words, uint32_t groups, uint32_t gap) {
  for (; groups > 0; --groups, from += 12 * words, to += gap) {
    const int8_t* const pixels[3] = {from, from + 4 * words, from + 8 * words};
    to = Interleave(to, pixels, 3, words, false);
  }
  return to;
}

#endif

}  // namespace squeeze
