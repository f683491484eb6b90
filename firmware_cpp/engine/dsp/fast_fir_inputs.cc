// 5 x 5 inputs of a tile to 25 taps: 75 cycles a channel.
#include "engine/dsp/fast_fir.h"
#include "engine/dsp/intrinsics.h"
#include "engine/struct_offset.h"

namespace squeeze {
namespace {

// One tap of the rows, for all channels: `a`, or `a` less `b`. `to`: its taps of the columns' p1, p0 and p2.
struct RowRun {
  const int8_t* a;
  const int8_t* b;
  uint32_t pitch;  // bytes of a pixel
  uint32_t three_pitch;
  uint32_t* to[3];
  uint32_t tap_bytes;
  const int8_t* end;  // of a's first pixel
};
SQUEEZE_OFFSET(RowRun, a, 0);
SQUEEZE_OFFSET(RowRun, b, 4);
SQUEEZE_OFFSET(RowRun, pitch, 8);
SQUEEZE_OFFSET(RowRun, three_pitch, 12);
SQUEEZE_OFFSET(RowRun, to, 16);
SQUEEZE_OFFSET(RowRun, tap_bytes, 28);
SQUEEZE_OFFSET(RowRun, end, 32);

#if defined(__ARM_FEATURE_DSP)

// r0 a, r1 b, r2 pitch, r3 three of it, r4-r6 to, r7 bytes of a tap. Column 3, then column 2 stay in r8 (even
// channels) and r9 (odd ones) for what is subtracted from columns 1, 0 and 4. ODD: from the even channels'
// word to that of the odd ones; NEXT: to the next four channels. The end is on the stack.
// clang-format off
#define SQUEEZE_PLAIN(even, odd, at, next_a, next_b)    \
  "ldr r10, [r0" at "]" next_a "\n"                     \
  "sxtb16 " even ", r10\n"                              \
  "sxtb16 " odd ", r10, ror #8\n"
#define SQUEEZE_DIFFERENCE(even, odd, at, next_a, next_b)  \
  "ldr r10, [r0" at "]" next_a "\n"                        \
  "ldr r11, [r1" at "]" next_b "\n"                        \
  "sxtb16 " even ", r10\n"                                 \
  "sxtb16 lr, r11\n"                                       \
  "ssub16 " even ", " even ", lr\n"                        \
  "sxtb16 " odd ", r10, ror #8\n"                          \
  "sxtb16 r11, r11, ror #8\n"                              \
  "ssub16 " odd ", " odd ", r11\n"
#define SQUEEZE_LESS            \
  "ssub16 r12, r12, r8\n"       \
  "ssub16 r10, r10, r9\n"
#define SQUEEZE_ROW(COLUMN, ODD, NEXT)           \
  "push {r4-r11, lr}\n"                          \
  "ldr r1, [r0, #32]\n"                          \
  "push {r0, r1}\n"                              \
  "ldm r0, {r0-r7}\n"                            \
  "1:\n"                                         \
  COLUMN("r8", "r9", ", r3", "", "")             \
  "add lr, r4, r7\n"                             \
  "str r8, [lr]\n"                               \
  "str r9, [lr, #" ODD "]\n"                     \
  COLUMN("r12", "r10", ", r2", "", "")           \
  SQUEEZE_LESS                                   \
  "add lr, r5, r7\n"                             \
  "str r12, [lr]\n"                              \
  "str r10, [lr, #" ODD "]\n"                    \
  COLUMN("r8", "r9", ", r2, lsl #1", "", "")     \
  "str r9, [r4, #" ODD "]\n"                     \
  "str r8, [r4], #" NEXT "\n"                    \
  COLUMN("r12", "r10", ", r2, lsl #2", "", "")   \
  SQUEEZE_LESS                                   \
  "str r10, [r6, #" ODD "]\n"                    \
  "str r12, [r6], #" NEXT "\n"                   \
  COLUMN("r12", "r10", "", ", #4", ", #4")       \
  SQUEEZE_LESS                                   \
  "str r10, [r5, #" ODD "]\n"                    \
  "str r12, [r5], #" NEXT "\n"                   \
  "ldr lr, [sp, #4]\n"                           \
  "cmp r0, lr\n"                                 \
  "bne.w 1b\n"                                   \
  "add sp, #8\n"                                 \
  "pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) void PlainOfThree([[maybe_unused]] const RowRun* run) {
  __asm__(SQUEEZE_ROW(SQUEEZE_PLAIN, "12", "24"));
}
__attribute__((naked, noinline)) void PlainOfTwo([[maybe_unused]] const RowRun* run) {
  __asm__(SQUEEZE_ROW(SQUEEZE_PLAIN, "8", "16"));
}
__attribute__((naked, noinline)) void DifferenceOfThree([[maybe_unused]] const RowRun* run) {
  __asm__(SQUEEZE_ROW(SQUEEZE_DIFFERENCE, "12", "24"));
}
__attribute__((naked, noinline)) void DifferenceOfTwo([[maybe_unused]] const RowRun* run) {
  __asm__(SQUEEZE_ROW(SQUEEZE_DIFFERENCE, "8", "16"));
}

void Row(const RowRun& run, uint32_t tiles) {
  if (run.b == nullptr) {
    tiles == 3 ? PlainOfThree(&run) : PlainOfTwo(&run);
  } else {
    tiles == 3 ? DifferenceOfThree(&run) : DifferenceOfTwo(&run);
  }
}

#else

void Row(const RowRun& run, uint32_t tiles) {
  uint32_t done = 0;
  for (const int8_t* a = run.a; a != run.end; a += 4) {
    for (uint32_t odd = 0; odd < 2; ++odd, done += tiles) {
      uint32_t x[5];
      for (uint32_t i = 0; i < 5; ++i) {
        const uint32_t word = LoadWord(a + i * run.pitch);
        x[i] = odd ? Sxtb16Ror8(word) : Sxtb16(word);
        if (run.b == nullptr) continue;
        const uint32_t less = LoadWord(run.b + (a - run.a) + i * run.pitch);
        x[i] = Ssub16(x[i], odd ? Sxtb16Ror8(less) : Sxtb16(less));
      }
      run.to[0][done] = x[2];
      run.to[0][done + run.tap_bytes / 4] = x[3];
      run.to[1][done] = Ssub16(x[0], x[2]);
      run.to[1][done + run.tap_bytes / 4] = Ssub16(x[1], x[3]);
      run.to[2][done] = Ssub16(x[4], x[2]);
    }
  }
}

#endif

}  // namespace

void FastFirInputs(const int8_t* const* rows, uint32_t padded_channels, uint32_t tiles, uint32_t* to) {
  const int8_t* const taps[5][2] = {
      {rows[2], nullptr}, {rows[3], nullptr}, {rows[0], rows[2]}, {rows[1], rows[3]}, {rows[4], rows[2]}};
  const uint32_t tap_words = padded_channels / 2 * tiles;
  for (uint32_t r = 0; r < 5; ++r) {
    uint32_t* const first = to + 2 * r * tap_words;
    const RowRun run = {taps[r][0],
                        taps[r][1],
                        padded_channels,
                        3 * padded_channels,
                        {first, first + 10 * tap_words, to + (20 + r) * tap_words},
                        4 * tap_words,
                        taps[r][0] + padded_channels};
    Row(run, tiles);
  }
}

}  // namespace squeeze
