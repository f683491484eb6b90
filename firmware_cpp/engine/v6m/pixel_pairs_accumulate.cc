// The inner loop of ConvPixelPairsRows, three words (six outputs) at a time. On a Cortex-M0+ an entry of the
// list takes 14 cycles, 2.3 a MAC, and a chunk 16 more: with five entries a chunk 2.9 a MAC. What is left
// over, two words or one: 11 and 8 an entry, 11 and 7 a chunk.
//
// Of each word there are two sums of 32 bits: that of the chunks' sums s as they are, P, and that of their
// high halves, H. With s = low + high * 2^16, ASR #16 gives `high`, less 1 where `low` is negative, and
// leaves bit 15, low's sign, in the carry, which ADC adds. Modulo 2^32 P = (sum of low) + H * 2^16: that
// gives the other sum.
//
// r0 list, r2 weight, r4 offset, r1, r3, r4 words, r5-r7 the chunk's sums; r8, r10, r12 P, r9, r11 and the
// stack H; r14 the words' base. Entries are unrolled; a chunk's header says where to begin.
#include "engine/portable/pixel_pairs.h"

namespace squeeze {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// An entry's code in the three loops, in bytes.
constexpr uint32_t kEntryBytes = 18u << 20 | 14u << 10 | 10u;
// The header of a chunk of one entry, which goes back over the code of a chunk's end and begin. A negative
// number borrows from the one before it.
constexpr uint32_t kOne = 0u - (46u << 20) - (36u << 10) - 26u + (1u << 20) + (1u << 10);
// The last chunk's header leads the loop of three words to entries that end the list: so much further back.
constexpr uint32_t kLast = 318u << 20;
// A header has three numbers, for the loops of three, two and one words: how many bytes to go back from the
// chunk's begin to where the unrolled entries have as many left as the chunk has, less the first one, which
// is loaded along with the header.
const PairsHeaders kPairsHeaders = {kOne - (kPairsChunkEntries - 1) * kEntryBytes, kEntryBytes, kLast};

// clang-format off
#define SQUEEZE_PAIRS_ENTRIES(ENTRY) \
  ".rept 16\n"                        \
  "ldm r0!, {r2, r4}\n"               \
  "add r4, r14\n" ENTRY               \
  ".endr\n"
// The loop over a list: entries, then the chunk's end, then the next chunk's begin, which goes back into the
// entries, or, at the end of the list, on. `back`: kOne has these bytes, from label 7 to 8.
#define SQUEEZE_PAIRS_LOOP(ENTRY, SPLIT, FIRST, FIELD, back) \
  "b 9f\n" SQUEEZE_PAIRS_ENTRIES(ENTRY)                       \
  SQUEEZE_PAIRS_CHUNKS(SPLIT, FIRST, FIELD, back)
#define SQUEEZE_PAIRS_CHUNKS(SPLIT, FIRST, FIELD, back)      \
  "7: movs r1, #0\n" SPLIT                                   \
  "9: ldm r0!, {r1, r2, r4}\n"                               \
  "add r4, r14\n" FIELD FIRST                                \
  "add pc, r1\n"                                             \
  "nop\n"                                                    \
  "8:\n"                                                     \
  ".if 8b - 7b - " back "\n"                                 \
  ".error \"kOne\"\n"                                       \
  ".endif\n"
#define SQUEEZE_PAIRS_SPLIT(sum, P, H) \
  "add " P ", " sum "\n"               \
  "asrs " sum ", " sum ", #16\n"       \
  "adcs " sum ", r1\n"                 \
  "add " H ", " sum "\n"
// Both sums of a word to low and high.
#define SQUEEZE_PAIRS_LOW(low, high)   \
  "lsls r7, " high ", #16\n"           \
  "subs " low ", " low ", r7\n"
#define SQUEEZE_PAIRS_THREE                        \
  "ldm r4, {r1, r3, r4}\n"                          \
  "muls r1, r2\n muls r3, r2\n muls r4, r2\n"       \
  "adds r5, r5, r1\n adds r6, r6, r3\n adds r7, r7, r4\n"
#define SQUEEZE_PAIRS_SPLIT_THREE                  \
  SQUEEZE_PAIRS_SPLIT("r5", "r8", "r9")            \
  SQUEEZE_PAIRS_SPLIT("r6", "r10", "r11")          \
  "add r12, r7\n"                                  \
  "asrs r7, r7, #16\n"                             \
  "ldr r1, [sp]\n"                                 \
  "adcs r1, r7\n"                                  \
  "str r1, [sp]\n"
// What P and H begin with: SAME takes it from r1 and r2, which are the same for all words, or else SUMS from the
// sums in the registers from r1 on.
#define SQUEEZE_PAIRS_START(registers, SAME, SUMS) \
  "ldr r0, [sp, #24]\n"                            \
  "ldr r1, [sp, #28]\n"                            \
  "ldr r2, [sp, #16]\n"                            \
  "cmp r0, #0\n"                                   \
  "bne 5f\n" SAME                                  \
  "b 4f\n"                                         \
  "5: ldr r0, [sp, #12]\n"                         \
  "ldm r0!, {r1-" registers "}\n" SUMS             \
  "4: ldr r0, [sp, #4]\n"
#define SQUEEZE_PAIRS_P(low, high, P, H) \
  "lsls r7, " high ", #16\n"             \
  "adds " low ", " low ", r7\n"          \
  "mov " P ", " low "\n"                 \
  "mov " H ", " high "\n"
// clang-format on

// Stack: 0 H of the third word, 4 list, 8 end, 12 sums, 16 start, 20 left, 24 more, 28 P
// of the start.
__attribute__((naked, noinline, aligned(4))) void PixelPairsAccumulate([[maybe_unused]] const PairsRun* run) {
  __asm__(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r4-r7}\n"
      "sub sp, #32\n"
      "ldm r0!, {r1-r6}\n"
      "mov r14, r2\n"
      "str r1, [sp, #4]\n"
      "str r3, [sp, #8]\n"
      "str r4, [sp, #12]\n"
      "str r5, [sp, #16]\n"
      "str r6, [sp, #20]\n"
      "ldr r1, [r0]\n"
      "str r1, [sp, #24]\n"
      "lsls r1, r5, #16\n"
      "adds r1, r1, r5\n"
      "str r1, [sp, #28]\n"
      "b 12f\n"

      // Three words. The last chunk has entries of its own, which do not come back for another one.
      "5: ldr r0, [sp, #12]\n"
      "ldm r0!, {r1-r6}\n" SQUEEZE_PAIRS_P("r1", "r2", "r8", "r9") SQUEEZE_PAIRS_P("r3", "r4", "r10", "r11")
      "lsls r7, r6, #16\n"
      "adds r5, r5, r7\n"
      "mov r12, r5\n"
      "str r6, [sp]\n"
      "b 4f\n"
      "1: ldr r0, [sp, #24]\n"
      "ldr r1, [sp, #28]\n"
      "ldr r2, [sp, #16]\n"
      "cmp r0, #0\n"
      "bne 5b\n"
      "mov r8, r1\n mov r9, r2\n mov r10, r1\n mov r11, r2\n mov r12, r1\n"
      "str r2, [sp]\n"
      "4: ldr r0, [sp, #4]\n"
      "b 9f\n" SQUEEZE_PAIRS_ENTRIES(SQUEEZE_PAIRS_THREE)
      "6: movs r1, #0\n" SQUEEZE_PAIRS_SPLIT_THREE
      "b 8f\n" SQUEEZE_PAIRS_ENTRIES(SQUEEZE_PAIRS_THREE)
      SQUEEZE_PAIRS_CHUNKS(SQUEEZE_PAIRS_SPLIT_THREE,
          "ldm r4!, {r5, r6, r7}\n"
          "muls r5, r2\n muls r6, r2\n muls r7, r2\n",
          "asrs r1, r1, #20\n", "46")
      ".if 7b - 6b - 318\n"
      ".error \"kLast\"\n"
      ".endif\n"
      "mov r1, r8\n mov r2, r9\n mov r3, r10\n mov r4, r11\n mov r5, r12\n"
      "ldr r6, [sp]\n"
      SQUEEZE_PAIRS_LOW("r1", "r2") SQUEEZE_PAIRS_LOW("r3", "r4") SQUEEZE_PAIRS_LOW("r5", "r6")
      "ldr r0, [sp, #12]\n"
      "stm r0!, {r1-r6}\n"
      "str r0, [sp, #12]\n"
      "movs r0, #12\n"
      "add r14, r0\n"
      "12: ldr r0, [sp, #8]\n"
      "cmp r14, r0\n"
      "beq 6f\n"
      "b 1b\n"
      "6: ldr r0, [sp, #20]\n"
      "cmp r0, #1\n"
      "bge 6f\n"
      "b 11f\n"
      "6: bne 6f\n"
      "b 10f\n"

      // Two.
      "6:\n" SQUEEZE_PAIRS_START("r4", "mov r8, r1\n mov r9, r2\n mov r10, r1\n mov r11, r2\n",
          SQUEEZE_PAIRS_P("r1", "r2", "r8", "r9") SQUEEZE_PAIRS_P("r3", "r4", "r10", "r11"))
      SQUEEZE_PAIRS_LOOP(
          "ldm r4!, {r1, r3}\n"
          "muls r1, r2\n muls r3, r2\n"
          "adds r5, r5, r1\n adds r6, r6, r3\n",
          SQUEEZE_PAIRS_SPLIT("r5", "r8", "r9") SQUEEZE_PAIRS_SPLIT("r6", "r10", "r11"),
          "ldm r4!, {r5, r6}\n"
          "muls r5, r2\n muls r6, r2\n",
          "lsls r1, r1, #12\n asrs r1, r1, #22\n", "36")
      "mov r1, r8\n mov r2, r9\n mov r3, r10\n mov r4, r11\n"
      SQUEEZE_PAIRS_LOW("r1", "r2") SQUEEZE_PAIRS_LOW("r3", "r4")
      "ldr r0, [sp, #12]\n"
      "stm r0!, {r1-r4}\n"
      "b 11f\n"

      // One.
      "10:\n" SQUEEZE_PAIRS_START("r2", "mov r8, r1\n mov r9, r2\n", SQUEEZE_PAIRS_P("r1", "r2", "r8", "r9"))
      SQUEEZE_PAIRS_LOOP(
          "ldr r1, [r4]\n"
          "muls r1, r2\n"
          "adds r5, r5, r1\n",
          SQUEEZE_PAIRS_SPLIT("r5", "r8", "r9"),
          "ldr r5, [r4]\n"
          "muls r5, r2\n",
          "lsls r1, r1, #22\n asrs r1, r1, #22\n", "26")
      "mov r1, r8\n mov r2, r9\n"
      SQUEEZE_PAIRS_LOW("r1", "r2")
      "ldr r0, [sp, #12]\n"
      "stm r0!, {r1, r2}\n"

      "11: add sp, #32\n"
      "pop {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "pop {r4-r7, pc}\n");
}

#endif

}  // namespace squeeze
