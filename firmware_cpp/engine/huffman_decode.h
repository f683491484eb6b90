// The decoder's loops, for any sink: Put(uint32_t position, int32_t weight), with weights times kHuffmanUnit;
// Mask(uint32_t channel, uint32_t tap), the position there; More(uint32_t position), whether to go on.
// dsp/ has the same in assembler.
#ifndef SQUEEZE_ENGINE_HUFFMAN_DECODE_H_
#define SQUEEZE_ENGINE_HUFFMAN_DECODE_H_

#include "engine/huffman.h"

namespace squeeze {

// A decoder's eyes on one channel: copies of what its loops use, so that they stay in registers.
class HuffmanReader {
 public:
  explicit HuffmanReader(const HuffmanRun& run)
      : bits_(run.bits), position_(run.position), values_(run.values), raw_(run.raw) {}

  // Up to 13 bits of a gap or mask and 11 of a weight are valid after this.
  void Peek() { word_ = PeekBits(bits_, position_); }

  // A weight, times kHuffmanUnit.
  int32_t Value() {
    const int32_t entry = values_[(word_ >> raw_) & (kShortEntries - 1)];
    const uint32_t rest = word_ & ((1u << raw_) - 1);
    Skip(static_cast<uint32_t>(entry) & 0xff);
    const int32_t weight = (entry & ~0xff) + static_cast<int32_t>(rest) * kHuffmanUnit;
    sum_ += weight;
    return weight;
  }
  // A gap + 1, or -1.
  int32_t Gap(const int16_t* gaps) {
    const int32_t entry = gaps[word_ & (kShortEntries - 1)];
    Skip(static_cast<uint32_t>(entry) & 0xff);
    return entry >> 8;
  }
  // The first tap is the highest of 9 bits.
  uint32_t Mask(const uint16_t* masks) {
    uint32_t entry = masks[word_ & (kQuickEntries - 1)];
    if ((entry & kMaskLong) != 0) {
      const uint32_t rest = word_ >> kHuffmanQuickBits & entry >> 10;
      entry = masks[kQuickEntries + 2 * (entry & (kMaskLong - 1)) + rest];
    }
    Skip(entry >> 10);
    return entry & (kHuffmanMasks - 1);
  }

  uint32_t position() const { return position_; }
  int32_t sum() const { return sum_ / kHuffmanUnit; }

 private:
  void Skip(uint32_t bits) {
    word_ >>= bits;
    position_ += bits;
  }

  const uint8_t* const bits_;
  uint32_t position_;
  const int16_t* const values_;
  const uint32_t raw_;
  uint32_t word_ = 0;
  int32_t sum_ = 0;
};

template <class Sink>
void DecodeGaps(HuffmanReader* in, HuffmanRun* run, Sink* sink) {
  const int16_t* const gaps = static_cast<const int16_t*>(run->positions);
  const uint32_t taps = run->taps;
  uint32_t at = run->at;
  bool told = run->pending != 0;
  if (at >= taps) {
    run->at = at - taps;
    return;
  }
  while (sink->More(in->position())) {
    in->Peek();
    if (!told) {
      const int32_t gap = in->Gap(gaps);
      told = gap > 0;
      at += told ? static_cast<uint32_t>(gap) - 1 : kHuffmanGaps - 1;
      if (at >= taps) break;
      if (!told) continue;
    }
    sink->Put(at++, in->Value());
    told = false;
  }
  run->at = at - taps;
  run->pending = told ? 1 : 0;
}

// One channel.
template <class Sink>
void DecodeChannel(HuffmanMode mode, HuffmanRun* run, Sink* sink) {
  HuffmanReader in(*run);
  if (mode == HuffmanMode::kAll) {
    for (uint32_t i = run->taps; i > 0 && sink->More(in.position());) {
      in.Peek();
      sink->Put(--i, in.Value());
    }
  } else if (mode == HuffmanMode::kGaps) {
    DecodeGaps(&in, run, sink);
  } else {
    const uint16_t* const masks = static_cast<const uint16_t*>(run->positions);
    for (uint32_t c = 0; c < run->in_channels && sink->More(in.position()); ++c) {
      in.Peek();
      uint32_t mask = in.Mask(masks);
      for (uint32_t tap = 0; mask != 0; mask = mask << 1 & (kHuffmanMasks - 1), ++tap) {
        if ((mask & kHuffmanMasks / 2) == 0) continue;
        if (!sink->More(in.position())) break;
        in.Peek();
        sink->Put(sink->Mask(c, tap), in.Value());
      }
    }
  }
  run->position = in.position();
  run->sum = in.sum();
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_HUFFMAN_DECODE_H_
