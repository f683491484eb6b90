// The decoder's loops, for any sink. Without RAM for it, each kernel has its weights where it wants them.
#ifndef SQUEEZE_ENGINE_CODED_DECODE_H_
#define SQUEEZE_ENGINE_CODED_DECODE_H_

#include "engine/coded.h"

namespace squeeze {

// A decoder's eyes on one channel: copies of what its loops use, so that they stay in registers.
class CodedChannel {
 public:
  CodedChannel(BitStream bits, const uint8_t* values, uint32_t value_bits)
      : bits_(bits),
        values_(values),
        raw_(value_bits > kCodedTopBits ? value_bits - kCodedTopBits : 0),
        half_(1 << (value_bits - 1)) {}

  // The weight at the bottom of `word`, of which it takes up to 11 bits.
  int32_t Value(uint32_t* word) {
    const uint32_t entry = values_[(*word >> raw_) & 0xff];
    const uint32_t rest = *word & ((1u << raw_) - 1);
    const uint32_t used = (entry & 7) + 1 + raw_;
    *word >>= used;
    bits_.Skip(used);
    return static_cast<int32_t>((entry >> 3) << raw_ | rest) - half_;
  }
  // The gap there, of up to 8 bits.
  uint32_t Gap(const uint8_t* gaps, uint32_t* word) {
    const uint32_t entry = gaps[*word & 0xff];
    const uint32_t used = (entry & 7) + 1;
    *word >>= used;
    bits_.Skip(used);
    return entry >> 3;
  }
  // The mask there, of up to 13 bits.
  uint32_t Mask(const MaskTable& masks, uint32_t* word) {
    const uint32_t entry = masks.quick[*word & 0xff];
    const uint32_t used = entry != 0 ? entry >> 9 : LongMaskBits(masks, *word);
    const uint32_t mask = entry != 0 ? entry & 511 : long_mask_;
    *word >>= used;
    bits_.Skip(used);
    return mask;
  }
  uint32_t Peek() const { return bits_.Peek(); }
  const BitStream& bits() const { return bits_; }

 private:
  // A mask of more than 8 bits: canonical codes of one length follow each other.
  uint32_t LongMaskBits(const MaskTable& masks, uint32_t word) {
    uint32_t code = 0;
    for (uint32_t i = 0; i < 8; ++i) code = code << 1 | (word >> i & 1);
    for (uint32_t bits = 9; bits <= kCodedMaskBits; ++bits) {
      code = code << 1 | (word >> (bits - 1) & 1);
      const uint32_t index = code - masks.first[bits];
      if (index < masks.count[bits]) {
        long_mask_ = masks.symbols[masks.offset[bits] + index];
        return bits;
      }
    }
    long_mask_ = 0;
    return kCodedMaskBits;  // not of a complete code
  }

  BitStream bits_;
  const uint8_t* const values_;
  const uint32_t raw_;
  const int32_t half_;
  uint32_t long_mask_ = 0;
};

template <class Sink>
void CodedWeights::Decode(Sink* sink) {
  const uint32_t k = class_bits_ == 0 ? 0 : bits_.Read(class_bits_);
  CodedChannel in(bits_, tables_->values[k], value_bits_);
  int32_t sum = 0;
  const auto put = [&](uint32_t position, uint32_t* word) {
    const int32_t weight = in.Value(word);
    sum += weight;
    sink->Put(position, weight);
  };
  if (mode_ == CodedMode::kAll) {
    for (uint32_t i = 0; i < source_.taps; ++i) {
      if (!sink->More(in.bits())) break;
      uint32_t word = in.Peek();
      put(i, &word);
    }
  } else if (mode_ == CodedMode::kGaps) {
    uint32_t at = at_;
    if (pending_ && at < source_.taps && sink->More(in.bits())) {
      uint32_t word = in.Peek();
      put(at++, &word);
      pending_ = false;
    }
    while (at < source_.taps && sink->More(in.bits())) {
      uint32_t word = in.Peek();
      const uint32_t gap = in.Gap(tables_->gaps[k], &word);
      at += gap;
      if (gap == kCodedGaps - 1) continue;
      if (at >= source_.taps) {
        pending_ = true;
        break;
      }
      put(at++, &word);
    }
    at_ = at >= source_.taps ? at - source_.taps : 0;
  } else {
    for (uint32_t c = 0; c < source_.in_channels; ++c) {
      if (!sink->More(in.bits())) break;
      uint32_t word = in.Peek();
      uint32_t mask = in.Mask(tables_->masks, &word);
      for (uint32_t position = c; mask != 0; mask >>= 1, position += source_.in_channels) {
        if ((mask & 1) == 0) continue;
        if (!sink->More(in.bits())) break;
        word = in.Peek();
        put(position, &word);
      }
    }
  }
  bits_ = in.bits();
  Folded(sum);
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_CODED_DECODE_H_
