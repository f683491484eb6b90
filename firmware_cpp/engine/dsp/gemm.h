// What ConvGemmRows keeps in its scratch, and the inner loop over it.
//
// K taps of an output pixel (HWI order) are padded to KP, a multiple of 4, and widened to int16. Four
// consecutive taps k0..k3 make two words (k0, k2) and (k1, k3), as SXTB16 delivers them; weights are in the
// same order, so nothing is ever shuffled. Pixels stand in groups of three or two, channels in pairs:
//   inputs   [group][KP / 2][3 or 2 pixels] words
//   weights  [KP / 2][2 channels] words
//   accumulators  [pixel][2 channels] words: twice the int32 ones, as SMMLAR wants them
// Inputs or weights are doubled for that, whichever are fewer.
#ifndef SQUEEZE_ENGINE_DSP_GEMM_H_
#define SQUEEZE_ENGINE_DSP_GEMM_H_

#include <stdint.h>

#include "engine/conv_shape.h"
#include "engine/struct_offset.h"

namespace squeeze {

inline uint32_t GemmPaddedTaps(uint32_t taps) { return (taps + 3) & ~uint32_t{3}; }
inline uint32_t GemmWeightBytes(uint32_t padded_taps) { return 4 * padded_taps; }
inline uint32_t GemmPixelBytes(uint32_t padded_taps) { return 2 * padded_taps + 8; }

// With KP = taps rounded up to a multiple of 4, and n = the pixels made at once, at least 3:
//   4 KP + n (2 KP + 8)
// All pixels: n = out_width * out_rows.
inline uint32_t GemmScratchBytes(const ConvShape& shape, uint32_t pixels) {
  const uint32_t padded = GemmPaddedTaps(shape.Taps());
  return GemmWeightBytes(padded) + (pixels > 3 ? pixels : 3) * GemmPixelBytes(padded);
}
inline uint32_t GemmScratchBytes(const ConvShape& shape) { return GemmScratchBytes(shape, 3); }

// `groups` groups of pixels times two channels.
struct GemmRun {
  int32_t start[2];  // of each channel's accumulators
  const uint32_t* weights;
  uint32_t steps;  // words of a pixel: KP / 2, at least 1
  int32_t* accumulators;
  const uint32_t* inputs_end;
};
// Offsets in gemm_blocks.cc.
SQUEEZE_OFFSET(GemmRun, start, 0);
SQUEEZE_OFFSET(GemmRun, weights, 8);
SQUEEZE_OFFSET(GemmRun, steps, 12);
SQUEEZE_OFFSET(GemmRun, accumulators, 16);
SQUEEZE_OFFSET(GemmRun, inputs_end, 20);
void GemmThrees(const uint32_t* inputs, const GemmRun* run);
void GemmTwos(const uint32_t* inputs, const GemmRun* run);

// The groups of a chunk of pixels: threes, and as many twos as it takes (no third of a group is wasted).
struct GemmGroups {
  uint32_t threes, twos;
};
inline GemmGroups GemmGroupsOf(uint32_t pixels) {
  if (pixels < 3) return {0, 1};
  const uint32_t twos = (3 - pixels % 3) % 3;
  return {(pixels - 2 * twos) / 3, twos};
}

// How many of `pixels` to make at once where `fitting`, at least 3, fit: all, or chunks of about the same
// size, of whole groups of three.
inline uint32_t GemmChunk(uint32_t pixels, uint32_t fitting) {
  if (fitting >= pixels) return pixels;
  const uint32_t chunks = (pixels + fitting - 1) / fitting;
  const uint32_t chunk = ((pixels + chunks - 1) / chunks + 2) / 3 * 3;
  return chunk > fitting ? fitting / 3 * 3 : chunk;
}

// A sparse channel, times `factor`, to its halves of the words of a pair. Returns the next channel's stream.
const uint8_t* DecodeGemmSparse(const uint8_t* stream, uint32_t taps, int factor, uint32_t channel,
                                uint32_t* weights);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_GEMM_H_
