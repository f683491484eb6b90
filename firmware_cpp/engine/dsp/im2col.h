// int8 taps to the words of gemm.h: of 4 taps k0..k3 of each of N pixels (or channels), the N words (k0, k2),
// then the N words (k1, k3).
#ifndef SQUEEZE_ENGINE_DSP_IM2COL_H_
#define SQUEEZE_ENGINE_DSP_IM2COL_H_

#include <stdint.h>

#include "engine/dsp/gemm.h"
#include "engine/kernels.h"

namespace squeeze {

// `words` words of 4 taps from each of `count` (3 or 2) sources, all of them word-aligned. Returns the end of
// `to`. 0.8 instructions a byte, `doubled` values 1.3.
uint32_t* Interleave(uint32_t* to, const int8_t* const* from, uint32_t count, uint32_t words, bool doubled);

// Plain values of `groups` times three pixels of `words` words each that stand one after the other; `gap`
// words stay free behind each group.
uint32_t* InterleaveThrees(uint32_t* to, const int8_t* from, uint32_t words, uint32_t groups, uint32_t gap);

struct Im2ColGroups {
  GemmGroups groups;
  uint32_t padded_taps;
  bool doubled;
  bool gaps;  // leave a word for each pixel behind each group
};

// Output pixels [begin, end) of the call, counted row after row, to gemm.h's groups: threes, then twos (a
// single pixel makes a group of two with itself). `line`: word-aligned, 3 KP bytes.
void Im2Col(const ConvRows& conv, uint32_t begin, uint32_t end, const Im2ColGroups& layout, int8_t* line,
            uint32_t* to);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_IM2COL_H_
