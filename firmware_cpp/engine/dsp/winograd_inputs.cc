// 4 x 6 inputs of a tile to 24 positions: 120 instructions and 150 cycles a channel.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/winograd.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// Stack: 0 the four row pointers, 20 offsets of the second and third column and bytes of three, 40 to, 44
// bytes of a step, 48 quads left, 52 work area, 56 bytes of a column's positions.
//
// Down a column: four channels of its four rows (r0-r3) are widened and make the four k of the odd ones (k3
// in r4, k1 in r6, k2 in r7, k0 in r8) and of the even ones (r9 to r12, in the same order): eight words of
// the work area at lr. So one loop makes the positions of both.
// clang-format off
#define SQUEEZE_COLUMN_WORDS                \
  "sxtb16 r8, r4\n"                         \
  "sxtb16 r9, r5\n"                         \
  "sxtb16 r10, r6\n"                        \
  "sxtb16 r11, r7\n"                        \
  "sxtb16 r4, r4, ror #8\n"                 \
  "sxtb16 r5, r5, ror #8\n"                 \
  "sxtb16 r6, r6, ror #8\n"                 \
  "sxtb16 r7, r7, ror #8\n"                 \
  "ssub16 r11, r11, r9\n"                   \
  "sadd16 r11, r11, r11\n"                  \
  "ssub16 r8, r8, r10\n"                    \
  "sadd16 r12, r9, r10\n"                   \
  "ssub16 r10, r10, r9\n"                   \
  "sadd16 r9, r8, r8\n"                     \
  "ssub16 r7, r7, r5\n"                     \
  "sadd16 r7, r7, r7\n"                     \
  "ssub16 r4, r4, r6\n"                     \
  "sadd16 r4, r4, r4\n"                     \
  "sadd16 r8, r5, r6\n"                     \
  "ssub16 r6, r6, r5\n"                     \
  "stmia lr!, {r4, r6-r12}\n"
#define SQUEEZE_COLUMN(offset)              \
  "ldr r12, [sp, #" offset "]\n"            \
  "ldr r4, [r0, r12]\n"                     \
  "ldr r5, [r1, r12]\n"                     \
  "ldr r6, [r2, r12]\n"                     \
  "ldr r7, [r3, r12]\n" SQUEEZE_COLUMN_WORDS

// Six words of one k in r3-r8 along the row. r0 to, r2 bytes of a column's positions; uses r1 r9-r12.
#define SQUEEZE_ALONG                             \
  "ssub16 r9, r7, r5\n" /* a = d4 - d2 */         \
  "ssub16 r10, r6, r4\n"                          \
  "sadd16 r10, r10, r10\n" /* b = 2 (d3 - d1) */  \
  "ssub16 r3, r3, r5\n"                           \
  "sadd16 r3, r3, r3\n"                           \
  "sadd16 r3, r3, r3\n"                           \
  "sadd16 r3, r3, r9\n"                           \
  "sadd16 r11, r3, r3\n"                          \
  "sadd16 r3, r3, r11\n"                          \
  "str r3, [r0]\n"                                \
  "sadd16 r5, r5, r5\n"                           \
  "sadd16 r5, r5, r5\n"                           \
  "ssub16 r5, r7, r5\n" /* e = d4 - 4 d2 */       \
  "sadd16 r4, r4, r4\n"                           \
  "sadd16 r4, r4, r4\n"                           \
  "ssub16 r4, r6, r4\n" /* f = d3 - 4 d1 */       \
  "sadd16 r11, r5, r4\n"                          \
  "ssub16 r12, r5, r4\n"                          \
  "str r11, [r0, r2]\n"                           \
  "str r12, [r0, r2, lsl #1]\n"                   \
  "ssub16 r11, r9, r10\n"                         \
  "sadd16 r12, r9, r10\n"                         \
  "str r11, [r0, r2, lsl #2]\n"                   \
  "add r1, r0, r2\n"                              \
  "add r1, r1, r2, lsl #1\n"                      \
  "str r12, [r1]\n"                               \
  "ssub16 r8, r8, r6\n"                           \
  "sadd16 r10, r10, r10\n"                        \
  "ssub16 r8, r8, r10\n"                          \
  "sadd16 r9, r8, r8\n"                           \
  "sadd16 r8, r8, r9\n"                           \
  "str r8, [r1, r2, lsl #1]\n"

// One k, `at` in each column's words.
#define SQUEEZE_K(at)                  \
  "ldr.w r3, [lr, #0 + " at "]\n"     \
  "ldr.w r4, [lr, #32 + " at "]\n"    \
  "ldr.w r5, [lr, #64 + " at "]\n"    \
  "ldr.w r6, [lr, #96 + " at "]\n"    \
  "ldr.w r7, [lr, #128 + " at "]\n"   \
  "ldr.w r8, [lr, #160 + " at "]\n" SQUEEZE_ALONG
// clang-format on

