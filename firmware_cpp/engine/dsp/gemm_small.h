// ConvGemmRows for few taps (4 to 64) and a fused ReLU: what an output costs besides its products matters
// more than these, so accumulators never reach memory (gemm_small_blocks.cc), and a pair of channels takes
// little to start.
//
// As gemm.h, but: weights are 256 times as large (the high byte of a half: no sign to extend) and so are the
// accumulators, inputs are plain, and behind each group stand the addresses of its output pixels:
//   inputs  [group]([KP / 2][3 or 2 pixels] words, [3 or 2 pixels] addresses)        2 KP + 4 bytes a pixel
//
// TFLite's two roundings of a positive acc * m (requantize.h) are one floor: with s the shift to the right,
// at least 1, and -128 the zero point,
//   floor((2 acc m + 2^31 + 2^(31 + s) - 2^(39 + s)) / 2^(32 + s)), and with 128 times both,
//   floor((256 acc m + R 2^32) / 2^(39 + s)),   R = 2^6 + 2^(6 + s) - 2^(14 + s) = 64 - 255 * 2^(6 + s):
// SMMLA(256 acc, m, R), ASR 7 + s, SSAT. What is below zero ends at -128 however it is rounded.
//
// |acc| <= 2^14 * 64 + |bias| < 2^23 with |bias| below 2^22, and s from 1 to 16, so that R > -2^30.
#ifndef SQUEEZE_ENGINE_DSP_GEMM_SMALL_H_
#define SQUEEZE_ENGINE_DSP_GEMM_SMALL_H_

#include <stdint.h>

#include "engine/kernels.h"
#include "engine/struct_offset.h"

namespace squeeze {

constexpr uint32_t kGemmSmallMaxTaps = 64;

inline uint32_t GemmSmallPixelBytes(uint32_t padded_taps) { return 2 * padded_taps + 4; }

// Whether GemmSmallRows is exact for all channels: an even number of them with usual biases and shifts.
bool GemmSmallFits(const ConvRows& conv, uint32_t taps);
void GemmSmallRows(const ConvRows& conv, uint32_t taps);

// Two channels times all groups. On Arm the fields are where gemm_small_blocks.cc wants them.
struct GemmSmallRun {
  int32_t scale[6];  // of the pair that is being made: multiplier, R, 7 + s of each channel
  uint32_t* weights;
  int32_t start[6];  // 256 times its biases, three times
  uint32_t entry_of_threes;
  const uint32_t* threes_end;
  uint32_t o;
  const uint32_t* inputs_end;
  uint32_t entry_of_twos;
  const int32_t* bias;  // of the next pair; so the next two
  const int32_t* multipliers;
  const int8_t* shifts;
  const int8_t* first;  // `words` times 4 weights of each channel, to be widened
  const int8_t* second;
  uint32_t words;
  uint32_t rest_of_threes;  // of over 16 steps, where those enter that are not the last 16
  uint32_t rest_of_twos;
  const ConvRows* conv;
};
// Offsets in gemm_small_blocks.cc.
SQUEEZE_OFFSET(GemmSmallRun, scale, 0);
SQUEEZE_OFFSET(GemmSmallRun, weights, 24);
SQUEEZE_OFFSET(GemmSmallRun, start, 28);
SQUEEZE_OFFSET(GemmSmallRun, entry_of_threes, 52);
SQUEEZE_OFFSET(GemmSmallRun, threes_end, 56);
SQUEEZE_OFFSET(GemmSmallRun, o, 60);
SQUEEZE_OFFSET(GemmSmallRun, inputs_end, 64);
SQUEEZE_OFFSET(GemmSmallRun, entry_of_twos, 68);
SQUEEZE_OFFSET(GemmSmallRun, bias, 72);
SQUEEZE_OFFSET(GemmSmallRun, multipliers, 76);
SQUEEZE_OFFSET(GemmSmallRun, shifts, 80);
SQUEEZE_OFFSET(GemmSmallRun, first, 84);
SQUEEZE_OFFSET(GemmSmallRun, second, 88);
SQUEEZE_OFFSET(GemmSmallRun, words, 92);
SQUEEZE_OFFSET(GemmSmallRun, rest_of_threes, 96);
SQUEEZE_OFFSET(GemmSmallRun, rest_of_twos, 100);

// Makes two channels of all outputs, and moves on to the next two biases, multipliers and shifts. With null
// `inputs`: only makes the entries of `run`, for `steps` = KP / 2.
void GemmSmallPair(const uint32_t* inputs, GemmSmallRun* run, uint32_t steps);

// Four weights of each of two channels to 256 times as much.
inline void GemmSmallWiden(uint32_t* to, uint32_t first, uint32_t second) {
  to[0] = (first << 8) & 0xFF00FF00u;
  to[1] = (second << 8) & 0xFF00FF00u;
  to[2] = first & 0xFF00FF00u;
  to[3] = second & 0xFF00FF00u;
}

// What stands for output pixel `x` of row `y` behind a group: its address; elsewhere than on Arm, its number.
#if defined(__ARM_FEATURE_DSP)
inline uint32_t GemmSmallPixel(const ConvRows& conv, uint32_t x, uint32_t y) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(conv.out[y] + x * conv.out_pixel_stride));
}
#else
inline uint32_t GemmSmallPixel(const ConvRows& conv, uint32_t x, uint32_t y) {
  return y * conv.out_width + x;
}
#endif

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_GEMM_SMALL_H_
