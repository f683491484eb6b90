// Pixels of two output rows (or halves of one) side by side in words: 10.5 cycles a word on a Cortex-M0+, or
// 12 where the channels are odd.
#include "engine/portable/pixel_pairs.h"

namespace squeeze {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// r0, r1 behind the last channel of both pixels, r2 channels left as a negative number, r3 where the word
// goes, r4 bytes from channel to channel there, r7 twice that, r8 the first channel's word, r9 pixels left,
// r10 -channels, r11 step.
// clang-format off
#define SQUEEZE_PACK_WORD(NEXT, to) \
  "ldrsb r5, [r0, r2]\n"           \
  "ldrsb r6, [r1, r2]\n" NEXT      \
  "lsls r6, r6, #16\n"             \
  "adds r5, r5, r6\n"              \
  "str r5, [r3" to "]\n"
#define SQUEEZE_PACK_PIXELS(CHANNELS) \
  "1: mov r2, r10\n"                 \
  "mov r3, r8\n"                     \
  "2:\n" CHANNELS                    \
  "adds r2, #1\n"                    \
  "bne 2b\n"                         \
  "add r0, r11\n"                    \
  "add r1, r11\n"                    \
  "movs r5, #4\n"                    \
  "add r8, r5\n"                     \
  "mov r5, r9\n"                     \
  "subs r5, #1\n"                    \
  "mov r9, r5\n"                     \
  "bne 1b\n"
// clang-format on

__attribute__((naked, noinline)) void PixelPairsPack([[maybe_unused]] const PairsPack* pack) {
  __asm__(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r4-r7}\n"
      "ldr r7, [r0, #24]\n"
      "mov r11, r7\n"
      "ldr r7, [r0, #20]\n"
      "mov r9, r7\n"
      "ldr r7, [r0, #16]\n"
      "mov r8, r7\n"
      "ldm r0!, {r1-r4}\n"
      "adds r0, r1, r3\n"
      "adds r1, r2, r3\n"
      "rsbs r2, r3, #0\n"
      "mov r10, r2\n"
      "lsls r4, r4, #2\n"
      "lsls r7, r4, #1\n"
      "lsls r3, r3, #31\n"
      "bne 3f\n"
      // clang-format off
      SQUEEZE_PACK_PIXELS(SQUEEZE_PACK_WORD("adds r2, #1\n", "") SQUEEZE_PACK_WORD("", ", r4") "adds r3, r3, r7\n")
      "b 4f\n"
      "3:\n" SQUEEZE_PACK_PIXELS(SQUEEZE_PACK_WORD("", "") "adds r3, r3, r4\n")
      // clang-format on
      "4: pop {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "pop {r4-r7, pc}\n");
}

#endif

}  // namespace squeeze
