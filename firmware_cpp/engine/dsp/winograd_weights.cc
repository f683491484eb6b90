// 3 x 3 weights to 24 positions: 53 instructions a kernel (a pair of input and output channel).
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/winograd.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// Six words along the row of h0 h1 h2. r0 first word written of this k, r2 bytes of 4 positions; uses r1, r12
// and lr.
// clang-format off
#define SQUEEZE_ALONG(h0, h1, h2)   \
  "str " h0 ", [r0]\n"              \
  "sadd16 r12, " h0 ", " h2 "\n"    \
  "sadd16 lr, r12, " h1 "\n"        \
  "ssub16 r12, r12, " h1 "\n"       \
  "str lr, [r0, r2]\n"              \
  "str r12, [r0, r2, lsl #1]\n"     \
  "sadd16 lr, " h2 ", " h2 "\n"     \
  "sadd16 lr, lr, lr\n"             \
  "sadd16 lr, lr, " h0 "\n"         \
  "sadd16 r12, " h1 ", " h1 "\n"    \
  "ssub16 r1, lr, r12\n"            \
  "str r1, [r0, r2, lsl #2]\n"      \
  "add r1, r0, r2\n"                \
  "add r1, r1, r2, lsl #1\n"        \
  "sadd16 lr, lr, r12\n"            \
  "str lr, [r1]\n"                  \
  "str " h2 ", [r1, r2, lsl #1]\n"

// Weights of two channels from the words in r3-r11; r0: the first position.
#define SQUEEZE_TWO_CHANNELS(rotation)              \
  ".irp r, r3, r4, r5, r6, r7, r8, r9, r10, r11\n"  \
  "sxtb16 \\r, \\r" rotation "\n"                   \
  ".endr\n"                                         \
  "add r0, r0, r2, lsr #1\n"                        \
  SQUEEZE_ALONG("r9", "r10", "r11")                 \
  "add r0, r0, r2, lsr #2\n"                        \
  SQUEEZE_ALONG("r3", "r4", "r5")                   \
  "sadd16 r3, r3, r9\n"                             \
  "sadd16 r4, r4, r10\n"                            \
  "sadd16 r5, r5, r11\n"                            \
  "sadd16 r9, r3, r6\n"                             \
  "sadd16 r10, r4, r7\n"                            \
  "sadd16 r11, r5, r8\n"                            \
  "ssub16 r3, r3, r6\n"                             \
  "ssub16 r4, r4, r7\n"                             \
  "ssub16 r5, r5, r8\n"                             \
  "sub r0, r0, r2\n"                                \
  "add r0, r0, r2, lsr #2\n"                        \
  SQUEEZE_ALONG("r9", "r10", "r11")                 \
  "add r0, r0, r2, lsr #2\n"                        \
  SQUEEZE_ALONG("r3", "r4", "r5")
// clang-format on

// Stack: 0 nine words, 36 weights, 40 pitch, 44 to, 48 quads left.
__attribute__((naked, noinline)) void WinogradWeights([[maybe_unused]] const int8_t* weights,
                                                      [[maybe_unused]] uint32_t pitch,
                                                      [[maybe_unused]] uint32_t padded_channels,
                                                      [[maybe_unused]] uint32_t* to) {
  __asm__(
      "push {r4-r11, lr}\n"
      "sub sp, #52\n"
      "strd r0, r1, [sp, #36]\n"
      "lsrs r0, r2, #2\n"
      "strd r3, r0, [sp, #44]\n"
      "lsls r2, r2, #4\n"
      "1: ldrd r12, lr, [sp, #36]\n"
      "add r0, lr, lr, lsl #1\n"
      "ldr r3, [r12]\n"
      "ldr r4, [r12, lr]\n"
      "ldr r5, [r12, lr, lsl #1]\n"
      "add r12, r12, r0\n"
      "ldr r6, [r12]\n"
      "ldr r7, [r12, lr]\n"
      "ldr r8, [r12, lr, lsl #1]\n"
      "add r1, r12, r0\n"
      "ldr r9, [r1]\n"
      "ldr r10, [r1, lr]\n"
      "ldr r11, [r1, lr, lsl #1]\n"
      "sub r12, r12, r0\n"
      "adds r12, r12, #4\n"
      "str r12, [sp, #36]\n"
      "stm sp, {r3-r11}\n"
      "ldr r0, [sp, #44]\n"
      SQUEEZE_TWO_CHANNELS("")
      "ldm sp, {r3-r11}\n"
      "ldr r0, [sp, #44]\n"
      "add r1, r0, #16\n"
      "str r1, [sp, #44]\n"
      "add r0, r0, #8\n"
      SQUEEZE_TWO_CHANNELS(", ror #8")
      "ldr r12, [sp, #48]\n"
      "subs r12, #1\n"
      "str r12, [sp, #48]\n"
      "bne.w 1b\n"
      "add sp, #52\n"
      "pop {r4-r11, pc}\n");
}

#else

namespace {

uint32_t Twice(uint32_t x) { return Sadd16(x, x); }

// Six transformed words of one k, `pitch` words apart.
void Along(uint32_t g0, uint32_t g1, uint32_t g2, uint32_t pitch, uint32_t* to) {
  const uint32_t s = Sadd16(g0, g2);
  const uint32_t t = Sadd16(Twice(Twice(g2)), g0);
  to[0] = g0;
  to[pitch] = Sadd16(s, g1);
  to[2 * pitch] = Ssub16(s, g1);
  to[3 * pitch] = Sadd16(t, Twice(g1));
  to[4 * pitch] = Ssub16(t, Twice(g1));
  to[5 * pitch] = g2;
}

void TwoChannels(const uint32_t g[9], uint32_t k_pitch, uint32_t* to) {
  uint32_t s[3];
  for (int i = 0; i < 3; ++i) s[i] = Sadd16(g[i], g[6 + i]);
  Along(Sadd16(s[0], g[3]), Sadd16(s[1], g[4]), Sadd16(s[2], g[5]), 4 * k_pitch, to);
  Along(Ssub16(s[0], g[3]), Ssub16(s[1], g[4]), Ssub16(s[2], g[5]), 4 * k_pitch, to + k_pitch);
  Along(g[6], g[7], g[8], 4 * k_pitch, to + 2 * k_pitch);
  Along(g[0], g[1], g[2], 4 * k_pitch, to + 3 * k_pitch);
}

}  // namespace

void WinogradWeights(const int8_t* weights, uint32_t pitch, uint32_t padded_channels, uint32_t* to) {
  for (uint32_t c = 0; c < padded_channels; c += 4, weights += 4, to += 4) {
    uint32_t even[9], odd[9];
    for (uint32_t i = 0; i < 9; ++i) {
      const uint32_t word = LoadWord(weights + i * pitch);
      even[i] = Sxtb16(word);
      odd[i] = Sxtb16Ror8(word);
    }
    TwoChannels(even, padded_channels, to);
    TwoChannels(odd, padded_channels, to + 2);
  }
}

#endif

}  // namespace squeeze
