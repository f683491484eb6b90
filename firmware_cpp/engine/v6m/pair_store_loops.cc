// Cycles an output on a Cortex-M0+: 26, or 13 where a ReLU's sum is not positive; without a ReLU 29; where
// sums may be large 2 and 4 more.
#include "engine/portable/pair_store.h"

namespace squeeze {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// r0 sum, r1 sums, r2 other, r3 out, r4-r6 parts of the multiplier, r7 shift, r8 what rounds V, r9 stride,
// r10 end of sums, r11 their limit, r12 the sum again, r14 of kLinear what rounds y.
// clang-format off
#define SQUEEZE_PAIR_V          \
  "mov r12, r0\n"               \
  "muls r0, r4\n"               \
  "asrs r0, r0, #10\n"          \
  "mov r2, r12\n"               \
  "muls r2, r5\n"               \
  "adds r0, r0, r2\n"           \
  "asrs r0, r0, #10\n"          \
  "mov r2, r12\n"               \
  "muls r2, r6\n"               \
  "adds r0, r0, r2\n"           \
  "add r0, r8\n"
#define SQUEEZE_PAIR_NOT_BIG(labels)
#define SQUEEZE_PAIR_NOT_BIG_FIX(labels)
#define SQUEEZE_PAIR_BIG_RELU(n) \
  "cmp r0, r11\n"                \
  "bgt " n "3f\n"                \
  n "4:\n"
#define SQUEEZE_PAIR_BIG_RELU_FIX(n) \
  n "3: mov r0, r11\n"               \
  "b " n "4b\n"
#define SQUEEZE_PAIR_RELU(n, at, BIG) \
  "ldr r0, [r1, #" at "]\n"           \
  "cmp r0, #0\n"                      \
  "ble " n "1f\n" BIG(n)              \
  SQUEEZE_PAIR_V                      \
  "asrs r0, r7\n"                     \
  "cmp r0, #255\n"                    \
  "bgt " n "2f\n"                     \
  n "5: subs r0, #128\n"              \
  "strb r0, [r3]\n"                   \
  "add r3, r9\n"
#define SQUEEZE_PAIR_RELU_FIX(n, BIG_FIX) \
  n "1: movs r0, #0\n"                    \
  "b " n "5b\n"                           \
  n "2: movs r0, #255\n"                  \
  "b " n "5b\n" BIG_FIX(n)
#define SQUEEZE_PAIR_BIG_LINEAR(n) \
  "asrs r2, r0, #20\n"             \
  "adds r2, #1\n"                  \
  "cmp r2, #1\n"                   \
  "bhi " n "3f\n"                  \
  n "4:\n"
#define SQUEEZE_PAIR_BIG_LINEAR_FIX(n) \
  n "3: asrs r2, r0, #31\n"            \
  "mov r0, r11\n"                      \
  "eors r0, r2\n" /* limit, or -limit - 1 */ \
  "b " n "4b\n"
#define SQUEEZE_PAIR_LINEAR(n, at, BIG) \
  "ldr r0, [r1, #" at "]\n" BIG(n)      \
  SQUEEZE_PAIR_V                        \
  "asrs r0, r0, #11\n"                  \
  "asrs r2, r0, #31\n"                  \
  "adds r0, r0, r2\n"                   \
  "add r0, r14\n"                       \
  "asrs r0, r7\n"                       \
  "sxtb r2, r0\n"                       \
  "cmp r2, r0\n"                        \
  "bne " n "1f\n"                       \
  n "5: strb r0, [r3]\n"                \
  "add r3, r9\n"
#define SQUEEZE_PAIR_LINEAR_FIX(n, BIG_FIX) \
  n "1: asrs r0, r0, #31\n"                 \
  "movs r2, #127\n"                         \
  "eors r0, r2\n"                           \
  "b " n "5b\n" BIG_FIX(n)
#define SQUEEZE_PAIR_FUNCTION(Name, ROUNDING, ONE, FIX, BIG, BIG_FIX)                                     \
  __attribute__((naked, noinline, aligned(4))) void Name(                                                 \
      [[maybe_unused]] const PairScale* scale, [[maybe_unused]] const int32_t* sums,                      \
      [[maybe_unused]] uint32_t count, [[maybe_unused]] int8_t* out) {                                    \
    __asm__(".syntax unified\n"                                                                           \
            "push {r4-r7, lr}\n"                                                                          \
            "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"                                       \
            "push {r4-r7}\n"                                                                              \
            "ldr r4, [r0, #16]\n" ROUNDING                                                                \
            "ldr r4, [r0, #20]\n"                                                                         \
            "mov r9, r4\n"                                                                                \
            "lsls r4, r2, #3\n"                                                                           \
            "adds r4, r4, r1\n"                                                                           \
            "mov r10, r4\n"                                                                               \
            "movs r4, #15\n"                                                                              \
            "lsls r4, r4, #16\n"                                                                          \
            "mov r11, r4\n"                                                                               \
            "lsls r2, r2, #31\n"                                                                          \
            "ldm r0!, {r4-r7}\n"                                                                          \
            "beq 1f\n"                                                                                    \
            "subs r1, #8\n"                                                                               \
            "b 2f\n"                                                                                      \
            "1:\n" ONE("1", "0", BIG)                                                                     \
            "2:\n" ONE("2", "8", BIG)                                                                     \
            "adds r1, #16\n"                                                                              \
            "cmp r1, r10\n"                                                                               \
            "bne 1b\n"                                                                                    \
            "pop {r4-r7}\n"                                                                               \
            "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"                                       \
            "pop {r4-r7, pc}\n" FIX("1", BIG_FIX) FIX("2", BIG_FIX));                                     \
  }
#define SQUEEZE_PAIR_ROUND_V "mov r8, r4\n"
#define SQUEEZE_PAIR_ROUND_Y  \
  "mov r14, r4\n"             \
  "movs r4, #1\n"             \
  "lsls r4, r4, #10\n"        \
  "mov r8, r4\n"
// clang-format on
static_assert(kPairSumLimit == 15 << 16, "as the functions load it");
SQUEEZE_PAIR_FUNCTION(PairsStoreRelu, SQUEEZE_PAIR_ROUND_V, SQUEEZE_PAIR_RELU, SQUEEZE_PAIR_RELU_FIX,
                      SQUEEZE_PAIR_NOT_BIG, SQUEEZE_PAIR_NOT_BIG_FIX)
SQUEEZE_PAIR_FUNCTION(PairsStoreBigRelu, SQUEEZE_PAIR_ROUND_V, SQUEEZE_PAIR_RELU, SQUEEZE_PAIR_RELU_FIX,
                      SQUEEZE_PAIR_BIG_RELU, SQUEEZE_PAIR_BIG_RELU_FIX)
SQUEEZE_PAIR_FUNCTION(PairsStoreLinear, SQUEEZE_PAIR_ROUND_Y, SQUEEZE_PAIR_LINEAR, SQUEEZE_PAIR_LINEAR_FIX,
                      SQUEEZE_PAIR_NOT_BIG, SQUEEZE_PAIR_NOT_BIG_FIX)
SQUEEZE_PAIR_FUNCTION(PairsStoreBigLinear, SQUEEZE_PAIR_ROUND_Y, SQUEEZE_PAIR_LINEAR, SQUEEZE_PAIR_LINEAR_FIX,
                      SQUEEZE_PAIR_BIG_LINEAR, SQUEEZE_PAIR_BIG_LINEAR_FIX)

#endif

}  // namespace squeeze
