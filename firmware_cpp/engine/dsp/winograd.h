// Winograd's F(2, 3) down the columns and F(4, 3) along the rows, in integers: a tile of 4 x 6 inputs and the
// 3 x 3 weights, both transformed, are multiplied position by position and summed over the channels (24
// products where the direct way takes 72), then transformed to 2 x 4 outputs.
//
// All is linear modulo 2^32, so the fractions of the usual transforms become factors that are taken out of
// the outputs: 3 with its inverse modulo 2^32, powers of 2 with a shift, exact as long as |acc| < 2^27
// without the bias: at most 910 input channels.
//
// Down (k = 0..3, d the rows of a tile, g of the weights):
//   inputs   d1 + d2, d2 - d1, 2 (d3 - d1), 2 (d0 - d2)        weights  g0 + g1 + g2, g0 - g1 + g2, g2, g0
//   outputs  2 y0 = m0 + m1 + m3,  2 y1 = m0 - m1 + m2
// Along (column 0..5, d and g the columns):
//   inputs   4 d0 - 5 d2 + d4, -4 d1 - 4 d2 + d3 + d4, 4 d1 - 4 d2 - d3 + d4, -2 d1 - d2 + 2 d3 + d4,
//            2 d1 - d2 - 2 d3 + d4, 4 d1 - 5 d3 + d5
//   weights  g0, g0 + g1 + g2, g0 - g1 + g2, g0 + 2 g1 + 4 g2, g0 - 2 g1 + 4 g2, g2
//   outputs  24 y0 = 6 m0 - 4 (m1 + m2) + (m3 + m4),  12 y1 = -2 (m1 - m2) + (m3 - m4),
//             6 y2 = -(m1 + m2) + (m3 + m4),           6 y3 = -(m1 - m2) + 2 (m3 - m4) + 6 m5
// The factors 6 are 2 in the outputs times 3 in the inputs. In magnitude inputs stay within 4 * 30 * 128 =
// 15,360, weights within 3 * 7 * 128 = 2,688: int16.
//
// Channels are padded to CP, a multiple of 4; four of them make words (c0, c2) and (c1, c3).
// Position = 4 * column + k.
//   inputs   [group of 3 or 2 tiles][24 positions][CP / 2][3 or 2 tiles] words
//   weights  [24 positions][CP / 2][2 output channels] words; encoding kWinograd: the same in flash, pair
//            after pair of output channels, the last one of an odd number with zeros
//   accumulators  [group][6 columns][y0 of 3 tiles x 2 channels, y1 of them] words; a group of 2 leaves a gap
#ifndef SQUEEZE_ENGINE_DSP_WINOGRAD_H_
#define SQUEEZE_ENGINE_DSP_WINOGRAD_H_

#include <stdint.h>

#include "engine/conv_shape.h"
#include "engine/dsp/requantize.h"
#include "engine/struct_offset.h"

namespace squeeze {

constexpr uint32_t kWinogradMaxChannels = 910;  // |acc| < 2^27
constexpr uint32_t kWinogradRows = 2;           // of outputs a tile
constexpr uint32_t kWinogradColumns = 4;
constexpr uint32_t kWinogradPositions = 24;          // of a transformed tile
constexpr uint32_t kWinogradGroupAccumulators = 72;  // words of a group

inline bool WinogradSupports(const ConvShape& shape) {
  return shape.kernel_h == 3 && shape.kernel_w == 3 && shape.stride_h == 1 && shape.stride_w == 1 &&
         shape.in_channels <= kWinogradMaxChannels;
}

inline uint32_t WinogradPaddedChannels(uint32_t channels) { return (channels + 3) & ~uint32_t{3}; }

inline uint32_t WinogradTiles(uint32_t out_width, uint32_t out_rows) {
  const uint32_t across = (out_width + kWinogradColumns - 1) / kWinogradColumns;
  return across * ((out_rows + kWinogradRows - 1) / kWinogradRows);
}

// Where a tile's accumulators are and where its pixels go (first channel), in the order in which they are
// stored: last row first, columns 3 to 0. A pixel outside the map goes to the nearest one inside, which is
// stored later. One word for the accumulators and 4 for each row: addresses; on other machines than Arm,
// indices of `accumulators` and of the row.
constexpr uint32_t kWinogradTileWords = 1 + kWinogradColumns * kWinogradRows;

#if defined(__ARM_FEATURE_DSP)
inline uint32_t TileAccumulatorsOf(const int32_t* accumulators, uint32_t index) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(accumulators + index));
}
inline uint32_t TilePixelOf(const int8_t* row, uint32_t index) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(row + index));
}
inline const int32_t* TileAccumulators(uint32_t address, const int32_t*) {
  return reinterpret_cast<const int32_t*>(address);
}
inline int8_t* TilePixel(uint32_t address, int8_t*) { return reinterpret_cast<int8_t*>(address); }
#else
inline uint32_t TileAccumulatorsOf(const int32_t*, uint32_t index) { return index; }
inline uint32_t TilePixelOf(const int8_t*, uint32_t index) { return index; }
inline const int32_t* TileAccumulators(uint32_t index, const int32_t* accumulators) {
  return accumulators + index;
}
inline int8_t* TilePixel(uint32_t index, int8_t* row) { return row + index; }
#endif

