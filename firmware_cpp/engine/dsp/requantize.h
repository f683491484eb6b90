// Accumulators of two output channels to int8, as TFLite rounds them (fixed_point.h), in three ways:
//
//   kRelu   zero point and act_min -128, act_max 127 (a fused ReLU's): SMMLAR, ASR, SSAT.
//           SMMLAR(2 acc, m, R) = ((2 acc m + 2^31) >> 32) + R is DoublingHighMul + R, and
//           R = 2^(s-1) + zero_point * 2^s rounds, so that ASR s leaves rescaled + zero point. Halves of
//           negative numbers go the other way than TFLite's, but what is below zero ends at the zero point
//           all the same.
//   kLinear no clamp but int8's: two more instructions, which take 1 from negative numbers first.
//   kExact  everything else (left shifts, odd clamps, hostile biases): fixed_point.h itself.
//
// The first two need |2 acc| < 2^31 (the bias is checked against the number of taps), and shifts of 0
// (kLinear: 1) to 22, that R and the sum fit 32 bits: |DoublingHighMul| <= |acc| < 2^30, |R| <= 2^29 + 2^21.
#ifndef SQUEEZE_ENGINE_DSP_REQUANTIZE_H_
#define SQUEEZE_ENGINE_DSP_REQUANTIZE_H_

#include <stdint.h>

#include "engine/kernels.h"

namespace squeeze {

enum class Rounding : uint8_t { kRelu, kLinear, kExact };

// The words are in the order in which the assembler loads them.
struct PairScale {
  int32_t multiplier0;
  int32_t rounding0;  // R
  int32_t shift0;     // to the right
  int32_t multiplier1;
  int32_t rounding1;
  int32_t shift1;
  int32_t start0;  // of the doubled accumulators: twice the bias; kExact: 0, the bias is added later
  int32_t start1;
  Rounding rounding;
};

// Makes them: what all channels share is worked out once. `taps`: weights of a channel, at most 65,535.
class PairScales {
 public:
  PairScales(const ConvRows& conv, uint32_t taps);

  // Channels `o` and `o` + 1, or, past the last one, `o` twice.
  PairScale At(uint32_t o) const;

 private:
  const ConvRows& conv_;
  Rounding rounding_;  // of channels with usual biases and shifts
  int32_t bias_limit_;
  int32_t least_shift_;
};

// Whether all channels have |bias| < `bias_limit`, a power of two, and shifts of 1 to 16 to the right.
bool UsualScales(const ConvRows& conv, uint32_t bias_limit);

// acc: [pixels][2] doubled accumulators -> out[pixel * out_pixel_stride] and the byte after it; of the last
// of an odd number of channels only the first.  4.75 instructions a value (kLinear 6.75).
void StorePair(const ConvRows& conv, const PairScale& scale, uint32_t o, const int32_t* acc, int8_t* out,
               uint32_t pixels);

}  // namespace squeeze

// A sum in register `v` to an int8, by Rounding::kRelu or kLinear: registers of multiplier, R and shift.
// clang-format off
#define SQUEEZE_RELU(v, m, r, s)                                                             \
  "smmlar " v ", " v ", " m ", " r "\n asr.w " v ", " v ", " s "\n ssat " v ", #8, " v "\n"
#define SQUEEZE_LINEAR(v, m, r, s)       \
  "smmulr " v ", " v ", " m "\n"         \
  "add.w " v ", " v ", " v ", asr #31\n" \
  "add.w " v ", " v ", " r "\n"          \
  "asr.w " v ", " v ", " s "\n"          \
  "ssat " v ", #8, " v "\n"
// clang-format on

#endif  // SQUEEZE_ENGINE_DSP_REQUANTIZE_H_
