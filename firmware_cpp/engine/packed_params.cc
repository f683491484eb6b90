#include "engine/packed_params.h"

#include <string.h>

#include "engine/bit_stream.h"
#include "engine/fixed_point.h"

namespace squeeze {
namespace {

constexpr uint32_t kHeaderBytes = 4;
constexpr uint32_t kMostBiasBits = 32;
constexpr uint32_t kMostIndexBits = 16;

class Packed {
 public:
  explicit Packed(const uint8_t* packed)
      : scales_(packed[0] | uint32_t{packed[1]} << 8),
        index_bits_(packed[2] & 31),
        bias_shift_(packed[2] >> 5),
        index_mask_((1u << (index_bits_ & 31)) - 1),
        bias_bits_(packed[3]),
        multipliers_(packed + kHeaderBytes),
        bits_(multipliers_ + 5 * scales_) {}

  uint32_t scales() const { return scales_; }
  uint32_t index_bits() const { return index_bits_; }
  uint32_t bias_bits() const { return bias_bits_; }
  uint32_t bytes_before_bits() const { return kHeaderBytes + 5 * scales_; }
  uint32_t position() const { return bits_.position(); }

  int32_t Multiplier(uint32_t scale) const {
    int32_t value;
    memcpy(&value, multipliers_ + 4 * scale, sizeof(value));
    return value;
  }
  int8_t Shift(uint32_t scale) const { return static_cast<int8_t>(multipliers_[4 * scales_ + scale]); }

  // What the next channel takes; looks no further than where it begins.
  uint32_t Bits() const {
    if (bias_bits_ == 0) return index_bits_;
    return index_bits_ + 1 + ((bits_.Peek() & (index_mask_ + 1)) != 0 ? bias_bits_ : 0);
  }
  // The next channel's index of a scale, and its bias.
  uint32_t Next(int32_t* bias) {
    uint32_t word = bits_.Peek();
    const uint32_t index = word & index_mask_;
    bits_.Skip(index_bits_);
    *bias = 0;
    if (bias_bits_ == 0) return index;
    bits_.Skip(1);
    if ((word & (index_mask_ + 1)) == 0) return index;
    const uint32_t gone = 32 - bias_bits_;
    const uint32_t low_bits = bias_bits_ < kLow ? bias_bits_ : kLow;
    uint32_t value = bits_.Read(low_bits);
    if (bias_bits_ > kLow) value |= bits_.Read(bias_bits_ - kLow) << kLow;
    const int32_t odd = static_cast<int32_t>(value << gone) >> gone;
    *bias = ShiftLeft(odd, static_cast<int>(bias_shift_));
    return index;
  }

 private:
  static constexpr uint32_t kLow = 24;  // of a bias' bits are read at once

  uint32_t scales_;
  uint32_t index_bits_;
  uint32_t bias_shift_;
  uint32_t index_mask_;
  uint32_t bias_bits_;
  const uint8_t* multipliers_;
  BitStream bits_;
};

}  // namespace

bool PackedParamsOk(const uint8_t* packed, uint32_t bytes, uint32_t channels) {
  if (bytes < kHeaderBytes || bytes > 1u << 28) return false;
  Packed in(packed);
  if (in.scales() == 0 || in.index_bits() > kMostIndexBits || in.bias_bits() > kMostBiasBits ||
      in.bytes_before_bits() > bytes) {
    return false;
  }
  for (uint32_t i = 0; i < in.scales(); ++i) {
    if (in.Multiplier(i) < 0 || !ShiftOk(in.Shift(i))) return false;
  }
  const uint32_t end = 8 * (bytes - in.bytes_before_bits());
  for (uint32_t o = 0; o < channels; ++o) {
    int32_t bias;
    if (in.position() + in.Bits() > end || in.Next(&bias) >= in.scales()) return false;
  }
  return true;
}

void UnpackParams(const uint8_t* packed, uint32_t channels, int32_t* bias, int32_t* multipliers,
                  int8_t* shifts) {
  Packed in(packed);
  for (uint32_t o = 0; o < channels; ++o) {
    const uint32_t scale = in.Next(bias + o);
    multipliers[o] = in.Multiplier(scale);
    shifts[o] = in.Shift(scale);
  }
}

}  // namespace squeeze