__attribute__((naked, noinline)) void WinogradInputs([[maybe_unused]] const int8_t* const* rows,
                                                     [[maybe_unused]] uint32_t padded_channels,
                                                     [[maybe_unused]] uint32_t tiles,
                                                     [[maybe_unused]] uint32_t* to,
                                                     [[maybe_unused]] uint32_t* work) {
  __asm__(
      "push {r4-r11, lr}\n"
      "sub sp, #60\n"
      "ldm r0, {r4-r7}\n"
      "ldr r0, [sp, #96]\n"
      "lsls r8, r2, #2\n"
      "lsrs r9, r1, #2\n"
      "muls r2, r1, r2\n"  // bytes of a position: padded_channels / 2 words of each tile
      "lsls r2, r2, #3\n"  // four of them
      "stm.w sp, {r4-r7}\n"
      "strd r3, r8, [sp, #40]\n"
      "strd r9, r0, [sp, #48]\n"
      "str r2, [sp, #56]\n"
      "adds r3, r1, r1\n"
      "adds r4, r3, r1\n"
      "subs r1, #4\n"
      "subs r3, #4\n"
      "strd r1, r3, [sp, #20]\n"
      "str r4, [sp, #28]\n"
      "1: ldm.w sp, {r0-r3}\n"
      "adds r0, #4\n"
      "adds r1, #4\n"
      "adds r2, #4\n"
      "adds r3, #4\n"
      "stm.w sp, {r0-r3}\n"
      "ldr.w lr, [sp, #52]\n"
      // Twice three columns: Z, which nothing in them changes, is set the first time.
      "cmp r0, r0\n"
      "3: ldr r4, [r0, #-4]\n"
      "ldr r5, [r1, #-4]\n"
      "ldr r6, [r2, #-4]\n"
      "ldr r7, [r3, #-4]\n"
      SQUEEZE_COLUMN_WORDS
      SQUEEZE_COLUMN("20")
      SQUEEZE_COLUMN("24")
      "bne.n 4f\n"
      "ldr r12, [sp, #28]\n"
      "add r0, r12\n"
      "add r1, r12\n"
      "add r2, r12\n"
      "adds.w r3, r3, r12\n"
      "b.n 3b\n"
      "4: sub lr, lr, #176\n"  // the even ones' words
      "ldr r2, [sp, #56]\n"
      "2: ldr r0, [sp, #40]\n"
      SQUEEZE_K("12")
      "add r0, r0, r2, lsr #2\n"
      SQUEEZE_K("4")
      "add r0, r0, r2, lsr #2\n"
      SQUEEZE_K("8")
      "add r0, r0, r2, lsr #2\n"
      SQUEEZE_K("0")
      "ldrd r0, r1, [sp, #40]\n"
      "ldr r3, [sp, #52]\n"
      "add r0, r0, r1\n"
      "str r0, [sp, #40]\n"
      "cmp lr, r3\n"
      "mov lr, r3\n"
      "bne.w 2b\n"
      "ldr r0, [sp, #48]\n"
      "subs r0, #1\n"
      "str r0, [sp, #48]\n"
      "bne.w 1b\n"
      "add sp, #60\n"
      "pop {r4-r11, pc}\n");
}

#else

namespace {

uint32_t Twice(uint32_t x) { return Sadd16(x, x); }
uint32_t Thrice(uint32_t x) { return Sadd16(Twice(x), x); }

// Six inputs along a row to the six of the transform.
void Six(const uint32_t d[6], uint32_t v[6]) {
  const uint32_t a = Ssub16(d[4], d[2]);
  const uint32_t b = Twice(Ssub16(d[3], d[1]));
  const uint32_t e = Ssub16(d[4], Twice(Twice(d[2])));
  const uint32_t f = Ssub16(d[3], Twice(Twice(d[1])));
  v[0] = Thrice(Sadd16(Twice(Twice(Ssub16(d[0], d[2]))), a));
  v[1] = Sadd16(e, f);
  v[2] = Ssub16(e, f);
  v[3] = Sadd16(a, b);
  v[4] = Ssub16(a, b);
  v[5] = Thrice(Ssub16(Ssub16(d[5], d[3]), Twice(b)));
}

// Two channels: widened rows to their words.
void TwoChannels(const uint32_t d[4][6], uint32_t k_pitch, uint32_t* to) {
  uint32_t v[4][6];
  for (int i = 0; i < 6; ++i) {
    v[0][i] = Sadd16(d[1][i], d[2][i]);
    v[1][i] = Ssub16(d[2][i], d[1][i]);
    v[2][i] = Twice(Ssub16(d[3][i], d[1][i]));
    v[3][i] = Twice(Ssub16(d[0][i], d[2][i]));
  }
  for (uint32_t k = 0; k < 4; ++k) {
    uint32_t words[6];
    Six(v[k], words);
    for (uint32_t i = 0; i < 6; ++i) to[(4 * i + k) * k_pitch] = words[i];
  }
}

}  // namespace

void WinogradInputs(const int8_t* const* rows, uint32_t padded_channels, uint32_t tiles, uint32_t* to,
                    uint32_t*) {
  for (uint32_t c = 0; c < padded_channels; c += 4, to += 2 * tiles) {
    uint32_t even[4][6], odd[4][6];
    for (uint32_t k = 0; k < 4; ++k) {
      for (uint32_t i = 0; i < 6; ++i) {
        const uint32_t word = LoadWord(rows[k] + i * padded_channels + c);
        even[k][i] = Sxtb16(word);
        odd[k][i] = Sxtb16Ror8(word);
      }
    }
    TwoChannels(even, padded_channels / 2 * tiles, to);
    TwoChannels(odd, padded_channels / 2 * tiles, to + tiles);
  }
}

#endif

}  // namespace squeeze
