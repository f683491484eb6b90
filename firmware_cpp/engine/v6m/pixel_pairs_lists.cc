// A channel's weights to a list: on a Cortex-M0+ a sparse entry takes 23 cycles, a dense weight 19 (11 if it
// is 0), and a chunk some 25 more.
#include "engine/portable/pixel_pairs_list.h"

namespace squeeze {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

static_assert(kPairsChunkWeights == 255 && kPairsChunkEntries == 17,
              "as the loops have them: 140 = 4 + 8 * 17");

// r0 weights, r1 offsets, r2 list, r3 what the chunk may still take, r4 weight, r5 offset, r6 and r7 other;
// r8 the writer, r9 the chunk's limit, r10 end of weights, r11 sum of |weight|, r12 what a missing entry
// adds, r14 free.
// clang-format off
#define SQUEEZE_LIST_ENTER        \
  ".syntax unified\n"             \
  "push {r4-r7, lr}\n"            \
  "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n" \
  "push {r4-r7}\n"                \
  "mov r8, r0\n"                  \
  "mov r10, r2\n"                 \
  "ldr r4, [r0, #4]\n"            \
  "mov r9, r4\n"                  \
  "ldr r4, [r0, #12]\n"           \
  "mov r11, r4\n"                 \
  "ldr r4, [r0, #16]\n"           \
  "mov r12, r4\n"                 \
  "ldr r2, [r0]\n"                \
  "mov r4, r3\n"                  \
  "ldr r3, [r0, #8]\n"            \
  "movs r0, r1\n"                 \
  "movs r1, r4\n"
#define SQUEEZE_LIST_LEAVE        \
  "mov r0, r8\n"                  \
  "str r2, [r0]\n"                \
  "mov r4, r9\n"                  \
  "str r4, [r0, #4]\n"            \
  "str r3, [r0, #8]\n"            \
  "mov r4, r11\n"                 \
  "str r4, [r0, #12]\n"           \
  "movs r0, r1\n"                 \
  "pop {r4-r7}\n"                 \
  "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n" \
  "pop {r4-r7, pc}\n"
// One entry of a sign: `LESS` takes |weight| from r3. Then on to the next weight.
#define SQUEEZE_LIST_PUT(n, LESS) \
  LESS " r3, r3, r4\n"            \
  "bmi " n "1f\n"                 \
  "cmp r2, r9\n"                  \
  "beq " n "1f\n"                 \
  n "2: stm r2!, {r4, r5}\n"      \
  n "3: cmp r0, r10\n"            \
  "bne 1b\n"                      \
  "b 9f\n"
// The chunk is full: its header, and the next one begins.
#define SQUEEZE_LIST_CLOSE(n, LESS, MORE) \
  n "1: " MORE " r3, r3, r4\n"    \
  "movs r6, #255\n"               \
  "subs r3, r6, r3\n"             \
  "add r11, r3\n"                 \
  LESS " r3, r6, r4\n"            \
  "mov r6, r9\n"                  \
  "subs r7, r6, r2\n"             \
  "subs r6, #140\n"               \
  "lsrs r7, r7, #3\n"             \
  "adds r2, #140\n"               \
  "mov r9, r2\n"                  \
  "subs r2, #136\n"               \
  "mov r14, r2\n"                 \
  "mov r2, r12\n"                 \
  "muls r7, r2\n"                 \
  "mov r2, r8\n"                  \
  "ldr r2, [r2, #20]\n"           \
  "adds r7, r7, r2\n"             \
  "str r7, [r6]\n"                \
  "mov r2, r14\n"                 \
  "movs r7, #0\n"                 \
  "b " n "2b\n"
// clang-format on

__attribute__((naked, noinline)) const uint16_t* PairsSparseToList([[maybe_unused]] PairsListWriter* writer,
                                                                   [[maybe_unused]] const uint16_t* entries,
                                                                   [[maybe_unused]] const uint16_t* end,
                                                                   [[maybe_unused]] const uint16_t* table) {
  __asm__(SQUEEZE_LIST_ENTER
          "b 4f\n"
          "1: ldrh r4, [r0]\n"
          "adds r0, #2\n"
          "uxtb r5, r4\n"
          "lsls r5, r5, #1\n"
          "adds r1, r1, r5\n"
          "ldrh r5, [r1]\n"
          "adds r1, #2\n"
          "sxth r4, r4\n"
          "asrs r4, r4, #8\n"
          "bmi 5f\n"
          "beq 13f\n" SQUEEZE_LIST_PUT("1", "subs")
          "5:\n" SQUEEZE_LIST_PUT("2", "adds")
          "4: cmp r0, r10\n"
          "bne 1b\n"
          "9:\n" SQUEEZE_LIST_LEAVE
          SQUEEZE_LIST_CLOSE("1", "subs", "adds") SQUEEZE_LIST_CLOSE("2", "adds", "subs"));
}

__attribute__((naked, noinline)) const uint16_t* PairsDenseToList([[maybe_unused]] PairsListWriter* writer,
                                                                  [[maybe_unused]] const int8_t* weights,
                                                                  [[maybe_unused]] const int8_t* end,
                                                                  [[maybe_unused]] const uint16_t* table) {
  __asm__(SQUEEZE_LIST_ENTER
          "movs r7, #0\n"
          "cmp r0, r10\n"
          "beq 9f\n"
          "1: ldrsb r4, [r0, r7]\n"
          "adds r0, #1\n"
          "ldrh r5, [r1]\n"
          "adds r1, #2\n"
          "cmp r4, #0\n"
          "bmi 5f\n"
          "beq 13f\n" SQUEEZE_LIST_PUT("1", "subs") "5:\n" SQUEEZE_LIST_PUT(
              "2", "adds") "9:\n" SQUEEZE_LIST_LEAVE SQUEEZE_LIST_CLOSE("1", "subs", "adds")
              SQUEEZE_LIST_CLOSE("2", "adds", "subs"));
}

#endif

}  // namespace squeeze
