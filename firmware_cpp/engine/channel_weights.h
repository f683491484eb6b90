// The int8 weights of one output channel after the other, whatever their encoding.
#ifndef SQUEEZE_ENGINE_CHANNEL_WEIGHTS_H_
#define SQUEEZE_ENGINE_CHANNEL_WEIGHTS_H_

#include <stdint.h>
#include <string.h>

#include "engine/huffman.h"
#include "engine/kernels.h"

namespace squeeze {

// Reads kDense in place, kSparse (format.h) and kHuffman (huffman.h) through a buffer of the caller's.
class ChannelWeights {
 public:
  ChannelWeights(const ConvRows& conv, uint32_t taps)
      : next_(conv.weights), huffman_(conv.huffman), taps_(taps), encoding_(conv.encoding) {
    if (huffman_ != nullptr) HuffmanRewind(huffman_);
  }

  // The next channel's `taps` weights, HWI. They may stand in `buffer` (of `taps` bytes).
  const int8_t* Next(int8_t* buffer) {
    if (encoding_ == WeightEncoding::kSparse) return Unpack(buffer);
    if (huffman_ != nullptr) return HuffmanNext(huffman_, buffer);
    const int8_t* weights = reinterpret_cast<const int8_t*>(next_);
    next_ += taps_;
    return weights;
  }

 private:
  const int8_t* Unpack(int8_t* buffer) {
    memset(buffer, 0, taps_);
    const uint16_t* entry = reinterpret_cast<const uint16_t*>(next_);
    uint32_t count = *entry++;
    int8_t* at = buffer - 1;
    for (; count > 0; --count, ++entry) {
      at += 1 + (*entry & 0xff);
      *at = static_cast<int8_t>(*entry >> 8);
    }
    next_ = reinterpret_cast<const uint8_t*>(entry);
    return buffer;
  }

  const uint8_t* next_;
  HuffmanWeights* huffman_;
  uint32_t taps_;
  WeightEncoding encoding_;
};

// Whether kSparse `bytes` at `stored` are exactly `channels` channels that stay within `taps` weights each.
inline bool SparseWeightsOk(const uint8_t* stored, uint32_t bytes, uint32_t channels, uint32_t taps) {
  const uint16_t* entry = reinterpret_cast<const uint16_t*>(stored);
  uint32_t left = bytes / 2;
  for (; channels > 0; --channels) {
    if (left == 0) return false;
    uint32_t count = *entry++;
    --left;
    if (count > left) return false;
    left -= count;
    uint32_t end = 0;
    for (; count > 0; --count) end += 1u + (*entry++ & 0xff);
    if (end > taps) return false;
  }
  return left == 0 && bytes % 2 == 0;
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_CHANNEL_WEIGHTS_H_
