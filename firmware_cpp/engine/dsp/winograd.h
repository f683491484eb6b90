// Winograd's F(2, 3) or F(4, 3) down the columns and F(4, 3) along the rows, in integers: a tile of 4 (or 6)
// x 6 inputs and the 3 x 3 weights, both transformed, are multiplied position by position and summed over the
// channels (24 products where the direct way takes 72, or 36 for 144), then transformed to 2 (or 4) x 4
// outputs. Tiles are "tall" (4 rows) where more than two rows of 25 pixels or more are made at once.
//
// All is linear modulo 2^32, so the fractions of the usual transforms become factors that are taken out of
// the outputs: by 3 or 9 with the inverse modulo 2^32, powers of 2 with a shift, exact as long as |acc| <
// 2^27 (tall: 2^25), without the bias: at most 910 (tall: 227) input channels.
//
// Down, two rows (k = 0..3, d the rows of a tile, g of the weights):
//   inputs   d1 + d2, d2 - d1, 2 (d3 - d1), 2 (d0 - d2)        weights  g0 + g1 + g2, g0 - g1 + g2, g2, g0
//   outputs  2 y0 = m0 + m1 + m3,  2 y1 = m0 - m1 + m2
// Along (column 0..5), and down for four rows with k = 1, 2, 3, 4, 0, 5 in place of columns:
//   inputs   4 d0 - 5 d2 + d4, -4 d1 - 4 d2 + d3 + d4, 4 d1 - 4 d2 - d3 + d4, -2 d1 - d2 + 2 d3 + d4,
//            2 d1 - d2 - 2 d3 + d4, 4 d1 - 5 d3 + d5
//   weights  g0, g0 + g1 + g2, g0 - g1 + g2, g0 + 2 g1 + 4 g2, g0 - 2 g1 + 4 g2, g2
//   outputs  24 y0 = 6 m0 - 4 (m1 + m2) + (m3 + m4),  12 y1 = -2 (m1 - m2) + (m3 - m4),
//             6 y2 = -(m1 + m2) + (m3 + m4),           6 y3 = -(m1 - m2) + 2 (m3 - m4) + 6 m5
// The factors 6 are 2 in the outputs times 3 in the inputs (two rows, along), 2 and 3 in the outputs (four
// rows, along), or 2 in the inputs times 3 in the weights (four rows, down). Bounds: inputs 4 * 30 * 128 =
// 15,360 (tall 20 * 10 * 128 = 25,600), weights 3 * 7 * 128 = 2,688 (7 * 7 * 128 = 6,272) in magnitude:
// int16.
//
// Channels are padded to CP, a multiple of 4; four of them make words (c0, c2) and (c1, c3). Position = 4
// (tall: 6) times column + k.
//   inputs   [group of 3 or 2 tiles][24 or 36 positions][CP / 2][3 or 2 tiles] words
//   weights  [24 or 36 positions][CP / 2][2 output channels] words; encoding kWinograd: the same of 24
//   positions,
//            pair after pair of output channels (the last one of an odd number with zeros), in flash
//   sums     [group][6 columns][y0 of 3 tiles x 2 channels, y1 ...] words (a group of 2 leaves a gap)
#ifndef SQUEEZE_ENGINE_DSP_WINOGRAD_H_
#define SQUEEZE_ENGINE_DSP_WINOGRAD_H_

#include <cstdint>

#include "engine/conv_shape.h"
#include "engine/dsp/requantize.h"

namespace squeeze {

constexpr uint32_t kWinogradColumns = 4;  // of outputs a tile
constexpr uint32_t kWinogradTallChannels = 227;
constexpr uint32_t kWinogradTallWidth = 25;

// Whether tall tiles are in this build: a model without them leaves out 8 KB (CMakeLists.txt).
#if SQUEEZE_KERNEL_WINOGRAD_TALL
constexpr bool kWinogradTall = true;
#else
constexpr bool kWinogradTall = false;
#endif

inline uint32_t WinogradPaddedChannels(uint32_t channels) { return (channels + 3) & ~uint32_t{3}; }

// Output rows of a tile, 2 or 4. Tall ones save products, but their weights take longer to transform.
inline uint32_t WinogradRows(uint32_t channels, uint32_t out_width, uint32_t out_rows, bool stored) {
  const bool wide = out_width >= kWinogradTallWidth && channels <= kWinogradTallChannels;
  return kWinogradTall && out_rows > 2 && wide && !stored ? 4 : 2;
}
inline uint32_t WinogradPositions(uint32_t rows) { return 6 * (rows + 2); }
inline uint32_t WinogradGroupSums(uint32_t rows) { return 36 * rows; }
inline uint32_t WinogradTiles(uint32_t rows, uint32_t out_width, uint32_t out_rows) {
  return (out_width + kWinogradColumns - 1) / kWinogradColumns * ((out_rows + rows - 1) / rows);
}

// Where a tile's sums are and where its pixels go (first channel), in the order in which they are stored:
// last row first, columns 3 to 0. A pixel outside the map goes to the nearest one inside, which is stored
// later. One word for the sums and 4 for each row: addresses; on other machines than Arm, indices of `sums`
// and of the row.
inline uint32_t WinogradTileWords(uint32_t rows) { return 1 + 4 * rows; }

#if defined(__ARM_FEATURE_DSP)
inline uint32_t TileSumsOf(const int32_t* sums, uint32_t index) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(sums + index));
}
inline uint32_t TilePixelOf(const int8_t* row, uint32_t index) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(row + index));
}
inline const int32_t* TileSums(uint32_t address, const int32_t*) {
  return reinterpret_cast<const int32_t*>(address);
}
inline int8_t* TilePixel(uint32_t address, int8_t*) { return reinterpret_cast<int8_t*>(address); }
#else
inline uint32_t TileSumsOf(const int32_t*, uint32_t index) { return index; }
inline uint32_t TilePixelOf(const int8_t*, uint32_t index) { return index; }
inline const int32_t* TileSums(uint32_t index, const int32_t* sums) { return sums + index; }
inline int8_t* TilePixel(uint32_t index, int8_t* row) { return row + index; }
#endif

