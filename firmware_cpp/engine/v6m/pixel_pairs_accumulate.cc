// The inner loop of ConvPixelPairsRows, three words (six outputs) at a time. On a Cortex-M0+ an entry of the
// list takes 14 cycles, 2.3 a MAC, and a chunk 21 more: with five entries a chunk 3.0 a MAC. What is left over,
// two words or one: 11 and 8 an entry, 16 and 12 a chunk.
//
// r0 list, r2 weight, r4 offset, r1, r3, r4 words, r5-r7 the chunk's sums; r8-r12 five sums of 32 bits, the
// sixth is on the stack; r14 the words' base. Entries are unrolled; a chunk's header says how many to skip.
#include "engine/v6m/pixel_pairs.h"

namespace squeeze {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// clang-format off
#define SQUEEZE_PAIRS_ENTRIES(ENTRY) \
  "add pc, r1\n"                     \
  "nop\n"                            \
  ".rept 16\n" ENTRY                 \
  ".endr\n"                          \
  "7:\n"
// Headers have the size of an entry's code, and that of the chunk's end, from label 7 to here.
#define SQUEEZE_PAIRS_END(tail)                                                   \
  "8:\n"                                                                          \
  ".if 8b - 7b - " tail "\n"                                                      \
  ".error \"kPairsTailBytes\"\n"                                                  \
  ".endif\n"
#define SQUEEZE_PAIRS_FETCH \
  "ldm r0!, {r2, r4}\n"     \
  "add r4, r14\n"
#define SQUEEZE_PAIRS_CHUNK   \
  "ldm r0!, {r1, r2, r4}\n"   \
  "add r4, r14\n"
// A chunk's sum to its halves: the low one to `low`, the high one stays in r`sum`.
#define SQUEEZE_PAIRS_SPLIT(sum, low) \
  "sxth r1, " sum "\n"                \
  "subs " sum ", " sum ", r1\n"       \
  "asrs " sum ", " sum ", #16\n"      \
  "add " low ", r1\n"
// clang-format on

// Stack: 0 the sixth sum, 4 list, 8 end, 12 sums, 16 start, 20 left.
__attribute__((naked, noinline, aligned(4))) void PixelPairsAccumulate(
    [[maybe_unused]] const PairsRun* run) {
  __asm__(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r4-r7}\n"
      "sub sp, #24\n"
      "ldm r0!, {r1-r4}\n"
      "mov r14, r2\n"
      "str r1, [sp, #4]\n"
      "str r3, [sp, #8]\n"
      "str r4, [sp, #12]\n"
      "ldm r0!, {r1, r2}\n"
      "str r1, [sp, #16]\n"
      "str r2, [sp, #20]\n"
      "b 5f\n"

      // Three words.
      "1: ldr r0, [sp, #4]\n"
      "ldr r1, [sp, #16]\n"
      "mov r8, r1\n mov r9, r1\n mov r10, r1\n mov r11, r1\n mov r12, r1\n"
      "str r1, [sp]\n"
      "2:\n" SQUEEZE_PAIRS_CHUNK
      "ldm r4!, {r5, r6, r7}\n"
      "lsrs r1, r1, #20\n"
      "muls r5, r2\n muls r6, r2\n muls r7, r2\n"
      SQUEEZE_PAIRS_ENTRIES(SQUEEZE_PAIRS_FETCH
      "ldm r4, {r1, r3, r4}\n"
      "muls r1, r2\n muls r3, r2\n muls r4, r2\n"
      "adds r5, r5, r1\n adds r6, r6, r3\n adds r7, r7, r4\n")
      SQUEEZE_PAIRS_SPLIT("r5", "r8")
      "add r9, r5\n" SQUEEZE_PAIRS_SPLIT("r6", "r10")
      "add r11, r6\n" SQUEEZE_PAIRS_SPLIT("r7", "r12")
      "ldr r1, [sp]\n"
      "adds r1, r1, r7\n"
      "str r1, [sp]\n"
      "b 2b\n" SQUEEZE_PAIRS_END("36")
      "ldr r0, [sp, #12]\n"
      "mov r1, r8\n mov r2, r9\n mov r3, r10\n mov r4, r11\n mov r5, r12\n"
      "ldr r6, [sp]\n"
      "stm r0!, {r1-r6}\n"
      "str r0, [sp, #12]\n"
      "movs r0, #12\n"
      "add r14, r0\n"
      "5: ldr r0, [sp, #8]\n"
      "cmp r14, r0\n"
      "beq 6f\n"
      "b 1b\n"
      "6: ldr r0, [sp, #20]\n"
      "cmp r0, #1\n"
      "bge 6f\n"
      "b 9f\n"
      "6: bne 6f\n"
      "b 10f\n"

      // Two.
      "6: ldr r0, [sp, #4]\n"
      "ldr r1, [sp, #16]\n"
      "mov r8, r1\n mov r9, r1\n mov r10, r1\n mov r11, r1\n"
      "3:\n" SQUEEZE_PAIRS_CHUNK
      "ldm r4!, {r5, r6}\n"
      "lsls r1, r1, #12\n"
      "lsrs r1, r1, #22\n"
      "muls r5, r2\n muls r6, r2\n"
      SQUEEZE_PAIRS_ENTRIES(SQUEEZE_PAIRS_FETCH
      "ldm r4!, {r1, r3}\n"
      "muls r1, r2\n muls r3, r2\n"
      "adds r5, r5, r1\n adds r6, r6, r3\n")
      SQUEEZE_PAIRS_SPLIT("r5", "r8")
      "add r9, r5\n" SQUEEZE_PAIRS_SPLIT("r6", "r10")
      "add r11, r6\n"
      "b 3b\n" SQUEEZE_PAIRS_END("22")
      "ldr r0, [sp, #12]\n"
      "mov r1, r8\n mov r2, r9\n mov r3, r10\n mov r4, r11\n"
      "stm r0!, {r1-r4}\n"
      "b 9f\n"

      // One.
      "10: ldr r0, [sp, #4]\n"
      "ldr r1, [sp, #16]\n"
      "mov r8, r1\n mov r9, r1\n"
      "4:\n" SQUEEZE_PAIRS_CHUNK
      "ldr r5, [r4]\n"
      "lsls r1, r1, #22\n"
      "lsrs r1, r1, #22\n"
      "muls r5, r2\n"
      SQUEEZE_PAIRS_ENTRIES(SQUEEZE_PAIRS_FETCH
      "ldr r1, [r4]\n"
      "muls r1, r2\n"
      "adds r5, r5, r1\n")
      SQUEEZE_PAIRS_SPLIT("r5", "r8")
      "add r9, r5\n"
      "b 4b\n" SQUEEZE_PAIRS_END("12")
      "ldr r0, [sp, #12]\n"
      "mov r1, r8\n mov r2, r9\n"
      "stm r0!, {r1, r2}\n"

      "9: add sp, #24\n"
      "pop {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "pop {r4-r7, pc}\n");
}

#else

void PixelPairsAccumulate(const PairsRun* run) {
  PairsSums* sums = run->sums;
  for (const uint32_t* base = run->base; base != run->end + run->left; ++base, ++sums) {
    uint32_t low = static_cast<uint32_t>(run->start), high = low;
    const uint32_t* at = run->list;
    for (uint32_t header = *at++; header != kPairsEnd; header = *at++) {
      uint32_t chunk = 0;
      for (uint32_t n = kPairsChunkEntries - header / kPairsEntryBytes; n > 0; --n, at += 2) {
        chunk += at[0] * base[at[1] / 4];
      }
      const uint32_t part = static_cast<uint32_t>(int32_t{static_cast<int16_t>(chunk)});
      low += part;
      high += static_cast<uint32_t>(static_cast<int32_t>(chunk - part) >> 16);
    }
    *sums = {static_cast<int32_t>(low), static_cast<int32_t>(high)};
  }
}

#endif

}  // namespace squeeze
