// What ConvPixelPairsRows keeps in its scratch, and its parts: for CPUs without instructions for 16 bits. Its
// inner loops are plain C++ here (pixel_pairs_loops.cc), and assembler in v6m/, for Cortex-M0, M0+ and M23.
//
// Two output pixels share a word, low + high * 2^16, and one multiplication with a weight serves both. The
// words are planar,
//   words [packed row][input channel][plane][S],   S = H + (kernel_w - 1) / stride_w,
// so a tap is a word offset, the same for every pixel and row: that is what the list of a channel's non-zero
// weights holds. Plane a has the columns a, a + stride_w, ...; a stride of 2 needs two planes. The H words of
// an output row and their halves:
//   even out_rows    low and high are two rows, one below the other (H = columns)
//   odd out_rows     low is the left half of the row, high the right half
//
// The list is cut into chunks. Within a chunk the sum of |weight| stays within 255, pixels within -128 to
// 127, so the sum of products of either half stays within 255 * 128 = 32,640 < 2^15, whatever the pixels are.
// Modulo 2^32 a chunk's sum is low + high * 2^16 with both in 16 bits with sign: the sign-extended low half
// is `low`, and what remains is high * 2^16. Both are then added to sums of 32 bits. Products and sums in
// between may wrap.
#ifndef SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_H_
#define SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_H_

#include <stdint.h>

#include "engine/conv_shape.h"
#include "engine/kernels.h"
#include "engine/struct_offset.h"

