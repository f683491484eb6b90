// The inner loop of ConvSlicesRows.
#ifndef SQUEEZE_ENGINE_MVE_SLICES_MULTIPLY_H_
#define SQUEEZE_ENGINE_MVE_SLICES_MULTIPLY_H_

#include <stdint.h>

#include "engine/struct_offset.h"

namespace squeeze {

// Products of a group of pixels with a block of output channels. K is made of runs of `run_slices` slices; in
// each a pixel's taps lie side by side.
struct SlicesPass {
  uint32_t next[7];           // the kernel's own: addresses of the pixels' next slices
  uint32_t quads;             // channels of the block / 4, at least 1
  int32_t* accumulators;      // [channel][pixel]
  const uint8_t* weights;     // of the first slice, from the block's first channel on
  uint32_t skip;              // bytes from the end of the block in a slice to its start in the next one
  uint32_t run_slices;        // at least 1
  const uint32_t (*taps)[7];  // [run][pixel]: addresses; at least 1 run
  const uint32_t (*run)[7];   // the kernel's own: the current one
  const uint32_t (*end)[7];   // of the runs
};
// Offsets in slices_multiply.cc, which also has rows of taps every 28 bytes.
SQUEEZE_OFFSET(SlicesPass, next, 0);
SQUEEZE_OFFSET(SlicesPass, quads, 28);
SQUEEZE_OFFSET(SlicesPass, accumulators, 32);
SQUEEZE_OFFSET(SlicesPass, weights, 36);
SQUEEZE_OFFSET(SlicesPass, skip, 40);
SQUEEZE_OFFSET(SlicesPass, run_slices, 44);
SQUEEZE_OFFSET(SlicesPass, taps, 48);
SQUEEZE_OFFSET(SlicesPass, run, 52);
SQUEEZE_OFFSET(SlicesPass, end, 56);
static_assert(sizeof(*SlicesPass::run) == 28, "assembler has rows of taps every 28 bytes");

// accumulators[channel][pixel] = sum over K of taps * weights, for the first 2, 4, 6 or 7 pixels of each run.
extern "C" void SqueezeSlicesMultiply2(SlicesPass* pass);
extern "C" void SqueezeSlicesMultiply4(SlicesPass* pass);
extern "C" void SqueezeSlicesMultiply6(SlicesPass* pass);
extern "C" void SqueezeSlicesMultiply7(SlicesPass* pass);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_MVE_SLICES_MULTIPLY_H_
