// Entropy-coded weights (kCoded), decoded channel by channel from flash; written by convert/coded.py.
//
// A model's codes: coded_tables.h. A layer's stream: uint8 mode, bits of a weight, classes (1, 2 or 4), 0;
// uint8 code of the values of each class; uint8 code of the positions of each class. Then, as bits, for each
// output channel: its class, and
//   kAll    every weight, HWI, the last one first
//   kGaps   again and again a gap, the zeros before the next weight, and that weight. 15 means 15 zeros and
//           no weight. The first that reaches the channel's end is its last one; it goes on in the next
//           channel.
//   kMasks  3x3 kernels: for each input channel which of its 9 taps are not zero, the first one the highest
//           bit; these weights
// A weight of b bits, plus 2^(b-1), is its b - 5 lowest bits as they are, then the code of the others.
#ifndef SQUEEZE_ENGINE_CODED_H_
#define SQUEEZE_ENGINE_CODED_H_

#include <stdint.h>

#include "engine/bit_stream.h"
#include "engine/coded_tables.h"

namespace squeeze {

enum class CodedMode : uint8_t { kAll = 0, kGaps = 1, kMasks = 2 };

constexpr uint32_t kCodedHeaderBytes = 12;
constexpr uint32_t kCodedTaps = 9;      // of a mask
constexpr int32_t kCodedUnit = 1 << 8;  // an entry of values: the weight times that, and bits used

// A coded layer: where its stream is, and its shape.
struct CodedSource {
  const uint8_t* stream;
  const uint8_t* codes;  // of the model
  uint32_t taps;
  uint32_t in_channels;
};

// What decodes one channel, in the order in which assembler loads it.
struct CodedRun {
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

class CodedWeights {
 public:
  // Makes the tables. The zero point of the input is folded into `bias` as the channels are decoded for the
  // first time.
  CodedWeights(const CodedSource& source, CodedTables* tables, int32_t* bias, int32_t zero_point);

  // From the first channel again.
  void Rewind();

  // The next channel's weights to `to`, HWI, zeros where nothing is stored.
  void Next(int8_t* to);

  // Next in parts, for other sinks: what decodes the next channel, and when that is done.
  CodedRun* Begin();
  void End();

  CodedMode mode() const { return mode_; }
  uint32_t position() const { return run_.position; }

 private:
  const CodedTables* const tables_;
  int32_t* const bias_;
  const int32_t zero_point_;
  CodedMode mode_;
  uint8_t class_bits_;
  bool first_pass_ = true;
  uint32_t channel_ = 0;
  CodedRun run_;
};

// One channel to `to`: of kGaps and kMasks the weights stored, where zeros are already.
void CodedToBytes(CodedMode mode, CodedRun* run, int8_t* to);

// For kernels, which may be built without all this.
#if SQUEEZE_KERNEL_CODED
inline void CodedRewind(CodedWeights* weights) { weights->Rewind(); }
inline const int8_t* CodedNext(CodedWeights* weights, int8_t* to) {
  weights->Next(to);
  return to;
}
inline bool CodedByMasks(const CodedWeights* weights) {
  return weights != nullptr && weights->mode() == CodedMode::kMasks;
}
#else
inline void CodedRewind(CodedWeights*) {}
inline const int8_t* CodedNext(CodedWeights*, int8_t* to) { return to; }
inline bool CodedByMasks(const CodedWeights*) { return false; }
#endif

// Whether `bytes` at source.stream decode as `channels` channels and stay within them. `kernel_area`: of the
// kernel. The codes are known to be good.
bool CodedStreamOk(const CodedSource& source, uint32_t bytes, uint32_t channels, uint32_t kernel_area,
                   CodedTables* tables);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_CODED_H_
