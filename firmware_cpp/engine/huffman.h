// Entropy-coded weights (kHuffman), decoded channel by channel from flash; written by
// convert/encode/entropy.py.
//
// A model's codes: huffman_tables.h. A layer's stream: uint8 mode, bits of a weight, classes (1, 2 or 4), 0;
// uint8 code of the values of each class; uint8 code of the positions of each class. Then, as bits, for each
// output channel: its class, and
//   kAll    every weight, HWI, the last one first
//   kGaps   again and again a gap, the zeros before the next weight, and that weight. 15 means 15 zeros and
//           no weight. The first that reaches the channel's end is its last one; it goes on in the next
//           channel.
//   kMasks  3x3 kernels: for each input channel which of its 9 taps are not zero, the first one the highest
//           bit; these weights
// A weight of b bits, plus 2^(b-1), is its b - 5 lowest bits as they are, then the code of the others.
#ifndef SQUEEZE_ENGINE_HUFFMAN_H_
#define SQUEEZE_ENGINE_HUFFMAN_H_

#include <stdint.h>

#include "engine/bit_stream.h"
#include "engine/huffman_tables.h"

namespace squeeze {

enum class HuffmanMode : uint8_t { kAll = 0, kGaps = 1, kMasks = 2 };

constexpr uint32_t kHuffmanHeaderBytes = 12;
constexpr uint32_t kHuffmanTaps = 9;      // of a mask
constexpr int32_t kHuffmanUnit = 1 << 8;  // an entry of values: the weight times that, and bits used

// A Huffman-coded layer: where its stream is, and its shape.
struct HuffmanSource {
  const uint8_t* stream;
  const uint8_t* codes;  // of the model
  uint32_t taps;
  uint32_t in_channels;
};

// What decodes one channel, in the order in which assembler loads it.
struct HuffmanRun {
  uint32_t position;  // of the next bit; then behind the channel's last one
  const uint8_t* bits;
  const int16_t* values;
  const void* positions;  // the table of gaps or masks
  uint32_t taps;
  uint32_t in_channels;
  uint32_t at;       // kGaps: zeros and weights told by the channel before
  uint32_t pending;  // kGaps: the gap of the next weight was
  int32_t sum;       // then: of the weights
  uint32_t raw;      // bits of a weight that are not coded
};

class HuffmanWeights {
 public:
  // Makes the tables. The zero point of the input is folded into `bias` as the channels are decoded for the
  // first time.
  HuffmanWeights(const HuffmanSource& source, HuffmanTables* tables, int32_t* bias, int32_t zero_point);

  // From the first channel again.
  void Rewind();

  // The next channel's weights to `to`, HWI, zeros where nothing is stored.
  void Next(int8_t* to);

  // Next in parts, for other sinks: what decodes the next channel, and when that is done.
  HuffmanRun* Begin();
  void End();

  HuffmanMode mode() const { return mode_; }
  uint32_t position() const { return run_.position; }

 private:
  const HuffmanTables* const tables_;
  int32_t* const bias_;
  const int32_t zero_point_;
  HuffmanMode mode_;
  uint8_t class_bits_;
  bool first_pass_ = true;
  uint32_t channel_ = 0;
  HuffmanRun run_;
};

// One channel to `to`: of kGaps and kMasks the weights stored, where zeros are already.
void HuffmanToBytes(HuffmanMode mode, HuffmanRun* run, int8_t* to);

// For kernels, which may be built without all this.
#if SQUEEZE_KERNEL_HUFFMAN
inline void HuffmanRewind(HuffmanWeights* weights) { weights->Rewind(); }
inline const int8_t* HuffmanNext(HuffmanWeights* weights, int8_t* to) {
  weights->Next(to);
  return to;
}
inline bool HuffmanByMasks(const HuffmanWeights* weights) {
  return weights != nullptr && weights->mode() == HuffmanMode::kMasks;
}
#else
inline void HuffmanRewind(HuffmanWeights*) {}
inline const int8_t* HuffmanNext(HuffmanWeights*, int8_t* to) { return to; }
inline bool HuffmanByMasks(const HuffmanWeights*) { return false; }
#endif

// Whether `bytes` at source.stream decode as `channels` channels and stay within them. `kernel_area`: of the
// kernel. The codes are known to be good.
bool HuffmanStreamOk(const HuffmanSource& source, uint32_t bytes, uint32_t channels, uint32_t kernel_area,
                     HuffmanTables* tables);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_HUFFMAN_H_
