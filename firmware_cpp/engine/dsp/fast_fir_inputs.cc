// 5 x 5 inputs of a tile to 25 taps: 75 cycles a channel.
#include "engine/dsp/fast_fir.h"
#include "engine/dsp/intrinsics.h"
#include "engine/struct_offset.h"

namespace squeeze {
namespace {

// Of a tile: what the taps of the rows are made of, for taps 0 and 1 a row's pixels, for the others a row and
// the one to be subtracted; then bytes of a pixel, the first word, and bytes of a tap.
struct InputsRun {
  const int8_t* rows[8];
  uint32_t pitch;
  uint32_t* to;
  uint32_t tap_bytes;
};
SQUEEZE_OFFSET(InputsRun, rows, 0);
SQUEEZE_OFFSET(InputsRun, pitch, 32);
SQUEEZE_OFFSET(InputsRun, to, 36);
SQUEEZE_OFFSET(InputsRun, tap_bytes, 40);

#if defined(__ARM_FEATURE_DSP)

// r0 a row, r1 the one to be subtracted, r2 pitch, r3 three of it, r4-r6 to, of the columns' p1, p0 and p2,
// r7 bytes of a tap. Column 3, then column 2 stay in r8 (even channels) and r9 (odd ones) for what is
// subtracted from columns 1, 0 and 4. ODD: from the even channels' word to that of the odd ones; NEXT: to the
// next four channels. Stack: 0 end of the row's first pixel, 4 next rows, 8 rows of tap 2.
// clang-format off
#define SQUEEZE_PLAIN(even, odd, at, next_a, next_b)  \
  "ldr r10, [r0" at "]" next_a "\n"                   \
  "sxtb16 " even ", r10\n"                            \
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
#define SQUEEZE_LESS       \
  "ssub16 r12, r12, r8\n"  \
  "ssub16 r10, r10, r9\n"
#define SQUEEZE_ROW(COLUMN, ODD, NEXT)          \
  "add r8, r0, r2\n"                            \
  "strd r8, lr, [sp]\n"                         \
  "2:\n"                                        \
  COLUMN("r8", "r9", ", r3", "", "")            \
  "add lr, r4, r7\n"                            \
  "str r8, [lr]\n"                              \
  "str r9, [lr, #" ODD "]\n"                    \
  COLUMN("r12", "r10", ", r2", "", "")          \
  SQUEEZE_LESS                                  \
  "add lr, r5, r7\n"                            \
  "str r12, [lr]\n"                             \
  "str r10, [lr, #" ODD "]\n"                   \
  COLUMN("r8", "r9", ", r2, lsl #1", "", "")    \
  "str r9, [r4, #" ODD "]\n"                    \
  "str r8, [r4], #" NEXT "\n"                   \
  COLUMN("r12", "r10", ", r2, lsl #2", "", "")  \
  SQUEEZE_LESS                                  \
  "str r10, [r6, #" ODD "]\n"                   \
  "str r12, [r6], #" NEXT "\n"                  \
  COLUMN("r12", "r10", "", ", #4", ", #4")      \
  SQUEEZE_LESS                                  \
  "str r10, [r5, #" ODD "]\n"                   \
  "str r12, [r5], #" NEXT "\n"                  \
  "ldr lr, [sp]\n"                              \
  "cmp r0, lr\n"                                \
  "bne.w 2b\n"                                  \
  "add r4, r4, r7\n"                            \
  "add r5, r5, r7\n"                            \
  "ldrd lr, r8, [sp, #4]\n"
#define SQUEEZE_INPUTS(ODD, NEXT)                      \
  "push {r4-r11, lr}\n"                                \
  "sub sp, #12\n"                                      \
  "mov lr, r0\n"                                       \
  "add r8, r0, #8\n str r8, [sp, #8]\n"                \
  "ldr r2, [lr, #32]\n ldrd r4, r7, [lr, #36]\n"       \
  "add r3, r2, r2, lsl #1\n"                           \
  "add r5, r4, r7, lsl #3\n add r5, r5, r7, lsl #1\n"  \
  "add r6, r5, r7, lsl #3\n add r6, r6, r7, lsl #1\n"  \
  "1: ldr r0, [lr], #4\n"                              \
  SQUEEZE_ROW(SQUEEZE_PLAIN, ODD, NEXT)                \
  "cmp lr, r8\n"                                       \
  "bne.w 1b\n"                                         \
  "1: ldrd r0, r1, [lr], #8\n"                         \
  SQUEEZE_ROW(SQUEEZE_DIFFERENCE, ODD, NEXT)           \
  "add r8, r8, #24\n"                                  \
  "cmp lr, r8\n"                                       \
  "bne.w 1b\n"                                         \
  "add sp, #12\n"                                      \
  "pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) void InputsOfThree([[maybe_unused]] const InputsRun* run) {
  __asm__(SQUEEZE_INPUTS("12", "24"));
}
__attribute__((naked, noinline)) void InputsOfTwo([[maybe_unused]] const InputsRun* run) {
  __asm__(SQUEEZE_INPUTS("8", "16"));
}

#else

// Tap r of the rows, less `b` if there is one, to that of the columns' p1, p0 and p2.
void Row(const InputsRun& run, const int8_t* a, const int8_t* b, uint32_t r, uint32_t tiles) {
  const uint32_t tap_words = run.tap_bytes / 4;
  uint32_t* const p1 = run.to + 2 * r * tap_words;
  uint32_t* const p0 = p1 + 10 * tap_words;
  uint32_t* const p2 = run.to + (20 + r) * tap_words;
  for (uint32_t done = 0; done < tap_words; done += tiles) {
    const uint32_t from = done / (2 * tiles) * 4;
    const bool odd = done / tiles % 2 != 0;
    uint32_t x[5];
    for (uint32_t i = 0; i < 5; ++i) {
      const uint32_t word = LoadWord(a + from + i * run.pitch);
      x[i] = odd ? Sxtb16Ror8(word) : Sxtb16(word);
      if (b == nullptr) continue;
      const uint32_t less = LoadWord(b + from + i * run.pitch);
      x[i] = Ssub16(x[i], odd ? Sxtb16Ror8(less) : Sxtb16(less));
    }
    p1[done] = x[2];
    p1[done + tap_words] = x[3];
    p0[done] = Ssub16(x[0], x[2]);
    p0[done + tap_words] = Ssub16(x[1], x[3]);
    p2[done] = Ssub16(x[4], x[2]);
  }
}

void Inputs(const InputsRun& run, uint32_t tiles) {
  for (uint32_t r = 0; r < 2; ++r) Row(run, run.rows[r], nullptr, r, tiles);
  for (uint32_t r = 2; r < 5; ++r) Row(run, run.rows[2 * r - 2], run.rows[2 * r - 1], r, tiles);
}
void InputsOfThree(const InputsRun* run) { Inputs(*run, 3); }
void InputsOfTwo(const InputsRun* run) { Inputs(*run, 2); }

#endif

}  // namespace

void FastFirInputs(const int8_t* const* rows, uint32_t padded_channels, uint32_t tiles, uint32_t* to) {
  const InputsRun run = {{rows[2], rows[3], rows[0], rows[2], rows[1], rows[3], rows[4], rows[2]},
                         padded_channels,
                         to,
                         2 * padded_channels * tiles};
  tiles == 3 ? InputsOfThree(&run) : InputsOfTwo(&run);
}

}  // namespace squeeze
