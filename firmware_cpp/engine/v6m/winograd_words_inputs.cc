// Inputs to 24 positions (winograd_words.h). On a Cortex-M0+ a column takes some 30 cycles to go down, and a
// tile 190 to go along, both a channel.
#include "engine/v6m/winograd_words.h"

namespace squeeze {

void WordsDown(const WordsDownRun* run, uint32_t offset, uint32_t* to) {
  const int8_t* const r0 = run->rows[0];
  const int8_t* const r1 = run->rows[1];
  const int8_t* const r2 = run->rows[2];
  const int8_t* const r3 = run->rows[3];
  const uint32_t pitch = run->pitch;
  uint32_t* const end = to + 4 * run->count;
  do {
    const int32_t d1 = r1[offset], d2 = r2[offset];
    to[0] = static_cast<uint32_t>(d1 + d2);
    to[1] = static_cast<uint32_t>(d2 - d1);
    to[2] = static_cast<uint32_t>(2 * (r3[offset] - d1));
    to[3] = static_cast<uint32_t>(2 * (r0[offset] - d2));
    offset += pitch;
    to += 4;
  } while (to != end);
}

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// r0 columns, r1 bytes of four positions, r2 where the word of a position goes; r3 d0, d1, d3 - d1 and its
// multiples; r4 d2, d3 - 4 d1; r5 d4 - d2; r6 d4 - 4 d2; r7 d3; r8 twice r1, r12 from the next to last
// position of a k to the first one of the next k. `k`: its byte in a column.
// clang-format off
#define SQUEEZE_WORDS_ALONG(k)         \
  "ldr r4, [r0, #32+" k "]\n"          \
  "ldr r3, [r0, #" k "]\n"             \
  "ldr r5, [r0, #64+" k "]\n"          \
  "subs r3, r3, r4\n"                  \
  "subs r5, r5, r4\n"                  \
  "lsls r3, r3, #2\n"                  \
  "adds r3, r3, r5\n"                  \
  "str r3, [r2]\n"                     \
  "lsls r6, r4, #1\n"                  \
  "adds r6, r6, r4\n"                  \
  "subs r6, r5, r6\n"                  \
  "ldr r3, [r0, #16+" k "]\n"          \
  "ldr r7, [r0, #48+" k "]\n"          \
  "lsls r4, r3, #2\n"                  \
  "subs r4, r7, r4\n"                  \
  "subs r3, r7, r3\n"                  \
  "lsls r3, r3, #1\n"                  \
  "adds r6, r6, r4\n"                  \
  "str r6, [r2, r1]\n"                 \
  "add r2, r8\n"                       \
  "lsls r4, r4, #1\n"                  \
  "subs r6, r6, r4\n"                  \
  "str r6, [r2]\n"                     \
  "adds r6, r5, r3\n"                  \
  "str r6, [r2, r1]\n"                 \
  "add r2, r8\n"                       \
  "subs r5, r5, r3\n"                  \
  "str r5, [r2]\n"                     \
  "ldr r5, [r0, #80+" k "]\n"          \
  "subs r5, r5, r7\n"                  \
  "lsls r3, r3, #1\n"                  \
  "subs r5, r5, r3\n"                  \
  "str r5, [r2, r1]\n"                 \
  "add r2, r12\n"
// clang-format on

__attribute__((naked, noinline)) void WordsAlong([[maybe_unused]] const uint32_t* columns,
                                                 [[maybe_unused]] uint32_t pitch,
                                                 [[maybe_unused]] uint32_t* to) {
  __asm__(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n"
      "push {r4}\n"
      "lsls r3, r1, #4\n"
      "subs r3, r1, r3\n"
      "mov r12, r3\n"
      "lsls r3, r1, #3\n"
      "mov r8, r3\n"
      "lsls r1, r1, #2\n"
      // clang-format off
      SQUEEZE_WORDS_ALONG("0") SQUEEZE_WORDS_ALONG("4") SQUEEZE_WORDS_ALONG("8") SQUEEZE_WORDS_ALONG("12")
      // clang-format on
      "pop {r4}\n"
      "mov r8, r4\n"
      "pop {r4-r7, pc}\n");
}

#else

void WordsAlong(const uint32_t* columns, uint32_t pitch, uint32_t* to) {
  const uint32_t i_pitch = pitch;  // words of four positions
  pitch /= 4;
  for (const uint32_t* const end = columns + 4; columns != end; ++columns, to += pitch) {
    const uint32_t d1 = columns[4], d2 = columns[8], d3 = columns[12], d4 = columns[16];
    const uint32_t a = d4 - d2, b = 2 * (d3 - d1), e = d4 - 4 * d2, f = d3 - 4 * d1;
    to[0] = 4 * (columns[0] - d2) + a;
    to[i_pitch] = e + f;
    to[2 * i_pitch] = e - f;
    to[3 * i_pitch] = a + b;
    to[4 * i_pitch] = a - b;
    to[5 * i_pitch] = columns[20] - d3 - 2 * b;
  }
}

#endif

}  // namespace squeeze
