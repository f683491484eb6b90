// The inner loops of ConvFastFirRows: 2 channels by 3 tiles, 12 cycles for 12 products, or by 2 tiles, 9 for
// 8, as in gemm_blocks.cc.
//
// A group's inputs and a pair's weights are read from end to end. They have nine sections: of each of the
// three parts of the columns the taps of the rows' p1, p0 and p2. Accumulators of p1 go on to p0 (y0 is
// stored); then they are loaded again and go on to p2 (y1 is stored).
//
// r0 inputs, r1 weights, r3 r4 weights of the two channels, r5-r7 inputs of three tiles, r8-lr accumulators
// [tile][channel]. r2 counts rounds down from the section's start: 4 (rounds - 1) + 1 (of p1), 2 (p0) or 3
// (p2); so it says at the end which section it was. Sixteen steps are unrolled; the first round of a section
// is entered in the middle.
#include "engine/dsp/fast_fir.h"
#include "engine/dsp/intrinsics.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// Stack: 0 accumulators of p1, 24 the first ones of a group, 48 weights, 52 sums, 56 end of the inputs, 60
// next section, 64 nine sections: start of r2, entry.
// clang-format off

// r6 r7: how a section of p1 begins that has r7 steps. r3: bytes of a step, r4: end of the unrolled ones.
#define SQUEEZE_SECTION                                   \
  "subs r6, r7, #1\n and r8, r6, #15\n add r8, r8, #1\n"  \
  "lsrs r6, r6, #4\n lsls r6, r6, #2\n adds r6, #1\n"     \
  "mls r7, r8, r3, r4\n"
#define SQUEEZE_NEXT         \
  "ldrd r2, r3, [r7], #8\n"  \
  "str r7, [sp, #60]\n"      \
  "bx r3\n"
// Aligned: ADR counts from a multiple of 4.
#define SQUEEZE_FAST_FIR(BYTES, STEP, ACCUMULATORS, GAP)  \
  "push {r4-r11, lr}\n sub sp, #136\n"                    \
  "ldm r1, {r2-r7}\n"                                     \
  "strd r2, r3, [sp, #24]\n strd r2, r3, [sp, #32]\n"     \
  "strd r2, r3, [sp, #40]\n strd r4, r6, [sp, #48]\n"     \
  "str r7, [sp, #56]\n"                                   \
  "movs r3, #" BYTES "\n"                                 \
  "adr.w r4, 3f + 1\n" /* Thumb bit */                    \
  "lsls r7, r5, #2\n"                                     \
  SQUEEZE_SECTION                                         \
  "strd r6, r7, [sp, #64]\n strd r6, r7, [sp, #88]\n"     \
  "adds r6, #1\n"                                         \
  "strd r6, r7, [sp, #72]\n strd r6, r7, [sp, #96]\n"     \
  "lsls r7, r5, #1\n"                                     \
  SQUEEZE_SECTION                                         \
  "strd r6, r7, [sp, #112]\n"                             \
  "adds r6, #1\n"                                         \
  "strd r6, r7, [sp, #120]\n"                             \
  "adds r6, #1\n"                                         \
  "strd r6, r7, [sp, #80]\n strd r6, r7, [sp, #104]\n"    \
  "mov r7, r5\n"                                          \
  SQUEEZE_SECTION                                         \
  "adds r6, #2\n"                                         \
  "strd r6, r7, [sp, #128]\n"                             \
  "1: add r7, sp, #24\n"                                  \
  "ldm r7, " ACCUMULATORS "\n"                            \
  "ldr r1, [sp, #48]\n add r7, sp, #64\n"                 \
  SQUEEZE_NEXT                                            \
  "2:\n"                                                  \
  ".rept 16\n" STEP ".endr\n"                             \
  "3: subs r2, #4\n"                                      \
  "bge.w 2b\n"                                            \
  "ldr r7, [sp, #60]\n"                                   \
  "cmn r2, #2\n beq 4f\n bgt 5f\n"                        \
  "stm sp, " ACCUMULATORS "\n"                            \
  SQUEEZE_NEXT                                            \
  "4: ldr r5, [sp, #52]\n"                                \
  "stm r5!, " ACCUMULATORS "\n" GAP                       \
  "str r5, [sp, #52]\n"                                   \
  "ldm sp, " ACCUMULATORS "\n"                            \
  SQUEEZE_NEXT                                            \
  "5: ldr r5, [sp, #52]\n"                                \
  "stm r5!, " ACCUMULATORS "\n" GAP                       \
  "str r5, [sp, #52]\n"                                   \
  "add r6, sp, #136\n cmp r7, r6\n beq 6f\n"              \
  ".irp r, r8, r9, r10, r11, r12, lr\n"                   \
  "mov \\r, #0\n"                                         \
  ".endr\n"                                               \
  SQUEEZE_NEXT                                            \
  "6: ldr r2, [sp, #56]\n"                                \
  "cmp r0, r2\n"                                          \
  "bne.w 1b\n"                                            \
  "add sp, #136\n"                                        \
  "pop {r4-r11, pc}\n"
