// What ConvSlicesRows does with a group of pixels: all output channels, by blocks.
#ifndef SQUEEZE_ENGINE_MVE_SLICES_CHANNELS_H_
#define SQUEEZE_ENGINE_MVE_SLICES_CHANNELS_H_

#include <stdint.h>

#include "engine/kernels.h"
#include "engine/mve/slices_group.h"
#include "engine/mve/slices_multiply.h"
#include "engine/mve/slices_requantize.h"

namespace squeeze {

class SlicesChannels {
 public:
  // K is `runs` runs of `run_slices` slices. `accumulators`: `accumulators_bytes`, for at least 4 channels.
  SlicesChannels(const ConvRows& conv, uint32_t runs, uint32_t run_slices, uint8_t* accumulators,
                 uint32_t accumulators_bytes);

  // Computes the group's pixels; returns how many, those done again included. Its places have moved on then.
  uint32_t Compute(SlicesGroup* group);

 private:
  // Turns to the block that starts at channel o.
  void Block(uint32_t o);
  void RequantizeRest(uint32_t o, uint32_t pixels) const;

  const ConvRows& c_;
  const uint32_t channels_;  // padded
  const uint32_t runs_;
  uint32_t block_;          // channels of a block
  uint32_t fast_channels_;  // that need no general requantization
  bool relu_;
  SlicesOutput output_;
  SlicesPass pass_;
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_MVE_SLICES_CHANNELS_H_
