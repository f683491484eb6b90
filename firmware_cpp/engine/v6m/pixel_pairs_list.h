// Writes a channel's list, chunk by chunk (pixel_pairs.h).
#ifndef SQUEEZE_ENGINE_V6M_PIXEL_PAIRS_LIST_H_
#define SQUEEZE_ENGINE_V6M_PIXEL_PAIRS_LIST_H_

#include "engine/v6m/pixel_pairs.h"

namespace squeeze {

class PairsListWriter {
 public:
  explicit PairsListWriter(uint32_t* list) : at_(list + 1), limit_(at_ + kMostWords) {}

  // A weight that is not 0, and the byte offset of its pixels.
  void Put(int32_t weight, uint32_t offset) {
    const uint32_t size = static_cast<uint32_t>(weight < 0 ? -weight : weight);
    if (size > room_ || at_ == limit_) Close();
    room_ -= size;
    *at_++ = static_cast<uint32_t>(weight);
    *at_++ = offset;
  }

  // Ends the list. Returns the sum of |weight|.
  uint32_t End() {
    if (at_ != limit_ - kMostWords) {
      uint32_t* const header = limit_ - kMostWords - 1;
      Close();
      *header -= kPairsLast;
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
    *(limit_ - kMostWords - 1) = full_ + static_cast<uint32_t>(limit_ - at_) / 2 * entry_bytes_;
    sum_ += kPairsChunkWeights - room_;
    ++at_;
    limit_ = at_ + kMostWords;
    room_ = kPairsChunkWeights;
  }

  // In the order and at the offsets that assembler knows (pixel_pairs_decode.cc).
  uint32_t* at_;
  uint32_t* limit_;  // where the chunk has all entries that it may have
  uint32_t room_ = kPairsChunkWeights;
  uint32_t sum_ = 0;
  uint32_t entry_bytes_ = kPairsEntryBytes;
  uint32_t full_ =
      kPairsOne - (kPairsChunkEntries - 1) * kPairsEntryBytes;  // header of a chunk with all entries
};
SQUEEZE_STRIDE(PairsListWriter, 24);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_V6M_PIXEL_PAIRS_LIST_H_
