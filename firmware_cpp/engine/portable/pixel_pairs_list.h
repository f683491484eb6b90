// A channel's list, chunk by chunk (pixel_pairs.h): the writer, and how weights become one.
#ifndef SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_LIST_H_
#define SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_LIST_H_

#include "engine/portable/pixel_pairs.h"

namespace squeeze {

class PairsListWriter {
 public:
  explicit PairsListWriter(uint32_t* list) : at_(list + 1), limit_(at_ + kMostWords) {}

  // A weight that is not 0, and the byte offset of its pixels.
  void Put(int32_t weight, uint32_t offset) {
    const uint32_t size = static_cast<uint32_t>(weight < 0 ? -weight : weight);
    // NOLINTNEXTLINE(readability-implicit-bool-conversion)
    if (__builtin_expect(size > room_ || at_ == limit_, 0)) Close();  // rare: the compiler puts it aside
    room_ -= size;
    *at_++ = static_cast<uint32_t>(weight);
    *at_++ = offset;
  }

  // Ends the list. Returns the sum of |weight|.
  uint32_t End() {
    if (at_ != limit_ - kMostWords) {
      uint32_t* const header = limit_ - kMostWords - 1;
      Close();
      *header -= kPairsHeaders.last;
    }
    at_[-1] = kPairsEnd;
    at_[0] = 0;
    at_[1] = 0;
    return sum_;
  }

 private:
  static constexpr uint32_t kMostWords = 2 * kPairsChunkEntries;

  // The chunk's header, and room for that of the next one.
  void Close() {
    *(limit_ - kMostWords - 1) = full_ + static_cast<uint32_t>(limit_ - at_) / 2 * missing_;
    sum_ += kPairsChunkWeights - room_;
    ++at_;
    limit_ = at_ + kMostWords;
    room_ = kPairsChunkWeights;
  }

  // In the order and at the offsets that assembler knows (v6m/pixel_pairs_lists.cc).
  uint32_t* at_;
  uint32_t* limit_;  // where the chunk has all entries that it may have
  uint32_t room_ = kPairsChunkWeights;
  uint32_t sum_ = 0;
  uint32_t missing_ = kPairsHeaders.missing;
  uint32_t full_ = kPairsHeaders.full;
};
SQUEEZE_STRIDE(PairsListWriter, 24);

// The weights from `entries` (kSparse: a gap and a weight each) or `weights` (kDense) to `end`, of which the
// first one's tap has its offset at `table`. Return the offset of the tap behind the last one.
const uint16_t* PairsSparseToList(PairsListWriter* writer, const uint16_t* entries, const uint16_t* end,
                                  const uint16_t* table);
const uint16_t* PairsDenseToList(PairsListWriter* writer, const int8_t* weights, const int8_t* end,
                                 const uint16_t* table);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_LIST_H_
