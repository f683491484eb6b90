// ADD, four values a word. The input of the larger scale has the multiplier 2^30 and no shift, so rescaling
// it is a shift to the left by 19; the other one's multiplier is m, its shift to the right s:
//   u = (a - a_zero) * 2^19,   v = RoundingShiftRight(DoublingHighMul((b - b_zero) * 2^20, m), s)
// Bytes are raised by 128, and one AND with a shifted operand takes a byte out and raises it by 20 bits. What
// that adds to u is taken off where v is rounded: (y + half - (c << s)) >> s = v - c.
#ifndef SQUEEZE_ENGINE_DSP_ADD_WORDS_H_
#define SQUEEZE_ENGINE_DSP_ADD_WORDS_H_

#include <stdint.h>

#include "engine/kernels.h"
#include "engine/struct_offset.h"

namespace squeeze {

// Offsets in add_words.cc.
struct AddWordsRun {
  const int8_t* a;  // of the larger scale
  const int8_t* b;
  uint32_t zero;       // of b, raised by 128 and 20 bits; plain: not used
  int32_t multiplier;  // of b; but for plain twice it less 2^32, for SMMLAR adds its own operand
  int32_t half;        // what b's rounding adds, less c << s
  int32_t shift;
  int32_t out_multiplier;
  int32_t out_rounding;  // half, and the zero point
  int32_t out_shift;
  int8_t* out;
  int8_t* end;
};
SQUEEZE_OFFSET(AddWordsRun, a, 0);
SQUEEZE_OFFSET(AddWordsRun, b, 4);
SQUEEZE_OFFSET(AddWordsRun, zero, 8);
SQUEEZE_OFFSET(AddWordsRun, multiplier, 12);
SQUEEZE_OFFSET(AddWordsRun, half, 16);
SQUEEZE_OFFSET(AddWordsRun, shift, 20);
SQUEEZE_OFFSET(AddWordsRun, out_multiplier, 24);
SQUEEZE_OFFSET(AddWordsRun, out_rounding, 28);
SQUEEZE_OFFSET(AddWordsRun, out_shift, 32);
SQUEEZE_OFFSET(AddWordsRun, out, 36);
SQUEEZE_OFFSET(AddWordsRun, end, 40);

// Adds the words of [out, end), at least one.
using AddWords = void (*)(const AddWordsRun*);

// The function for this row, with all of `run` but its pointers; null where none is exact. `*swapped`: a is
// the second input.
AddWords AddWordsOf(const AddRow& add, AddWordsRun* run, bool* swapped);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_ADD_WORDS_H_
