// What ConvSparseListRows keeps in its scratch, and its parts.
//
// Two pixels stand in a word, low + high * 2^23: one SMLAL with a weight adds to two outputs. The words are
// planar,
//   words [packed row][input channel][S],   S = H + kernel_w - 1,
// so that a tap is a word offset, the same for every pixel and row: that is what the list of a channel's
// non-zero weights holds. The H words of an output row and its two lanes:
//   1x1              the pixels of all rows, one after the other: low the first H of them, high the others
//   even out_rows    low and high are two rows, one below the other (H = columns)
//   odd out_rows     low is the left half of the row, high the right half
//
// The accumulators are exact while the low lane's, of the weights as they are, stays within 2^22: sum|w| *
// 128 < 2^22. Channels beyond that go through SparseListAccumulateWide.
#ifndef SQUEEZE_ENGINE_DSP_SPARSE_LIST_H_
#define SQUEEZE_ENGINE_DSP_SPARSE_LIST_H_

#include <stdint.h>

#include "engine/conv_shape.h"
#include "engine/dsp/lane_store.h"
#include "engine/huffman.h"
#include "engine/struct_offset.h"

namespace squeeze {

struct SparseListEntry {
  int32_t weight;  // times kLaneUnit
  uint32_t word;   // offset in the packed words
};
// Offsets in sparse_list_accumulate.cc, sparse_list_decode.cc and huffman_sparse_list.cc.
SQUEEZE_OFFSET(SparseListEntry, weight, 0);
SQUEEZE_OFFSET(SparseListEntry, word, 4);
SQUEEZE_STRIDE(SparseListEntry, 8);
constexpr uint32_t kSparseListEnd = 0xFFFFFFFF;  // `word` of the entry after the last one

constexpr uint32_t kSparseListMinWords = 3;        // H at least: 6 pixels a pass
constexpr uint32_t kSparseListMaxTaps = 255;       // so many weights of -128 keep within the bound,
constexpr uint32_t kSparseListMaxWeights = 32767;  // as does this sum|w|
constexpr uint32_t kSparseListMaxStep = 32767;     // H of a 1x1 at most: SMLABB takes 16 bits

// Rows of packed words: of a 1x1, one; else input rows, one less in pairs.
inline uint32_t SparseListPackedRows(const ConvShape& shape) {
  if (shape.kernel_h == 1 && shape.kernel_w == 1) return 1;
  return shape.InputRows() - (shape.out_rows % 2 == 0 ? 1 : 0);
}

// H of everything in one pass.
inline uint32_t SparseListAllWords(const ConvShape& shape) {
  if (shape.kernel_h == 1 && shape.kernel_w == 1) return (shape.out_rows * shape.out_width + 2) / 2;
  return shape.out_rows % 2 == 0 ? shape.out_width : (shape.out_width + 1) / 2;
}

// Shapes that ConvSparseListRows takes: stride 1, and offsets of a kernel's taps in 16 bits with the least H.
inline bool SparseListSupports(const ConvShape& shape) {
  if (shape.stride_h != 1 || shape.stride_w != 1 || shape.in_channels > 65535) return false;
  if (shape.kernel_h == 1 && shape.kernel_w == 1) return true;
  return shape.kernel_h * shape.in_channels * (kSparseListMinWords + shape.kernel_w - 1) <= 65535 &&
         shape.Taps() <= 65535;
}

inline uint32_t SparseListAlign(uint32_t bytes) { return (bytes + 7) & ~uint32_t{7}; }

// Scratch but for the words and accumulators: a pixel of padding, the taps' offsets (not for 1x1), the list.
inline uint32_t SparseListFixedBytes(uint32_t channels, uint32_t taps) {
  return SparseListAlign(channels) + (taps == channels ? 0 : SparseListAlign(2 * taps)) + 8 * (taps + 3);
}

// align8(C) + (1x1: 0, else align8(2 T)) + 8 (T + 3) + 8 H + 4 R C (H + kernel_w - 1), where T = taps, C =
// input channels, R = SparseListPackedRows. The minimum has H = 3; H = SparseListAllWords needs but one pass.
inline uint32_t SparseListScratchBytes(const ConvShape& shape, uint32_t words) {
  return SparseListFixedBytes(shape.in_channels, shape.Taps()) + 8 * words +
         4 * SparseListPackedRows(shape) * shape.in_channels * (words + shape.kernel_w - 1);
}
inline uint32_t SparseListScratchBytes(const ConvShape& shape) {
  return SparseListScratchBytes(shape, kSparseListMinWords);
}

// A channel's weights to a list of an even number of entries, at least two, and two more that end it. Returns
// the entries in the stream. Offsets: table[position], or, of a 1x1, position * step.
uint32_t SparseListDecode(const uint8_t* stream, const uint16_t* table, SparseListEntry* list);
uint32_t SparseListDecode(const uint8_t* stream, uint32_t step, SparseListEntry* list);

// The next Huffman-coded channel, likewise; of kMasks, table[input channel * 9 + tap].
uint32_t SparseListDecode(HuffmanWeights* weights, const uint16_t* table, SparseListEntry* list);
uint32_t SparseListDecode(HuffmanWeights* weights, uint32_t step, SparseListEntry* list);

// Channel c of `count` pixels and as many others to dst[c * stride + i], 0 <= i < count. 5.4 instructions a
// word.
void SparseListPackPixels(const int8_t* low, const int8_t* high, uint32_t channels, uint32_t stride,
                          uint32_t count, uint32_t* dst);

// accumulators[i] = kLaneStart + sum over the list of weight * base[word + i], for the words base to end, a
// multiple of three of them, and `left` more (up to two).
struct SparseListRun {
  const SparseListEntry* list;
  const uint32_t* base;
  const uint32_t* end;
  LaneAccumulator* accumulators;
  uint32_t first;  // pairs of entries in the first round of eight: (pairs - 1) % 8 + 1
  uint32_t left;
};
// Offsets in sparse_list_accumulate.cc.
SQUEEZE_OFFSET(SparseListRun, list, 0);
SQUEEZE_OFFSET(SparseListRun, base, 4);
SQUEEZE_OFFSET(SparseListRun, end, 8);
SQUEEZE_OFFSET(SparseListRun, accumulators, 12);
SQUEEZE_OFFSET(SparseListRun, first, 16);
SQUEEZE_OFFSET(SparseListRun, left, 20);
void SparseListAccumulate(const SparseListRun* run);
// The same accumulators, of any weights, lane by lane. Slow.
void SparseListAccumulateWide(const SparseListEntry* list, uint32_t pairs, const uint32_t* base,
                              uint32_t words, LaneAccumulator* accumulators);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_SPARSE_LIST_H_