// Weights of two channels, and one channel as plain bytes. For encoding kWinograd (`stored`) only room to
// transform inputs.
inline uint32_t WinogradWeightBytes(uint32_t rows, uint32_t padded_channels, bool stored) {
  return stored ? 24 * padded_channels + 192 : (4 * WinogradPositions(rows) + 12) * padded_channels;
}
// What else `tiles` >= 2 tiles at once take.
inline uint32_t WinogradTileBytes(uint32_t rows, uint32_t padded_channels, uint32_t tiles) {
  const uint32_t inputs = 2 * WinogradPositions(rows) * padded_channels;
  return tiles * (inputs + 4 * WinogradTileWords(rows)) + 4 * WinogradGroupSums(rows) * ((tiles + 2) / 3);
}

// With CP = channels rounded up to a multiple of 4, n = the tiles made at once, at least 3:
//   out_rows > 2, out_width >= 25, at most 227 channels, not kWinograd:
//            156 CP + n (72 CP + 68) + 576 ceil(n / 3)     all of them: ceil(out_width / 4) * ceil(out_rows /
//            4)
//   else     108 CP (kWinograd: 24 CP + 192) + n (48 CP + 36) + 288 ceil(n / 3)     ceil(out_width / 4) *
//   ceil(out_rows / 2)
inline uint32_t WinogradScratchBytes(const ConvShape& shape, uint32_t tiles, bool stored) {
  const uint32_t rows = WinogradRows(shape.in_channels, shape.out_width, shape.out_rows, stored);
  const uint32_t padded = WinogradPaddedChannels(shape.in_channels);
  return WinogradWeightBytes(rows, padded, stored) + WinogradTileBytes(rows, padded, tiles < 3 ? 3 : tiles);
}
inline uint32_t WinogradScratchBytes(const ConvShape& shape) { return WinogradScratchBytes(shape, 3, false); }

// Of encoding kWinograd.
inline uint32_t WinogradStoredBytes(const ConvShape& shape) {
  return 96 * WinogradPaddedChannels(shape.in_channels) * ((shape.out_channels + 1) / 2);
}

// Sums of groups of tiles times two channels: inputs up to `inputs_end` -> sums.
struct WinogradRun {
  const uint32_t* weights;
  const uint32_t* weights_end;
  int32_t* sums;
  uint32_t steps;  // CP / 2
  const uint32_t* inputs_end;
};
void WinogradThrees(const uint32_t* inputs, const WinogradRun* run);
void WinogradTwos(const uint32_t* inputs, const WinogradRun* run);
// The same for at most 16 steps.
void WinogradShortThrees(const uint32_t* inputs, const WinogradRun* run);
void WinogradShortTwos(const uint32_t* inputs, const WinogradRun* run);
void WinogradTallThrees(const uint32_t* inputs, const WinogradRun* run);
void WinogradTallTwos(const uint32_t* inputs, const WinogradRun* run);

// Weights of one channel, 9 times padded_channels bytes, `pitch` apart, to one half of a pair.
void WinogradWeights(const int8_t* weights, uint32_t pitch, uint32_t padded_channels, uint32_t* to);
void WinogradTallWeights(const int8_t* weights, uint32_t pitch, uint32_t padded_channels, uint32_t* to);

// A tile's input rows of 6 pixels to its words of a group of `tiles`. `rows`: four (tall: six), of
// padded_channels a pixel. `work`: 48 (tall: 72) words.
void WinogradInputs(const int8_t* const* rows, uint32_t padded_channels, uint32_t tiles, uint32_t* to,
                    uint32_t* work);
void WinogradTallInputs(const int8_t* const* rows, uint32_t padded_channels, uint32_t tiles, uint32_t* to,
                        uint32_t* work);

// One channel of the tiles [tiles, tiles_end), requantized (kRelu or kLinear). On Arm the first nine words
// are where winograd_outputs.cc wants them.
struct WinogradStoreRun {
  const uint32_t* tiles;
  int32_t inverse;  // of 3 (tall: 9) modulo 2^32
  int32_t start;    // the constants of requantize.h
  int32_t multiplier;
  int32_t rounding;
  int32_t shift;
  uint32_t sum_offset;  // bytes to this channel's sums
  uint32_t o;
  const uint32_t* tiles_end;
  const ConvRows* conv;
  const int32_t* sums;
  uint32_t first;  // tile of the call
};
using WinogradStorer = void (*)(const WinogradStoreRun*);
WinogradStorer WinogradStorerOf(uint32_t rows, Rounding rounding);

WinogradStoreRun WinogradStoreRunOf(const ConvRows& conv, uint32_t rows, const uint32_t* tiles,
                                    uint32_t first, uint32_t count, const int32_t* sums);

// Sums of tiles (of `rows` output rows) times channels `o` and `o` + 1 -> requantized outputs. `run`: of
// WinogradStoreRunOf, to be filled in.
void WinogradStore(WinogradStoreRun* run, const PairScale& scale, uint32_t o, uint32_t rows);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_WINOGRAD_H_
