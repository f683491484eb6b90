// 4 x 6 inputs of a tile to 24 positions: 125 instructions a channel.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/winograd.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// Work area: 0 four rows of six widened words, 96 the same as loaded. Stack: 0 the four row pointers, 16 to,
// 20 bytes of a step, 24 quads left, 28 pitch, 32 work area.
//
// Loads a row: its pointer at `at`, to `raw`; `wide`: where it goes widened (even bytes). lr: work area.
// clang-format off
#define SQUEEZE_WIDEN(rotation)       \
  ".irp r, r3, r4, r5, r6, r7, r8\n"  \
  "sxtb16 \\r, \\r" rotation "\n"     \
  ".endr\n"
#define SQUEEZE_LOAD_ROW(at, raw, wide)  \
  "ldr r0, [sp, #" at "]\n"              \
  "ldr r3, [r0]\n"                       \
  "ldr r4, [r0, r1]\n"                   \
  "ldr r5, [r0, r1, lsl #1]\n"           \
  "ldr r7, [r0, r1, lsl #2]\n"           \
  "add r9, r0, r12\n"                    \
  "ldr r6, [r9]\n"                       \
  "ldr r8, [r9, r1, lsl #1]\n"           \
  "adds r0, #4\n"                        \
  "str r0, [sp, #" at "]\n"              \
  "add r9, lr, #" raw "\n"               \
  "stm r9, {r3-r8}\n"                    \
  SQUEEZE_WIDEN("")                      \
  "add r9, lr, #" wide "\n"              \
  "stm r9, {r3-r8}\n"
#define SQUEEZE_ODD_ROW(raw, wide)  \
  "add r9, lr, #" raw "\n"          \
  "ldm r9, {r3-r8}\n"               \
  SQUEEZE_WIDEN(", ror #8")         \
  "add r9, lr, #" wide "\n"         \
  "stm r9, {r3-r8}\n"

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

// One k: row a + or - row b, `TWICE` or not, then along.
#define SQUEEZE_TWICE                 \
  ".irp r, r3, r4, r5, r6, r7, r8\n"  \
  "sadd16 \\r, \\r, \\r\n"            \
  ".endr\n"
#define SQUEEZE_K(a, op, b, TWICE)                                                                       \
  "ldr r1, [sp, #32]\n add r3, r1, #" a "\n"                                                             \
  "ldm r3, {r3-r8}\n"                                                                                    \
  "adds r1, #" b "\n"                                                                                    \
  "ldm.w r1, {r1, r9-r12, lr}\n"                                                                         \
  op " r3, r3, r1\n"                                                                                     \
  op " r4, r4, r9\n"                                                                                     \
  op " r5, r5, r10\n"                                                                                    \
  op " r6, r6, r11\n"                                                                                    \
  op " r7, r7, r12\n"                                                                                    \
  op " r8, r8, lr\n"                                                                                     \
  TWICE                                                                                                  \
  SQUEEZE_ALONG

#define SQUEEZE_POSITIONS                         \
  SQUEEZE_K("24", "sadd16", "48", "")             \
  "add r0, r0, r2, lsr #2\n"                      \
  SQUEEZE_K("48", "ssub16", "24", "")             \
  "add r0, r0, r2, lsr #2\n"                      \
  SQUEEZE_K("72", "ssub16", "24", SQUEEZE_TWICE)  \
  "add r0, r0, r2, lsr #2\n"                      \
  SQUEEZE_K("0", "ssub16", "48", SQUEEZE_TWICE)
// clang-format on

__attribute__((naked, noinline)) void WinogradInputs([[maybe_unused]] const int8_t* const* rows,
                                                     [[maybe_unused]] uint32_t padded_channels,
                                                     [[maybe_unused]] uint32_t tiles,
                                                     [[maybe_unused]] uint32_t* to,
                                                     [[maybe_unused]] uint32_t* work) {
  __asm__(
      "push {r4-r11, lr}\n"
      "sub sp, #36\n"
      "ldm r0, {r4-r7}\n"
      "ldr r0, [sp, #72]\n"
      "lsls r8, r2, #2\n"
      "lsrs r9, r1, #2\n"
      "mov r10, r1\n"
      "muls r2, r1, r2\n"  // bytes of a position: padded_channels / 2 words of each tile
      "lsls r2, r2, #3\n"  // four of them
      "stm.w sp, {r4-r7}\n"
      "str r0, [sp, #32]\n"
      "strd r3, r8, [sp, #16]\n"
      "strd r9, r10, [sp, #24]\n"
      "1: ldrd r1, lr, [sp, #28]\n"
      "add r12, r1, r1, lsl #1\n"
      SQUEEZE_LOAD_ROW("0", "96", "0")
      SQUEEZE_LOAD_ROW("4", "120", "24")
      SQUEEZE_LOAD_ROW("8", "144", "48")
      SQUEEZE_LOAD_ROW("12", "168", "72")
      "ldr r0, [sp, #16]\n"
      SQUEEZE_POSITIONS
      "ldr lr, [sp, #32]\n"
      SQUEEZE_ODD_ROW("96", "0")
      SQUEEZE_ODD_ROW("120", "24")
      SQUEEZE_ODD_ROW("144", "48")
      SQUEEZE_ODD_ROW("168", "72")
      "ldrd r0, r1, [sp, #16]\n"
      "add r0, r0, r1\n"
      "add r1, r0, r1\n"
      "str r1, [sp, #16]\n"
      SQUEEZE_POSITIONS
      "ldr r0, [sp, #24]\n"
      "subs r0, #1\n"
      "str r0, [sp, #24]\n"
      "bne.w 1b\n"
      "add sp, #36\n"
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
