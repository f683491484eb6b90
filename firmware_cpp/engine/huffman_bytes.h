// HuffmanToBytes in plain C++.
#ifndef SQUEEZE_ENGINE_HUFFMAN_BYTES_H_
#define SQUEEZE_ENGINE_HUFFMAN_BYTES_H_

#include "engine/huffman_decode.h"

namespace squeeze {

struct BytesSink {
  int8_t* to;
  uint32_t in_channels;
  void Put(uint32_t position, int32_t weight) { to[position] = static_cast<int8_t>(weight / kHuffmanUnit); }
  uint32_t Mask(uint32_t channel, uint32_t tap) const { return tap * in_channels + channel; }
  static bool More(uint32_t) { return true; }
};

inline void DecodeToBytes(HuffmanMode mode, HuffmanRun* run, int8_t* to) {
  BytesSink sink = {to, run->in_channels};
  DecodeChannel(mode, run, &sink);
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_HUFFMAN_BYTES_H_
