// Entropy-coded weights (kCoded), decoded channel by channel from flash; written by convert/coded.py.
//
// A model's codes: uint16 count, uint16 offset of each; of a code, uint16 symbols, then 4 bits a symbol: its
// bits, 0 if it has no code. Canonical Huffman codes, complete, their first bit the least significant.
//
// A layer's stream: uint8 mode, bits of a weight, classes (1, 2 or 4), 0; uint8 code of the values of each
// class; uint8 code of the positions of each class. Then, as bits, for each output channel: its class, and
//   kAll    every weight, HWI
//   kGaps   again and again a gap, the zeros before the next weight, and that weight. 15 means 15 zeros and no
//           weight. What reaches beyond the channel's last weight goes on in the next channel.
//   kMasks  3x3 kernels: for each input channel which of its 9 taps are not zero, bit by bit; these weights
// A weight of b bits, plus 2^(b-1), is its b - 5 lowest bits as they are, then the code of the others.
#ifndef SQUEEZE_ENGINE_CODED_H_
#define SQUEEZE_ENGINE_CODED_H_

#include <cstdint>

#include "engine/bit_stream.h"

namespace squeeze {

enum class CodedMode : uint8_t { kAll = 0, kGaps = 1, kMasks = 2 };

constexpr uint32_t kCodedHeaderBytes = 12;
constexpr uint32_t kCodedClasses = 4;     // at most
constexpr uint32_t kCodedTopBits = 5;     // of a weight, coded
constexpr uint32_t kCodedShortBits = 8;   // of a code of values or gaps at most
constexpr uint32_t kCodedMaskBits = 13;   // of a mask's at most
constexpr uint32_t kCodedGaps = 16;       // symbols; the last one: that many less one, and no weight
constexpr uint32_t kCodedMasks = 512;     // symbols

// What follows the first 8 bits of the stream: a byte, symbol * 8 + bits - 1.
using ShortTable = uint8_t[1 << kCodedShortBits];

// Masks of up to 8 bits by the table: symbol + bits * 512, or 0. Longer ones by canonical order.
struct MaskTable {
  uint16_t quick[256];
  uint16_t first[kCodedMaskBits + 1];  // code of each number of bits
  uint16_t count[kCodedMaskBits + 1];
  uint16_t offset[kCodedMaskBits + 1];  // in `symbols`
  uint16_t symbols[kCodedMasks];
};

// The decoder's tables, in scratch.
struct CodedTables {
  ShortTable values[kCodedClasses];
  union {
    ShortTable gaps[kCodedClasses];
    MaskTable masks;
  };
};

// A coded layer: where its stream is, and its shape.
struct CodedSource {
  const uint8_t* stream;
  const uint8_t* codes;  // of the model
  uint32_t taps;
  uint32_t in_channels;
};

class CodedWeights {
 public:
  // Makes the tables. The zero point of the input is folded into `bias` as the channels are decoded for the
  // first time.
  CodedWeights(const CodedSource& source, CodedTables* tables, int32_t* bias, int32_t zero_point);

  // From the first channel again.
  void Rewind();

  // The next channel's weights to `to`, HWI, zeros where nothing is stored.
  void Next(int8_t* to);

  // The next channel's non-zero weights (kAll: all) to `sink`, in the stream's order, as
  // sink.Put(uint32_t position, int32_t weight). Defined in coded_decode.h.
  template <class Sink>
  void Decode(Sink* sink);

  CodedMode mode() const { return mode_; }

 private:
  friend bool CodedStreamOk(const CodedSource&, uint32_t, uint32_t, uint32_t, CodedTables*);

  void Folded(int32_t sum);

  const CodedSource source_;
  const CodedTables* const tables_;
  int32_t* const bias_;
  const int32_t zero_point_;
  CodedMode mode_ = CodedMode::kAll;
  uint8_t value_bits_ = 0;
  uint8_t class_bits_ = 0;
  bool first_pass_ = true;
  bool pending_ = false;  // kGaps: the channel before has told the gap of the next weight
  uint32_t at_ = 0;       // kGaps: where that stands
  uint32_t channel_ = 0;
  BitStream bits_;
};

// For kernels, which may be built without all this.
#if SQUEEZE_KERNEL_CODED
inline void CodedRewind(CodedWeights* weights) { weights->Rewind(); }
inline const int8_t* CodedNext(CodedWeights* weights, int8_t* to) {
  weights->Next(to);
  return to;
}
#else
inline void CodedRewind(CodedWeights*) {}
inline const int8_t* CodedNext(CodedWeights*, int8_t* to) { return to; }
#endif

// Whether a model's codes are `bytes` of what they should be.
bool CodesOk(const uint8_t* codes, uint32_t bytes);

// Whether `bytes` at source.stream decode as `channels` channels and stay within them. `kernel_area`: of the
// kernel. The codes are known to be good.
bool CodedStreamOk(const CodedSource& source, uint32_t bytes, uint32_t channels, uint32_t kernel_area,
                   CodedTables* tables);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_CODED_H_
