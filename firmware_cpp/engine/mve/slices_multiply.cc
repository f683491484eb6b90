// Registers: q0 to q6 a slice of 7 pixels, q7 the weights of a channel; the channel's accumulators in the
// even registers r0 to r12 (VMLADAVA takes no odd one); r1 weights, r3 accumulators, r5 addresses to load, r7
// skip, r9 the pass, r11 slices left of the run, lr quads of channels. 10.25 instructions a channel and slice
// (9.25 in the first, which has no accumulators to add to) for 7 * 16 MACs, and 16 a slice: 0.094 a MAC with
// 64 channels. With n pixels n + 3.25 for n * 16: for what remains of a row.
//
// Not chosen: 4 pixels by 2 channels, their 8 accumulators in registers along K, takes 14 instructions for
// 128 MACs, 0.11 a MAC. It has no LDM and STM of 7 words each, so on silicon, where those take a cycle or
// more for two registers, it should take fewer cycles; no source of M55 cycles was at hand to tell.
#include "engine/mve/slices_multiply.h"

namespace squeeze {

#define SQUEEZE_SUMS2 "{r0, r2}"
#define SQUEEZE_SUMS4 "{r0, r2, r4, r6}"
#define SQUEEZE_SUMS6 "{r0, r2, r4, r6, r8, r10}"
#define SQUEEZE_SUMS7 "{r0, r2, r4, r6, r8, r10, r12}"

#define SQUEEZE_LOAD2        \
  "vldrb.u8 q0, [r0], #16\n" \
  "vldrb.u8 q1, [r2], #16\n"
#define SQUEEZE_LOAD4        \
  SQUEEZE_LOAD2              \
  "vldrb.u8 q2, [r4], #16\n" \
  "vldrb.u8 q3, [r6], #16\n"
#define SQUEEZE_LOAD6        \
  SQUEEZE_LOAD4              \
  "vldrb.u8 q4, [r8], #16\n" \
  "vldrb.u8 q5, [r10], #16\n"
#define SQUEEZE_LOAD7 SQUEEZE_LOAD6 "vldrb.u8 q6, [r12], #16\n"

#define SQUEEZE_MULTIPLY2(op) op " r0, q0, q7\n" op " r2, q1, q7\n"
#define SQUEEZE_MULTIPLY4(op) \
  SQUEEZE_MULTIPLY2(op)       \
  op " r4, q2, q7\n" op " r6, q3, q7\n"
#define SQUEEZE_MULTIPLY6(op) \
  SQUEEZE_MULTIPLY4(op)       \
  op " r8, q4, q7\n" op " r10, q5, q7\n"
#define SQUEEZE_MULTIPLY7(op) SQUEEZE_MULTIPLY6(op) op " r12, q6, q7\n"

#define SQUEEZE_PASS(accumulators, load, multiply)                                         \
  "push {r4-r11, lr}\n"                                                                    \
  "vpush {d8-d15}\n"                                                                       \
  "mov r9, r0\n"                                                                           \
  "ldrd r1, r7, [r9, #36]\n"  /* weights, skip */                                          \
  "ldrd r11, r5, [r9, #44]\n" /* run_slices, taps */                                       \
  "str r5, [r9, #52]\n"       /* run */                                                    \
  "ldm r5, " accumulators "\n" load "stm r9, " accumulators                                \
  "\n"                                                                                     \
  "ldrd r0, r3, [r9, #28]\n" /* quads, accumulators */                                     \
  "dls lr, r0\n"                                                                           \
  "1:\n"                                                                                   \
  ".rept 4\n"                                                                              \
  "vldrb.u8 q7, [r1], #16\n" multiply(                                                     \
      "vmladav.s8") "stm r3!, " accumulators                                               \
                    "\n"                                                                   \
                    ".endr\n"                                                              \
                    "le lr, 1b\n"                                                          \
                    "b 5f\n"                                                               \
                    "2: mov r5, r9\n"                                                      \
                    "3: ldm r5, " accumulators "\n" load "stm r9, " accumulators           \
                    "\n"                                                                   \
                    "ldrd r0, r3, [r9, #28]\n"                                             \
                    "dls lr, r0\n"                                                         \
                    "4:\n"                                                                 \
                    ".rept 4\n"                                                            \
                    "vldrb.u8 q7, [r1], #16\n"                                             \
                    "ldm r3, " accumulators                                                \
                    "\n" multiply("vmladava.s8") "stm r3!, " accumulators                  \
                                                 "\n"                                      \
                                                 ".endr\n"                                 \
                                                 "le lr, 4b\n"                             \
                                                 "5: add r1, r1, r7\n"                     \
                                                 "subs r11, r11, #1\n"                     \
                                                 "bne 2b\n"                                \
                                                 "ldrd r5, r0, [r9, #52]\n" /* run, end */ \
                                                 "add r5, r5, #28\n"                       \
                                                 "cmp r5, r0\n"                            \
                                                 "beq 6f\n"                                \
                                                 "str r5, [r9, #52]\n"                     \
                                                 "ldr r11, [r9, #44]\n"                    \
                                                 "b 3b\n"                                  \
                                                 "6: vpop {d8-d15}\n"                      \
                                                 "pop {r4-r11, pc}\n"

#define SQUEEZE_FUNCTION(n)                                                            \
  extern "C" __attribute__((naked)) void SqueezeSlicesMultiply##n(SlicesPass*) {       \
    asm volatile(SQUEEZE_PASS(SQUEEZE_SUMS##n, SQUEEZE_LOAD##n, SQUEEZE_MULTIPLY##n)); \
  }
SQUEEZE_FUNCTION(2)
SQUEEZE_FUNCTION(4)
SQUEEZE_FUNCTION(6)
SQUEEZE_FUNCTION(7)

}  // namespace squeeze
