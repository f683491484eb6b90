// The inner loops of ConvWinogradRows for at most 32 input channels: as those of winograd_blocks.cc, but the
// steps of a position are all unrolled, so nothing counts rounds. A column of three tiles takes 96 cycles
// besides its steps, most of them to store accumulators and load them again.
//
// r0 inputs, r1 weights, r2 accumulators, r3 lr weights of two channels, r4-r6 inputs of three tiles, r7-r12
// accumulators. m0 waits where y0 comes later; m0 + m1 on the stack, before the entry that goes on from it.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/winograd.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// Stack: 0 zeros and the entry, then m0 + m1 and the entry again, 56 the entry, 64 weights, 68 their end, 72
// end of the inputs. Aligned: ADR counts from a multiple of 4.
//
// All four k run the same steps, which so stay in a flash's buffer of 1 KB. The flags, which nothing in
// between changes, say where to go on: Z behind k = 0, N behind k = 1, C behind k = 2, else k = 3.
// clang-format off
#define SQUEEZE_AFTER_K0 "cmp r2, r2\n"
#define SQUEEZE_AFTER_K1 "mvns.w r3, #0\n"
#define SQUEEZE_AFTER_K2 "movs.n r3, #1\n" /* C is as k = 0 left it */
#define SQUEEZE_AFTER_K3 "movs.w r3, #0x40000000\n" /* C is bit 31 */
#define SQUEEZE_SHORT_ENTER(step_bytes, entry0, entry3)  \
  "push {r4-r11, lr}\n"                             \
  "sub sp, #80\n"                                   \
  "ldm.w r1, {r3, r4, r5, r6, r7}\n"                \
  "strd r3, r4, [sp, #64]\n"                        \
  "mov r2, r5\n"                                    \
  "str r7, [sp, #72]\n"                             \
  "movs r3, #0\n"                                   \
  "movs r4, #0\n"                                   \
  "strd r3, r4, [sp]\n"                             \
  "strd r3, r4, [sp, #8]\n"                         \
  "strd r3, r4, [sp, #16]\n"                        \
  "movs r5, #" step_bytes "\n"                      \
  "muls r5, r6, r5\n"                               \
  "adr.w r3, 20f + 1\n" /* Thumb bit */             \
  "subs r3, r3, r5\n"                               \
  "str r3, [sp, #" entry0 "]\n"                     \
  "str r3, [sp, #56]\n"                             \
  "str r3, [sp, #" entry3 "]\n"
#define SQUEEZE_SHORT_NEXT  \
  "20: beq.n 30f\n"         \
  "bmi.n 31f\n"             \
  "bcs.n 32f\n"
#define SQUEEZE_SHORT_LEAVE  \
  "adds r2, #24\n"           \
  "ldr r3, [sp, #68]\n"      \
  "cmp r1, r3\n"             \
  "bne.w 2b\n"               \
  "ldr r3, [sp, #72]\n"      \
  "cmp r0, r3\n"             \
  "bne.w 1b\n"               \
  "add sp, #80\n"            \
  "pop {r4-r11, pc}\n"

#define SQUEEZE_SHORT_THREE   \
  ".rept 16\n"                 \
  "ldr.w lr, [r1, #4]\n"      \
  "ldr.n r5, [r0, #4]\n"      \
  "ldr.n r6, [r0, #8]\n"      \
  "ldr.w r3, [r1], #8\n"      \
  "ldr.w r4, [r0], #12\n"     \
  "smlad r7, r4, r3, r7\n"    \
  "smlad r8, r4, lr, r8\n"    \
  "smlad r9, r5, r3, r9\n"    \
  "smlad r10, r5, lr, r10\n"  \
  "smlad r11, r6, r3, r11\n"  \
  "smlad r12, r6, lr, r12\n"  \
  ".endr\n"
// clang-format on

__attribute__((naked, noinline, aligned(4))) void WinogradShortThrees(
    [[maybe_unused]] const uint32_t* inputs, [[maybe_unused]] const WinogradRun* run) {
  __asm__(SQUEEZE_SHORT_ENTER(
      "40", "24",
      "52") "1: ldr r1, [sp, #64]\n"
            "2: " SQUEEZE_AFTER_K0 "ldm.w sp, {r7-r12, pc}\n"            //
          SQUEEZE_SHORT_THREE SQUEEZE_SHORT_NEXT "stmdb r2, {r7-r12}\n"  // y0
          SQUEEZE_SHORT_LEAVE "30: stm r2!, {r7-r12}\n"                  // m0
          SQUEEZE_AFTER_K1
            "ldr.w pc, [sp, #56]\n"
            "31: add r3, sp, #28\n"
            "stm.w r3, {r7-r12}\n"     // m0 + m1
            "ldmdb r2, {r3-r6, lr}\n"  // twice m0 less that
            "rsb r8, r8, r3, lsl #1\n"
            "rsb r9, r9, r4, lsl #1\n"
            "rsb r10, r10, r5, lsl #1\n"
            "rsb r11, r11, r6, lsl #1\n"
            "rsb r12, r12, lr, lsl #1\n"
            "ldr r3, [r2, #-24]\n"
            "rsb r7, r7, r3, lsl #1\n"  //
          SQUEEZE_AFTER_K2
            "ldr.w pc, [sp, #56]\n"
            "32: stm.w r2, {r7-r12}\n"  // y1
            "add r4, sp, #28\n"         //
          SQUEEZE_AFTER_K3 "ldm.w r4, {r7-r12, pc}\n");
}

#else

void WinogradShortThrees(const uint32_t* inputs, const WinogradRun* run) { WinogradThrees(inputs, run); }

#endif

}  // namespace squeeze
