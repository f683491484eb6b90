// Winograd's F(2, 3) down the columns and F(4, 3) along the rows, for CPUs without instructions for 16 bits:
// a tile of 4 x 6 inputs makes 2 x 4 outputs with 24 products a channel instead of 72. The matrices and the
// proof are those of dsp/winograd.h, but everything that is transformed is a word and all sums are modulo
// 2^32, so nothing has to fit 16 bits but the weights: within 3 * 7 * 128 = 2,688.
//
// Down (k = 0..3) as there; along (i = 0..5) columns 0 and 5 are not tripled, the outputs do it:
//   24 y0 = 6 m0 - 4 (m1 + m2) + (m3 + m4),  6 y3 = -(m1 - m2) + 2 (m3 - m4) + 6 m5
// So outputs of a tile are 16, 8, 4 and 4 times what is wanted, once the inverse of 3 has been applied:
// |acc| < 2^27 without the bias, at most 910 channels.
//
// Position = 4 * i + k. Channels are padded to CP, a multiple of 2, tiles to groups of 4.
//   inputs   [group][24 positions][CP][4 tiles] words
//   weights  [24 positions][CP / 2] words, of one output channel: that of an even channel, plus 2^16 times
//            that of the next one
//   products [24 positions][4 tiles] words, of one group and output channel
//   sums     [tile][4 columns]: PairsSums, the tile's two rows
// Scratch is one of two things before the inputs: first what transforms them, then the rest. A call makes all
// tiles at once.
#ifndef SQUEEZE_ENGINE_V6M_WINOGRAD_WORDS_H_
#define SQUEEZE_ENGINE_V6M_WINOGRAD_WORDS_H_

#include <stdint.h>

#include "engine/conv_shape.h"
#include "engine/portable/pixel_pairs.h"

namespace squeeze {

constexpr uint32_t kWordsMaxChannels = 910;  // |acc| < 2^27
constexpr uint32_t kWordsRows = 2;           // of outputs a tile
constexpr uint32_t kWordsColumns = 4;
constexpr uint32_t kWordsPositions = 24;
constexpr uint32_t kWordsGroup = 4;       // tiles
constexpr uint32_t kWordsMost = 1 << 16;  // tiles times channels: bytes stay within 32 bits

inline uint32_t WordsPaddedChannels(uint32_t channels) { return (channels + 1) & ~uint32_t{1}; }
inline uint32_t WordsAcross(uint32_t out_width) { return (out_width + kWordsColumns - 1) / kWordsColumns; }

// Tiles of a call, and those that fill the last group.
inline uint32_t WordsTiles(const ConvShape& s) {
  const uint32_t tiles = WordsAcross(s.out_width) * ((s.out_rows + kWordsRows - 1) / kWordsRows);
  return (tiles + kWordsGroup - 1) & ~(kWordsGroup - 1);
}

inline bool WinogradWordsSupports(const ConvShape& s) {
  return s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 &&
         s.in_channels <= kWordsMaxChannels &&
         WordsTiles(s) * WordsPaddedChannels(s.in_channels) <= kWordsMost;
}

// While inputs are transformed: columns of a channel that went down, and a row of padding.
inline uint32_t WordsColumnBytes(const ConvShape& s) {
  return 16 * (kWordsColumns * WordsAcross(s.out_width) + 2);
}
inline uint32_t WordsInputBytes(const ConvShape& s) {
  return WordsColumnBytes(s) + s.in_width * s.in_channels;
}
// Later: weights, products, sums, and of kSparse a channel as plain bytes.
inline uint32_t WordsWeightBytes(const ConvShape& s) {
  return 2 * kWordsPositions * WordsPaddedChannels(s.in_channels);
}
constexpr uint32_t kWordsProductBytes = 4 * kWordsPositions * kWordsGroup;
inline uint32_t WordsSumBytes(const ConvShape& s) {
  return kWordsColumns * uint32_t{sizeof(PairsSums)} * WordsTiles(s);
}
inline uint32_t WordsOutputBytes(const ConvShape& s, bool sparse) {
  return WordsWeightBytes(s) + kWordsProductBytes + WordsSumBytes(s) + (sparse ? s.Taps() : 0);
}
inline uint32_t WordsFrontBytes(const ConvShape& s, bool sparse) {
  const uint32_t inputs = WordsInputBytes(s), outputs = WordsOutputBytes(s, sparse);
  return ((inputs > outputs ? inputs : outputs) + 7) & ~uint32_t{7};
}

// max(16 (4 A + 2) + W C, 48 CP + 384 + 32 T + (kSparse: 9 C)), up to a multiple of 8, + 96 T CP; T tiles, A
// of them side by side.
inline uint32_t WinogradWordsScratchBytes(const ConvShape& s, bool sparse) {
  return WordsFrontBytes(s, sparse) +
         4 * kWordsPositions * WordsTiles(s) * WordsPaddedChannels(s.in_channels);
}

// `count` columns of a channel down: from byte `offset` on of four rows, `pitch` apart, to four words each.
struct WordsDownRun {
  const int8_t* rows[4];
  uint32_t pitch;
  uint32_t count;
};
SQUEEZE_OFFSET(WordsDownRun, rows, 0);
SQUEEZE_OFFSET(WordsDownRun, pitch, 16);
SQUEEZE_OFFSET(WordsDownRun, count, 20);
void WordsDown(const WordsDownRun* run, uint32_t offset, uint32_t* to);

// A tile's six columns along: 24 words, a position each, `pitch` bytes apart.
void WordsAlong(const uint32_t* columns, uint32_t pitch, uint32_t* to);

// Weights of an output channel, 9 * channels of them, to `to`, a position each `pitch` = 2 CP bytes.
void WordsWeights(const int8_t* weights, uint32_t channels, uint32_t* to, uint32_t pitch);

// A group: `pairs` = CP / 2.
void WordsProducts(const uint32_t* weights, const uint32_t* inputs, uint32_t pairs, uint32_t* products);

// A group's sums.
void WordsOutputs(const uint32_t* products, int32_t bias, PairsSums* sums);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_V6M_WINOGRAD_WORDS_H_