namespace squeeze {

constexpr uint32_t kPairsMinWords = 3;          // H at least: what one pass of v6m's fastest loop makes
constexpr uint32_t kPairsChunkWeights = 255;    // most sum of |weight| of a chunk
constexpr uint32_t kPairsChunkEntries = 17;     // most entries of a chunk: v6m's loops are unrolled so often
constexpr uint32_t kPairsPart = 144;            // most weights of a list, but of Huffman-coded channels
constexpr uint32_t kPairsMostTapWords = 16383;  // from a kernel's first tap to its last one: 16 bits of bytes

// Words of the list: for each chunk a header, then for each of its entries the weight and the byte offset of
// its pixels. After the last chunk 0 goes on instead; an entry of weight 0 follows. What stands in a header
// is for the inner loops to say: the number of entries in plain C++, a jump in assembler.
constexpr uint32_t kPairsEnd = 0;
struct PairsHeaders {
  uint32_t full;     // of a chunk with kPairsChunkEntries
  uint32_t missing;  // for each entry that it has less, so much is added
  uint32_t last;     // so much is taken away from the last chunk's
};
extern const PairsHeaders kPairsHeaders;

inline uint32_t PairsPlanes(const ConvShape& s) { return s.kernel_w < s.stride_w ? s.kernel_w : s.stride_w; }
static_assert(kMaxConvStride == 2,
              "a shift divides by a stride of 1 or 2: these CPUs have no instruction for it");
inline uint32_t PairsApron(const ConvShape& s) { return (s.kernel_w - 1) >> (s.stride_w - 1); }
inline bool PairsOfRows(const ConvShape& s) { return s.out_rows % 2 == 0; }

// Rows of packed words: input rows, less those that only a word's high half has.
inline uint32_t PairsPackedRows(const ConvShape& s) {
  return (s.out_rows - (PairsOfRows(s) ? 2 : 1)) * s.stride_h + s.kernel_h;
}

// H of everything in one pass.
inline uint32_t PairsAllWords(const ConvShape& s) {
  return PairsOfRows(s) ? s.out_width : (s.out_width + 1) / 2;
}

// Shapes that ConvPixelPairsRows takes: with the least H the kernel's taps lie within kPairsMostTapWords.
inline bool PixelPairsSupports(const ConvShape& s) {
  if (s.Taps() > 65535) return false;
  return uint64_t{s.kernel_h} * s.in_channels * PairsPlanes(s) * (kPairsMinWords + PairsApron(s)) <=
         kPairsMostTapWords;
}

inline uint32_t PairsAlign(uint32_t bytes) { return (bytes + 7) & ~uint32_t{7}; }

// Words of a list of T taps at most: two an entry, a header for each where all weights are -128, and the end.
inline uint32_t PairsListWords(uint32_t taps) { return 3 * taps + 3; }

// Whether lists are made in parts. Huffman-coded channels are decoded as a whole.
inline bool PairsHasParts(const ConvShape& s, bool huffman) { return !huffman && s.Taps() > kPairsPart; }

// Words of the sums of a word of columns: of one pass at a time, or of all where lists are made in parts.
inline uint32_t PairsSumsOfWord(const ConvShape& s, bool huffman) {
  if (!PairsHasParts(s, huffman)) return 1;
  return PairsOfRows(s) ? s.out_rows / 2 : s.out_rows;
}

// Bytes of the list.
inline uint32_t PairsListBytes(const ConvShape& s, bool huffman) {
  return PairsAlign(4 * PairsListWords(PairsHasParts(s, huffman) ? kPairsPart : s.Taps()));
}

// Scratch but for words and sums: a pixel of padding, the offsets of the taps, the list.
inline uint32_t PairsFixedBytes(const ConvShape& s, bool huffman) {
  return PairsAlign(s.in_channels) + PairsAlign(2 * s.Taps()) + PairsListBytes(s, huffman);
}

// Fixed + 8 H (a sum for each pass, where lists are made in parts) + 4 R C P S. The minimum has H = 3; with H
// = PairsAllWords one chunk of columns does it.
inline uint32_t PixelPairsScratchBytes(const ConvShape& s, bool huffman, uint32_t words) {
  return PairsFixedBytes(s, huffman) + 8 * PairsSumsOfWord(s, huffman) * words +
         4 * PairsPackedRows(s) * s.in_channels * PairsPlanes(s) * (words + PairsApron(s));
}
inline uint32_t PixelPairsScratchBytes(const ConvShape& s, bool huffman) {
  return PixelPairsScratchBytes(s, huffman, kPairsMinWords);
}

// Channel c of `count` pixels and as many others, `step` bytes apart, to dst[c * stride + i], 0 <= i < count.
struct PairsPack {
  const int8_t* low;
  const int8_t* high;
  uint32_t channels;
  uint32_t stride;
  uint32_t* dst;
  uint32_t count;
  uint32_t step;
};
// Offsets in v6m/pixel_pairs_pack.cc.
SQUEEZE_OFFSET(PairsPack, low, 0);
SQUEEZE_OFFSET(PairsPack, high, 4);
SQUEEZE_OFFSET(PairsPack, channels, 8);
SQUEEZE_OFFSET(PairsPack, stride, 12);
SQUEEZE_OFFSET(PairsPack, dst, 16);
SQUEEZE_OFFSET(PairsPack, count, 20);
SQUEEZE_OFFSET(PairsPack, step, 24);
void PixelPairsPack(const PairsPack* pack);

// The two outputs of a word.
struct PairsSums {
  int32_t low;
  int32_t high;
};
SQUEEZE_OFFSET(PairsSums, low, 0);
SQUEEZE_OFFSET(PairsSums, high, 4);
SQUEEZE_STRIDE(PairsSums, 8);

// sums[i] = start + sum over the list of weight * base[offset + i], for the words base to end, a multiple of
// three, and `left` more (up to two). `more`: the sums go on from what they are instead.
struct PairsRun {
  const uint32_t* list;
  const uint32_t* base;
  const uint32_t* end;
  PairsSums* sums;
  int32_t start;
  uint32_t left;
  uint32_t more;  // 0 or 1
};
// Offsets in v6m/pixel_pairs_accumulate.cc.
SQUEEZE_OFFSET(PairsRun, list, 0);
SQUEEZE_OFFSET(PairsRun, base, 4);
SQUEEZE_OFFSET(PairsRun, end, 8);
SQUEEZE_OFFSET(PairsRun, sums, 12);
SQUEEZE_OFFSET(PairsRun, start, 16);
SQUEEZE_OFFSET(PairsRun, left, 20);
SQUEEZE_OFFSET(PairsRun, more, 24);
void PixelPairsAccumulate(const PairsRun* run);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_H_
