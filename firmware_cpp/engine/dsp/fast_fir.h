// The two-parallel fast FIR algorithm in both directions for 3 x 3 convolutions of stride 2: a tile of 5 x 5
// inputs gives 2 x 2 outputs with 25 products a channel where the direct way takes 36. All of it is additions
// and subtractions of integers, so it is exact modulo 2^32. Sources and proof: docs/kernels/fast_fir.md.
//
// In one direction, with inputs x0..x4 and weights g0 g1 g2, both outputs are sums of three parts:
//   p0 = g0 (x0 - x2) + g1 (x1 - x3)      p1 = (g0 + g2) x2 + g1 x3      p2 = g2 (x4 - x2)
//   y0 = p0 + p1                          y1 = p1 + p2
// The five products are the taps 0..4, those of p1 first:
//   inputs   x2, x3, x0 - x2, x1 - x3, x4 - x2          weights  g0 + g2, g1, g0, g1, g2
// Down and along together: tap (r, c), r of the rows and c of the columns. Inputs stay within 4 * 128,
// weights within 2 * 4 * 128 (they are stored doubled, as SMMLAR wants the accumulators): int16.
//
// The columns' part p1 comes first: its taps in the order of r, c = 0 and 1 each. Then p0: c = 2 and 3 each.
// Then p2: c = 4. Channels are padded to CP, a multiple of 4; four of them make words (c0, c2) and (c1, c3).
//   inputs   [group of 3 or 2 tiles][25 taps][CP / 2][3 or 2 tiles] words
//   weights  [25 taps][CP / 2][2 output channels] words, pair after pair of output channels in flash
//            (encoding kFastFir), the last one of an odd number with zeros
//   sums     [group][column's part p1, p0, p2][y0 of 3 tiles x 2 channels, y1 of them] words; a group of 2
//            leaves a gap. What is added down the columns is added by accumulating on.
#ifndef SQUEEZE_ENGINE_DSP_FAST_FIR_H_
#define SQUEEZE_ENGINE_DSP_FAST_FIR_H_

#include <stdint.h>

#include "engine/conv_shape.h"
#include "engine/dsp/requantize.h"
#include "engine/struct_offset.h"

namespace squeeze {

constexpr uint32_t kFastFirSide = 5;           // of a tile's inputs
constexpr uint32_t kFastFirTaps = 25;          // products of a tile and channel
constexpr uint32_t kFastFirGroupSums = 36;     // words of a group
constexpr uint32_t kFastFirTileWords = 5;      // of the table of tiles
constexpr uint32_t kFastFirLeastChannels = 8;  // fewer do not pay

inline bool FastFirSupports(const ConvShape& shape) {
  return shape.kernel_h == 3 && shape.kernel_w == 3 && shape.stride_h == 2 && shape.stride_w == 2 &&
         shape.in_channels >= kFastFirLeastChannels;
}

inline uint32_t FastFirPaddedChannels(uint32_t channels) { return (channels + 3) & ~uint32_t{3}; }

// Words of a pair of output channels' weights.
inline uint32_t FastFirPairWords(uint32_t padded_channels) { return kFastFirTaps * padded_channels; }

inline uint64_t FastFirStoredBytes(const ConvShape& shape) {
  const uint32_t pair = 4 * FastFirPairWords(FastFirPaddedChannels(shape.in_channels));
  return uint64_t{(shape.out_channels + 1) / 2} * pair;
}

inline uint32_t FastFirTiles(uint32_t out_width, uint32_t out_rows) {
  return ((out_width + 1) / 2) * ((out_rows + 1) / 2);
}

// What stands before the transformed inputs: where a tile's inputs are collected, and later the sums.
inline uint32_t FastFirFrontBytes(uint32_t padded_channels, uint32_t tiles) {
  const uint32_t inputs = kFastFirTaps * padded_channels;
  const uint32_t sums = 4 * kFastFirGroupSums * ((tiles + 2) / 3);
  return inputs > sums ? inputs : sums;
}

// With CP = channels rounded up to a multiple of 4, and n = the tiles made at once, at least 3, or 2 where a
// call has no more:
//   max(25 CP, 144 ceil(n / 3)) + n (50 CP + 20)
// All tiles: n = ceil(out_width / 2) * ceil(out_rows / 2).
inline uint32_t FastFirBytes(uint32_t padded_channels, uint32_t tiles) {
  const uint32_t tile = 2 * kFastFirTaps * padded_channels + 4 * kFastFirTileWords;
  return FastFirFrontBytes(padded_channels, tiles) + tiles * tile;
}
inline uint32_t FastFirScratchBytes(const ConvShape& shape, uint32_t tiles) {
  return FastFirBytes(FastFirPaddedChannels(shape.in_channels), tiles < 2 ? 2 : tiles);
}
inline uint32_t FastFirLeastScratchBytes(const ConvShape& shape) {
  const uint32_t tiles = FastFirTiles(shape.out_width, shape.out_rows);
  return FastFirScratchBytes(shape, tiles < 3 ? tiles : 3);
}

// A row's 5 pixels from column `left` on, with their padding (null: padding alone), to `to`, which it
// returns.
const int8_t* FastFirCollect(const ConvRows& conv, const int8_t* row, int32_t left, int8_t* to);

// The inputs of one tile of a group of `tiles`, at that tile's first word. rows: 5 of them, of 5 pixels.
void FastFirInputs(const int8_t* const* rows, uint32_t padded_channels, uint32_t tiles, uint32_t* to);

// Groups of tiles times two channels.
struct FastFirRun {
  int32_t start[2];  // of each channel's accumulators
  const uint32_t* weights;
  uint32_t steps;  // of a tap: CP / 2
  int32_t* sums;
  const uint32_t* inputs_end;
};
// Offsets in fast_fir_blocks.cc.
SQUEEZE_OFFSET(FastFirRun, start, 0);
SQUEEZE_OFFSET(FastFirRun, weights, 8);
SQUEEZE_OFFSET(FastFirRun, steps, 12);
SQUEEZE_OFFSET(FastFirRun, sums, 16);
SQUEEZE_OFFSET(FastFirRun, inputs_end, 20);
void FastFirThrees(const uint32_t* inputs, const FastFirRun* run);
void FastFirTwos(const uint32_t* inputs, const FastFirRun* run);

// The table of tiles: of each one the bytes to its sums, then of its four outputs the bytes from
// conv.out[0]: row 1, then row 0, column 1 before 0 in each. An output outside the map goes to the nearest
// one inside, which is stored later.
//
// Sums of `tiles` times channels `o` and `o` + 1 -> requantized outputs.
void FastFirStore(const ConvRows& conv, const PairScale& scale, uint32_t o, const int32_t* table,
                  uint32_t tiles, const int32_t* sums);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_FAST_FIR_H_
