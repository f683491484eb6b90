// What ConvLanesRows keeps in its scratch, and its parts.
//
// Lanes. Two pixels of a phase stand in a word, P = x[0] + x[1] * 2^21, and two taps in another,
// A = w[1] + w[0] * 2^21. One SMLAL adds, in three lanes of a 64-bit sum, x[0] w[1] (of the output before),
// x[0] w[0] + x[1] w[1] (of this one), x[1] w[0] (of the next): four MACs. Output 2i is the middle lane of
// sum i, output 2i + 1 its high lane and the low one of sum i + 1. The accumulators start at 2^20 in the
// lower lanes, which must stay within [0, 2^21): exact while sum|w| * 128 < 2^20.
//
// Phases. Of stride 2, even and odd columns are two phases, each a convolution of stride 1 with up to four
// taps; of stride 1, taps 0 to 3 are one phase, 4 to 6 another. A unit is a kernel row, channel and phase, in
// this order.
//
// Tiles. With three or four taps, three accumulators need A0 p0 + A1 p1, A0 p1 + A1 p2 and A0 p2 + A1 p3 of
// every unit: four products instead of six (Winograd's F(3, 2)), exact modulo 2^64, lanes and all:
//   m0 = A0 (p0 - p2),  m1 = (A0 + A1) (p1 + p2),  m2 = (A0 - A1) (p2 - p1),  m3 = A1 (p3 - p1);
//   y0 = m0 + h,  y1 = (m1 - m2) / 2,  y2 = m3 + h,  h = (m1 + m2) / 2 = sum of A0 p2 + A1 p1.
// The halves are exact: they are dot products of the same weights, so below 2^62, and their doubles fit
// 64 bits. Each m is a plane, a sum over all units of its own; their four accumulators are a tile. With one
// or two taps a tile is a single sum, and so is the plane.
//   inputs  [plane][block of three tiles][input row][channel][phase][3 tiles] words; the last block may be
//           of one tile
//   weights [plane][unit] words, padded with 0 to a multiple of three units
#ifndef SQUEEZE_ENGINE_DSP_LANES_H_
#define SQUEEZE_ENGINE_DSP_LANES_H_

#include <stdint.h>

#include "engine/conv_shape.h"
#include "engine/kernels.h"
#include "engine/struct_offset.h"

