// From the accumulators of ConvSlicesRows to int8.
#ifndef SQUEEZE_ENGINE_MVE_SLICES_REQUANTIZE_H_
#define SQUEEZE_ENGINE_MVE_SLICES_REQUANTIZE_H_

#include <stdint.h>

#include "engine/struct_offset.h"

namespace squeeze {

// Sums [channel][pixel] of `quads` times 4 channels. The pointers are those of the first channel.
struct SlicesOutput {
  const int32_t* accumulators;
  const int8_t* shifts;
  const int32_t* bias;
  const int32_t* multipliers;
  uint32_t quads;  // at least 1
  int32_t zero_point;
  int32_t low;  // of the activation
  int32_t high;
  uint32_t stride;  // bytes from pixel 0 to pixel 1, from 2 to 3 and from 4 to 5, for the ...Pairs functions
  const uint32_t* out;  // [pixel]: addresses
};
// Offsets in slices_requantize.cc.
SQUEEZE_OFFSET(SlicesOutput, accumulators, 0);
SQUEEZE_OFFSET(SlicesOutput, shifts, 4);
SQUEEZE_OFFSET(SlicesOutput, bias, 8);
SQUEEZE_OFFSET(SlicesOutput, multipliers, 12);
SQUEEZE_OFFSET(SlicesOutput, quads, 16);
SQUEEZE_OFFSET(SlicesOutput, zero_point, 20);
SQUEEZE_OFFSET(SlicesOutput, low, 24);
SQUEEZE_OFFSET(SlicesOutput, high, 28);
SQUEEZE_OFFSET(SlicesOutput, stride, 32);
SQUEEZE_OFFSET(SlicesOutput, out, 36);

// For shifts from -31 to -1; 2, 4, 6 or 7 pixels.
// ReluPairs: zero_point = low = -128, high = 127, and stride + 4 * quads below 2^16.
extern "C" void SqueezeSlicesReluPairs2(const SlicesOutput* output);
extern "C" void SqueezeSlicesReluPairs4(const SlicesOutput* output);
extern "C" void SqueezeSlicesReluPairs6(const SlicesOutput* output);
extern "C" void SqueezeSlicesReluPairs7(const SlicesOutput* output);
extern "C" void SqueezeSlicesClamp2(const SlicesOutput* output);
extern "C" void SqueezeSlicesClamp4(const SlicesOutput* output);
extern "C" void SqueezeSlicesClamp6(const SlicesOutput* output);
extern "C" void SqueezeSlicesClamp7(const SlicesOutput* output);

// Channels [first, end), for any shifts; `pixels` is 2, 4, 6 or 7.
void RequantizeSlices(const SlicesOutput& output, uint32_t first, uint32_t end, uint32_t pixels);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_MVE_SLICES_REQUANTIZE_H_
