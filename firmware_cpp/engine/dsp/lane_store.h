// From accumulators in two lanes of a 64-bit word to int8 outputs.
//
// Pixels are packed as low + high * 2^23, weights are multiplied by 2^9: sums of products then have the high
// lane's sum in the top word as it is, and the low lane's above bit 9 of the bottom word, which starts at
// 2^31 to stay positive. So each lane takes one instruction, an ADD with a shift, to become twice the
// accumulator.
#ifndef SQUEEZE_ENGINE_DSP_LANE_STORE_H_
#define SQUEEZE_ENGINE_DSP_LANE_STORE_H_

#include <stdint.h>

#include "engine/dsp/requantize.h"
#include "engine/kernels.h"
#include "engine/struct_offset.h"

namespace squeeze {

constexpr int32_t kLaneBits = 23;
constexpr int32_t kLaneUnit = 1 << (32 - kLaneBits);
constexpr uint32_t kLaneStart = 0x80000000u;

// Or, `wide`, the accumulators of the two lanes as they are.
struct LaneAccumulator {
  uint32_t bottom;
  uint32_t top;
};
// Offsets in lane_store.cc and sparse_list_accumulate.cc.
SQUEEZE_OFFSET(LaneAccumulator, bottom, 0);
SQUEEZE_OFFSET(LaneAccumulator, top, 4);
SQUEEZE_STRIDE(LaneAccumulator, 8);

// How a channel's accumulators become outputs. The words are in the order in which the assembler loads them.
struct LaneScale {
  int32_t multiplier;
  int32_t rounding;  // R of requantize.h
  int32_t shift;     // to the right; kExact: as in the model
  uint32_t stride;   // out_pixel_stride
  int32_t start[2];  // low lane: twice the bias, less twice the 2^22 that the lane started with; high lane:
                     // twice the bias. kExact: without "twice"
  Rounding kind;
  bool wide;
};
// Offsets in lane_store.cc.
SQUEEZE_OFFSET(LaneScale, multiplier, 0);
SQUEEZE_OFFSET(LaneScale, rounding, 4);
SQUEEZE_OFFSET(LaneScale, shift, 8);
SQUEEZE_OFFSET(LaneScale, stride, 12);
SQUEEZE_OFFSET(LaneScale, start, 16);

// Of output channel o. `wide`: kind of its LaneAccumulators.
LaneScale MakeLaneScale(const ConvRows& conv, uint32_t o, bool wide);

enum class Lane : uint8_t { kLow = 0, kHigh = 1 };

// One lane of `count` accumulators to out[i * conv.out_pixel_stride]. 7 instructions an output (kLinear: 9).
void StoreLanes(const ConvRows& conv, const LaneScale& scale, Lane lane, const LaneAccumulator* accumulators,
                uint32_t count, int8_t* out);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_LANE_STORE_H_