// What stands before the transformed inputs, and what comes there:
//   kWinograd (`stored`): where inputs are collected and transformed, then the accumulators of their tiles
//   others: the same for inputs, then the weights of two channels, and one channel as plain bytes
inline uint32_t WinogradSumBytes(uint32_t tiles) {
  return 4 * kWinogradGroupAccumulators * ((tiles + 2) / 3);
}
inline uint32_t WinogradFrontBytes(uint32_t padded_channels, uint32_t tiles, bool stored) {
  if (!stored) return (4 * kWinogradPositions + 12) * padded_channels;
  const uint32_t inputs = 24 * padded_channels + 192;
  return inputs > WinogradSumBytes(tiles) ? inputs : WinogradSumBytes(tiles);
}

// With CP = channels rounded up to a multiple of 4, and n = the tiles made at once, at least 3, or 2 where a
// call has no more:
//   108 CP + 288 ceil(n / 3) + n (48 CP + 36);  kWinograd: max(24 CP + 192, 288 ceil(n / 3)) + n (48 CP + 36)
// All tiles: n = ceil(out_width / 4) * ceil(out_rows / 2).
inline uint32_t WinogradBytes(uint32_t padded_channels, uint32_t tiles, bool stored) {
  const uint32_t tile = 2 * kWinogradPositions * padded_channels + 4 * kWinogradTileWords;
  return WinogradFrontBytes(padded_channels, tiles, stored) + tiles * tile +
         (stored ? 0 : WinogradSumBytes(tiles));
}
inline uint32_t WinogradScratchBytes(const ConvShape& shape, uint32_t tiles, bool stored) {
  return WinogradBytes(WinogradPaddedChannels(shape.in_channels), tiles < 2 ? 2 : tiles, stored);
}
inline uint32_t WinogradLeastScratchBytes(const ConvShape& shape, bool stored) {
  const uint32_t tiles = WinogradTiles(shape.out_width, shape.out_rows);
  return WinogradScratchBytes(shape, tiles < 3 ? tiles : 3, stored);
}

// Of encoding kWinograd.
inline uint64_t WinogradStoredBytes(const ConvShape& shape) {
  return uint64_t{96} * WinogradPaddedChannels(shape.in_channels) * ((shape.out_channels + 1) / 2);
}

// Sums of groups of tiles times two channels: inputs up to `inputs_end` -> accumulators.
struct WinogradRun {
  const uint32_t* weights;
  const uint32_t* weights_end;
  int32_t* accumulators;
  uint32_t steps;  // CP / 2
  const uint32_t* inputs_end;
};
// Offsets in winograd_blocks.cc and winograd_short_blocks.cc.
SQUEEZE_OFFSET(WinogradRun, weights, 0);
SQUEEZE_OFFSET(WinogradRun, weights_end, 4);
SQUEEZE_OFFSET(WinogradRun, accumulators, 8);
SQUEEZE_OFFSET(WinogradRun, steps, 12);
SQUEEZE_OFFSET(WinogradRun, inputs_end, 16);
void WinogradThrees(const uint32_t* inputs, const WinogradRun* run);
void WinogradTwos(const uint32_t* inputs, const WinogradRun* run);
// WinogradThrees for at most 16 steps.
void WinogradShortThrees(const uint32_t* inputs, const WinogradRun* run);

// Weights of one channel, 9 times padded_channels bytes, `pitch` apart, to one half of a pair.
void WinogradWeights(const int8_t* weights, uint32_t pitch, uint32_t padded_channels, uint32_t* to);

// A tile's four input rows of 6 pixels, of padded_channels each, to its words of a group of `tiles`. `work`:
// 48 words.
void WinogradInputs(const int8_t* const* rows, uint32_t padded_channels, uint32_t tiles, uint32_t* to,
                    uint32_t* work);

// One channel of the tiles [tiles, tiles_end), requantized (kRelu or kLinear). On Arm the first nine words
// are where winograd_outputs.cc wants them.
struct WinogradStoreRun {
  const uint32_t* tiles;
  int32_t inverse;  // of 3 modulo 2^32
  int32_t start;    // the constants of requantize.h
  int32_t multiplier;
  int32_t rounding;
  int32_t shift;
  uint32_t sum_offset;  // bytes to this channel's accumulators
  uint32_t o;
  const uint32_t* tiles_end;
  const ConvRows* conv;
  const int32_t* accumulators;
  uint32_t first;  // tile of the call
};
// Offsets in winograd_outputs.cc.
SQUEEZE_OFFSET(WinogradStoreRun, tiles, 0);
SQUEEZE_OFFSET(WinogradStoreRun, inverse, 4);
SQUEEZE_OFFSET(WinogradStoreRun, start, 8);
SQUEEZE_OFFSET(WinogradStoreRun, multiplier, 12);
SQUEEZE_OFFSET(WinogradStoreRun, rounding, 16);
SQUEEZE_OFFSET(WinogradStoreRun, shift, 20);
SQUEEZE_OFFSET(WinogradStoreRun, sum_offset, 24);
SQUEEZE_OFFSET(WinogradStoreRun, o, 28);
SQUEEZE_OFFSET(WinogradStoreRun, tiles_end, 32);
using WinogradStorer = void (*)(const WinogradStoreRun*);
WinogradStorer WinogradStorerOf(Rounding rounding);

WinogradStoreRun WinogradStoreRunOf(const ConvRows& conv, const uint32_t* tiles, uint32_t first,
                                    uint32_t count, const int32_t* accumulators);

// Sums of tiles times channels `o` and `o` + 1 -> requantized outputs. `run`: of WinogradStoreRunOf, to be
// filled in.
void WinogradStore(WinogradStoreRun* run, const PairScale& scale, uint32_t o);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_WINOGRAD_H_