#define SQUEEZE_STEP_THREE                             \
  "ldr.n r4, [r1, #4]\n ldr.n r6, [r0, #4]\n"          \
  "ldr.n r7, [r0, #8]\n"                               \
  "ldr.w r3, [r1], #8\n ldr.w r5, [r0], #12\n"         \
  "smlad r8, r5, r3, r8\n smlad r9, r5, r4, r9\n"      \
  "smlad r10, r6, r3, r10\n smlad r11, r6, r4, r11\n"  \
  "smlad r12, r7, r3, r12\n smlad lr, r7, r4, lr\n"
#define SQUEEZE_STEP_TWO                           \
  "ldr.n r4, [r1, #4]\n ldr.n r6, [r0, #4]\n"      \
  "ldr.w r3, [r1], #8\n ldr.w r5, [r0], #8\n"      \
  "smlad r8, r5, r3, r8\n smlad r9, r5, r4, r9\n"  \
  "smlad r10, r6, r3, r10\n smlad r11, r6, r4, r11\n"
// clang-format on

__attribute__((naked, noinline, aligned(4))) void FastFirThrees([[maybe_unused]] const uint32_t* inputs,
                                                                [[maybe_unused]] const FastFirRun* run) {
  __asm__(SQUEEZE_FAST_FIR("38", SQUEEZE_STEP_THREE, "{r8-r12, lr}", ""));
}

__attribute__((naked, noinline, aligned(4))) void FastFirTwos([[maybe_unused]] const uint32_t* inputs,
                                                              [[maybe_unused]] const FastFirRun* run) {
  __asm__(SQUEEZE_FAST_FIR("28", SQUEEZE_STEP_TWO, "{r8-r11}", "adds r5, #8\n"));
}

#else

namespace {

constexpr uint32_t kSections[3][3] = {{4, 4, 2}, {4, 4, 2}, {2, 2, 1}};  // taps

// One group: `tiles` times two channels.
void Group(const uint32_t* inputs, const FastFirRun& run, uint32_t tiles, int32_t* sums) {
  const uint32_t* weights = run.weights;
  for (uint32_t part = 0; part < 3; ++part) {
    int32_t acc[3][6] = {};  // p1 (with the start), then y0 and y1
    for (uint32_t i = 0; i < 2 * tiles && part == 0; ++i) acc[0][i] = run.start[i & 1];
    for (uint32_t k = 0; k < 3; ++k) {
      for (uint32_t i = 0; i < 6 && k > 0; ++i) acc[k][i] = acc[0][i];
      for (uint32_t step = 0; step < kSections[part][k] * run.steps; ++step, inputs += tiles, weights += 2) {
        for (uint32_t i = 0; i < 2 * tiles; ++i) acc[k][i] = Smlad(inputs[i / 2], weights[i & 1], acc[k][i]);
      }
    }
    for (uint32_t i = 0; i < 2 * tiles; ++i) {
      sums[12 * part + i] = acc[1][i];
      sums[12 * part + 6 + i] = acc[2][i];
    }
  }
}

void Groups(const uint32_t* inputs, const FastFirRun& run, uint32_t tiles) {
  int32_t* sums = run.sums;
  for (; inputs != run.inputs_end; inputs += kFastFirTaps * run.steps * tiles, sums += kFastFirGroupSums) {
    Group(inputs, run, tiles, sums);
  }
}

}  // namespace

void FastFirThrees(const uint32_t* inputs, const FastFirRun* run) { Groups(inputs, *run, 3); }
void FastFirTwos(const uint32_t* inputs, const FastFirRun* run) { Groups(inputs, *run, 2); }

#endif

}  // namespace squeeze
