// Weights to 24 positions (winograd_words.h), two channels in a word: 216 cycles a pair on a Cortex-M0+.
#include "engine/v6m/winograd_words.h"

namespace squeeze {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// First down: r0 tap of the even channel, r1 0, r2 1, r3 16 (of a last channel without a partner 0 and 32:
// a shift that leaves nothing), r4-r6 a column of taps, r7 the odd channel's; r9 bytes of three taps, r10
// from a column to the next one, r11 to the next pair. The stack's first words: four k of three. Then along:
// r0 these words, r1 where the word of a position goes, r2 bytes of four positions, r5-r7 a k; r8 twice r2,
// r12 the pair's first word, r14 its next taps. Stack: 0 four k, 48 bytes of four positions, 52 end of whole
// pairs, 56 1 if a channel follows, 60 bytes from the next to last position of a k to the first one of the
// next k.
// clang-format off
#define SQUEEZE_WORDS_TAP(tap, next)   \
  "ldrsb " tap ", [r0, r1]\n"          \
  "ldrsb r7, [r0, r2]\n"               \
  "lsls r7, r3\n"                      \
  "adds " tap ", " tap ", r7\n"        \
  "add r0, " next "\n"
#define SQUEEZE_WORDS_COLUMN(k0, k1, k2, k3)                                                         \
  SQUEEZE_WORDS_TAP("r4", "r9") SQUEEZE_WORDS_TAP("r5", "r9") SQUEEZE_WORDS_TAP("r6", "r10")         \
  "str r6, [sp, #" k2 "]\n"                                                                          \
  "str r4, [sp, #" k3 "]\n"                                                                          \
  "adds r4, r4, r6\n"                                                                                \
  "adds r6, r4, r5\n"                                                                                \
  "subs r4, r4, r5\n"                                                                                \
  "str r6, [sp, #" k0 "]\n"                                                                          \
  "str r4, [sp, #" k1 "]\n"
#define SQUEEZE_WORDS_SIX \
  "ldm r0!, {r5-r7}\n"    \
  "str r5, [r1]\n"        \
  "adds r4, r5, r7\n"     \
  "adds r4, r4, r6\n"     \
  "str r4, [r1, r2]\n"    \
  "add r1, r8\n"          \
  "lsls r6, r6, #1\n"     \
  "subs r4, r4, r6\n"     \
  "str r4, [r1]\n"        \
  "lsls r4, r7, #2\n"     \
  "adds r4, r4, r5\n"     \
  "adds r5, r4, r6\n"     \
  "str r5, [r1, r2]\n"    \
  "add r1, r8\n"          \
  "subs r4, r4, r6\n"     \
  "str r4, [r1]\n"        \
  "str r7, [r1, r2]\n"
#define SQUEEZE_WORDS_NEXT "adds r1, r1, r3\n"

__attribute__((naked, noinline)) void WordsWeights([[maybe_unused]] const int8_t* weights,
                                                   [[maybe_unused]] uint32_t channels,
                                                   [[maybe_unused]] uint32_t* to,
                                                   [[maybe_unused]] uint32_t pitch) {
  __asm__(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r4-r7}\n"
      "sub sp, #64\n"
      "mov r12, r2\n"
      "lsls r4, r3, #4\n"
      "subs r4, r3, r4\n"
      "str r4, [sp, #60]\n"
      "lsls r4, r3, #3\n"
      "mov r8, r4\n"
      "lsls r3, r3, #2\n"
      "str r3, [sp, #48]\n"
      "movs r4, #1\n"
      "ands r4, r1\n"
      "str r4, [sp, #56]\n"
      "subs r4, r1, r4\n"
      "adds r4, r4, r0\n"
      "str r4, [sp, #52]\n"
      "lsls r4, r1, #1\n"
      "adds r4, r4, r1\n"
      "mov r9, r4\n"
      "movs r5, #2\n"
      "subs r5, r5, r4\n"
      "mov r11, r5\n"
      "lsls r4, r1, #2\n"
      "adds r4, r4, r1\n"
      "rsbs r4, r4, #0\n"
      "mov r10, r4\n"
      "1: ldr r4, [sp, #52]\n"
      "movs r1, #0\n"
      "movs r2, #1\n"
      "movs r3, #16\n"
      "cmp r0, r4\n"
      "bne 2f\n"
      "ldr r4, [sp, #56]\n"
      "subs r4, #1\n"
      "bpl 4f\n"
      "b 3f\n"
      "4: str r4, [sp, #56]\n"
      "adds r4, r0, #2\n"
      "str r4, [sp, #52]\n"
      "movs r2, #0\n"
      "movs r3, #32\n"
      "2:\n"
      SQUEEZE_WORDS_COLUMN("0", "12", "24", "36")
      SQUEEZE_WORDS_COLUMN("4", "16", "28", "40")
      SQUEEZE_WORDS_COLUMN("8", "20", "32", "44")
      "add r0, r11\n"
      "mov r14, r0\n"
      "mov r0, sp\n"
      "mov r1, r12\n"
      "ldr r2, [sp, #48]\n"
      "ldr r3, [sp, #60]\n"
      SQUEEZE_WORDS_SIX SQUEEZE_WORDS_NEXT SQUEEZE_WORDS_SIX SQUEEZE_WORDS_NEXT
      SQUEEZE_WORDS_SIX SQUEEZE_WORDS_NEXT SQUEEZE_WORDS_SIX
      "mov r0, r14\n"
      "movs r1, #4\n"
      "add r12, r1\n"
      "b 1b\n"
      "3: add sp, #64\n"
      "pop {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "pop {r4-r7, pc}\n");
}
// clang-format on

#else

void WordsWeights(const int8_t* weights, uint32_t channels, uint32_t* to, uint32_t pitch) {
  const uint32_t i_pitch = pitch;  // words of four positions
  for (uint32_t c = 0; c < channels; c += 2, weights += 2, ++to) {
    const bool two = c + 1 < channels;
    uint32_t k[4][3];
    for (uint32_t x = 0; x < 3; ++x) {
      uint32_t g[3];
      for (uint32_t y = 0; y < 3; ++y) {
        const int8_t* const at = weights + (3 * y + x) * channels;
        g[y] = static_cast<uint32_t>(int32_t{at[0]});
        if (two) g[y] += static_cast<uint32_t>(int32_t{at[1]}) << 16;
      }
      k[0][x] = g[0] + g[1] + g[2];
      k[1][x] = g[0] - g[1] + g[2];
      k[2][x] = g[2];
      k[3][x] = g[0];
    }
    uint32_t* put = to;
    for (const auto& g : k) {
      put[0] = g[0];
      put[i_pitch] = g[0] + g[1] + g[2];
      put[2 * i_pitch] = g[0] - g[1] + g[2];
      put[3 * i_pitch] = g[0] + 2 * g[1] + 4 * g[2];
      put[4 * i_pitch] = g[0] - 2 * g[1] + 4 * g[2];
      put[5 * i_pitch] = g[2];
      put += pitch / 4;
    }
  }
}

#endif

}  // namespace squeeze
