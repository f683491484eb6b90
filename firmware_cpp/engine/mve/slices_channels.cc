#include "engine/mve/slices_channels.h"

#include <arm_mve.h>

#include "engine/mve/slices.h"

namespace squeeze {
namespace {

// For 2, 4, 6 and 7 pixels.
constexpr void (*kMultiply[])(SlicesPass*) = {SqueezeSlicesMultiply2, SqueezeSlicesMultiply4,
                                              SqueezeSlicesMultiply6, SqueezeSlicesMultiply7};
constexpr void (*kReluPairs[])(const SlicesOutput*) = {SqueezeSlicesReluPairs2, SqueezeSlicesReluPairs4,
                                                       SqueezeSlicesReluPairs6, SqueezeSlicesReluPairs7};
constexpr void (*kClamp[])(const SlicesOutput*) = {SqueezeSlicesClamp2, SqueezeSlicesClamp4,
                                                   SqueezeSlicesClamp6, SqueezeSlicesClamp7};

// Channels of a block, at most `most`: as equal as can be.
uint32_t BlockChannels(uint32_t channels, uint32_t most) {
  if (most >= channels) return channels;
  const uint32_t quads = channels / kSliceQuad;
  const uint32_t most_quads = most / kSliceQuad;
  const uint32_t blocks = (quads + most_quads - 1) / most_quads;
  return (quads + blocks - 1) / blocks * kSliceQuad;
}

bool AllShiftRight(const int8_t* shifts, uint32_t channels) {
  int8_t most = -128;
  for (uint32_t i = 0; i < channels; i += 16) {
    const mve_pred16_t p = vctp8q(channels - i);
    most = vmaxvq_p_s8(most, vldrbq_z_s8(shifts + i, p), p);
  }
  return most < 0;
}

}  // namespace

SlicesChannels::SlicesChannels(const ConvRows& c, uint32_t runs, uint32_t run_slices, uint8_t* accumulators,
                               uint32_t accumulators_bytes)
    : c_(c), channels_((c.out_channels + kSliceQuad - 1) / kSliceQuad * kSliceQuad), runs_(runs) {
  block_ = BlockChannels(channels_, accumulators_bytes / (kSlicePixels * sizeof(int32_t)));
  fast_channels_ = AllShiftRight(c.shifts, c.out_channels) ? c.out_channels / kSliceQuad * kSliceQuad : 0;
  relu_ = c.out_zero_point == -128 && c.act_min == -128 && c.act_max == 127 &&
          c.out_pixel_stride + channels_ < 0x10000;
  pass_.accumulators = reinterpret_cast<int32_t*>(accumulators);
  pass_.run_slices = run_slices;
  output_.accumulators = pass_.accumulators;
  output_.zero_point = c.out_zero_point;
  output_.low = c.act_min;
  output_.high = c.act_max;
  output_.stride = c.out_pixel_stride;
  Block(0);
}

uint32_t SlicesChannels::Compute(SlicesGroup* group) {
  const uint32_t pixels = group->Fill(runs_);
  pass_.taps = group->taps;
  pass_.end = group->taps + runs_;
  output_.out = group->out;
  uint32_t* out = group->out;
  const uint32_t stride = output_.stride;
  const auto pair = [=](uint32_t i) { return out[i] + stride == out[i + 1]; };
  const bool pairs = relu_ && pair(0) && (pixels < 4 || pair(2)) && (pixels < 6 || pair(4));
  const uint32_t function = (pixels - 1) / 2;
  const auto multiply = kMultiply[function];
  const auto requantize = pairs ? kReluPairs[function] : kClamp[function];
  const uint32_t channels = channels_;
  const uint32_t block = block_;
  const bool rest = fast_channels_ < channels;
  uint32_t o = 0;
  for (;;) {
    multiply(&pass_);
    if (output_.quads > 0) requantize(&output_);
    if (rest) RequantizeRest(o, pixels);
    if (o + block >= channels) break;
    o += block;
    Block(o);
    const uint32x4_t first = vaddq_n_u32(vld1q_u32(out), block);
    const uint32x4_t last = vaddq_n_u32(vld1q_u32(out + kSlicePixels - 4), block);
    vst1q_u32(out, first);
    vst1q_u32(out + kSlicePixels - 4, last);
  }
  if (o > 0) Block(0);
  return pixels;
}

void SlicesChannels::Block(uint32_t o) {
  const uint32_t channels = channels_ - o < block_ ? channels_ - o : block_;
  pass_.quads = channels / kSliceQuad;
  pass_.weights = c_.weights + o * kSliceBytes;
  pass_.skip = (channels_ - channels) * kSliceBytes;
  output_.bias = c_.bias + o;
  output_.multipliers = c_.multipliers + o;
  output_.shifts = c_.shifts + o;
  const uint32_t fast = fast_channels_ > o ? fast_channels_ - o : 0;
  output_.quads = (fast < channels ? fast : channels) / kSliceQuad;
}

// Those channels of the block that the fast functions leave.
__attribute__((noinline)) void SlicesChannels::RequantizeRest(uint32_t o, uint32_t pixels) const {
  const uint32_t rest = c_.out_channels - o;
  RequantizeSlices(output_, output_.quads * kSliceQuad, rest < block_ ? rest : block_, pixels);
}

}  // namespace squeeze
