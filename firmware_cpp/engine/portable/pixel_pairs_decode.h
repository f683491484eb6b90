// The weights of one output channel after the other to lists, in parts.
#ifndef SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_DECODE_H_
#define SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_DECODE_H_

#include "engine/portable/pixel_pairs_list.h"

namespace squeeze {

class PairsDecoder {
 public:
  // table[position]: the tap's offset in bytes.
  PairsDecoder(const ConvRows& conv, const uint16_t* table, uint32_t* list);

  // The next channel.
  void Begin();

  // Its next part to the list; whether that was the last one.
  bool Part();

  // Of the parts so far, the sum of |weight|.
  uint32_t sum() const { return sum_; }

 private:
  void Huffman(PairsListWriter* writer) const;

  const ConvRows& c_;
  const uint16_t* const table_;
  uint32_t* const list_;
  const uint8_t* weights_;
  const uint16_t* at_ = nullptr;  // in the table
  uint32_t left_ = 0;             // entries or weights of the channel
  uint32_t sum_ = 0;
  const bool sparse_;
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_DECODE_H_