namespace squeeze {

constexpr int32_t kLanesBits = 21;
constexpr uint32_t kLanesMaxWeights = 8191;  // sum|w| that three lanes hold
// kernel_w * in_channels at most: then a kernel row always fits the lanes.
constexpr uint32_t kLanesMaxRowTaps = 63;

// Shapes that ConvLanesRows takes.
inline bool LanesSupports(const ConvShape& shape) {
  return (shape.stride_w == 1 || shape.stride_w == 2) && shape.kernel_w <= 7 && shape.in_channels <= 63 &&
         shape.kernel_w * shape.in_channels <= kLanesMaxRowTaps;
}

struct LanesShape {
  uint32_t phases;
  uint32_t planes;
  uint32_t tile_accumulators;
  uint32_t units;         // of a channel
  uint32_t padded_units;  // to threes
};

inline LanesShape LanesShapeOf(uint32_t kernel_h, uint32_t kernel_w, uint32_t stride_w, uint32_t channels) {
  const uint32_t phases = stride_w == 2 ? (kernel_w < 2 ? 1 : 2) : (kernel_w + 3) / 4;
  const bool pairs = kernel_w > 2 * stride_w;
  const uint32_t units = kernel_h * channels * phases;
  return {phases, pairs ? 4u : 1u, pairs ? 3u : 1u, units, (units + 2) / 3 * 3};
}

// Tiles that `outputs` outputs take: threes, or threes and one.
inline uint32_t LanesTiles(const LanesShape& lanes, uint32_t outputs) {
  const uint32_t tiles = outputs / 2 / lanes.tile_accumulators + 1;
  return tiles % 3 == 2 ? tiles + 1 : tiles;
}
// Outputs of `tiles` tiles at most.
inline uint32_t LanesOutputs(const LanesShape& lanes, uint32_t tiles) {
  return 2 * tiles * lanes.tile_accumulators - 1;
}
// Input columns that they take.
inline uint32_t LanesColumns(const LanesShape& lanes, uint32_t stride_w, uint32_t tiles) {
  return stride_w * (2 * tiles * lanes.tile_accumulators + 1) + 5;
}

// Bytes for T tiles, with G = planes, U = padded units, S = tile accumulators, R = input rows, F = phases, C
// = channels:
//   4 G U + align8(C (stride_w (2 T S + 1) + 5)) + 8 T (G + S + S out_rows) + 4 G T R C F + 56
// F = 2 if stride_w = 2 and kernel_w > 1, else (kernel_w + 3) / 4; G = 4 and S = 3 if kernel_w > 2 stride_w,
// else G = S = 1; U = kernel_h C F rounded up to a multiple of 3. The minimum has T = 3; all at once take
// out_width / 2 / S + 1 tiles, and one more if that is 2 modulo 3.
inline uint32_t LanesScratchBytes(const ConvShape& shape, uint32_t tiles) {
  const LanesShape lanes = LanesShapeOf(shape.kernel_h, shape.kernel_w, shape.stride_w, shape.in_channels);
  const uint32_t line = shape.in_channels * LanesColumns(lanes, shape.stride_w, tiles);
  return 4 * lanes.planes * lanes.padded_units + ((line + 7) & ~uint32_t{7}) +
         8 * tiles * (lanes.planes + lanes.tile_accumulators + lanes.tile_accumulators * shape.out_rows) +
         4 * lanes.planes * tiles * shape.InputRows() * shape.in_channels * lanes.phases + 56;
}
inline uint32_t LanesScratchBytes(const ConvShape& shape) { return LanesScratchBytes(shape, 3); }

struct LanesAccumulator {
  uint32_t bottom;
  uint32_t top;
};
// Offsets in lanes_accumulate.cc and lanes_store.cc.
SQUEEZE_OFFSET(LanesAccumulator, bottom, 0);
SQUEEZE_OFFSET(LanesAccumulator, top, 4);
SQUEEZE_STRIDE(LanesAccumulator, 8);

// The accumulators of one plane: blocks of three tiles, every unit of each times the same weights; then
// perhaps one tile.
struct LanesRun {
  const uint32_t* weights;
  const uint32_t* inputs;
  LanesAccumulator* accumulators;
  LanesAccumulator* accumulators_end;
  uint32_t first;  // groups of three units in the first round of eight
  const uint32_t* weights_end;
  int32_t skip;  // bytes from the end of a block's units to the next block's
  uint32_t start_bottom;
  uint32_t start_top;
  const uint32_t* last;  // inputs of one more tile, or null; its sum goes to *accumulators_end
};
// Offsets in lanes_accumulate.cc.
SQUEEZE_OFFSET(LanesRun, weights, 0);
SQUEEZE_OFFSET(LanesRun, inputs, 4);
SQUEEZE_OFFSET(LanesRun, accumulators, 8);
SQUEEZE_OFFSET(LanesRun, accumulators_end, 12);
SQUEEZE_OFFSET(LanesRun, first, 16);
SQUEEZE_OFFSET(LanesRun, weights_end, 20);
SQUEEZE_OFFSET(LanesRun, skip, 24);
SQUEEZE_OFFSET(LanesRun, start_bottom, 28);
SQUEEZE_OFFSET(LanesRun, start_top, 32);
SQUEEZE_OFFSET(LanesRun, last, 36);
void LanesAccumulate(const LanesRun* run);

// One input row, `line`, to its words of all planes: `to` is block 0's, blocks are `block_words` apart.
struct LanesRow {
  const int8_t* line;  // pixels from the first block's first column on
  uint32_t* to;
  uint32_t block_words;
  uint32_t plane_words;
  uint32_t blocks;
  uint32_t* last;  // where the words of the last tile go, or null
};
void LanesPackRow(const ConvRows& conv, const LanesShape& lanes, const LanesRow& row);

// Kernel rows [begin, end) of a channel's weights to words; returns the units, padded.
uint32_t LanesPackWeights(const ConvRows& conv, const LanesShape& lanes, const uint8_t* weights,
                          uint32_t begin, uint32_t end, uint32_t* to);
// Sum of |w| of `count` weights.
uint32_t LanesWeightSum(const uint8_t* weights, uint32_t count);

// Three accumulators of each tile out of the four planes' ones.
void LanesJoin(const LanesAccumulator* planes, uint32_t tiles, LanesAccumulator* accumulators);

// `count` outputs of channel o to out[i * out_pixel_stride]; reads count / 2 + 1 accumulators.
void LanesStore(const ConvRows& conv, uint32_t o, const LanesAccumulator* accumulators, uint32_t count,
                int8_t* out);
// The same in two steps, for channels whose kernel rows are summed in parts.
void LanesAdd(const LanesAccumulator* accumulators, uint32_t count, bool first, int32_t* acc);
void LanesStoreWide(const ConvRows& conv, uint32_t o, const int32_t* acc, uint32_t count, int8_t* out);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_LANES_H_
