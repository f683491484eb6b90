#include "engine/coded_params.h"

#include <cstring>

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
    std::memcpy(&value, multipliers_ + 4 * scale, sizeof(value));
    return value;
  }
  int8_t Shift(uint32_t scale) const { return static_cast<int8_t>(multipliers_[4 * scales_ + scale]); }

  // The next channel's.
  uint32_t Index() { return bits_.Read(index_bits_); }
  int32_t Bias() {
    if (bias_bits_ == 0 || bits_.Read(1) == 0) return 0;
    const uint32_t low_bits = bias_bits_ < 16 ? bias_bits_ : 16;
    uint32_t value = bits_.Read(low_bits);
    value |= bits_.Read(bias_bits_ - low_bits) << (low_bits & 31);
    const uint32_t gone = 32 - bias_bits_;
    return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int32_t>(value << gone) >> gone) << bias_shift_);
  }

 private:
  uint32_t scales_;
  uint32_t index_bits_;
  uint32_t bias_shift_;
  uint32_t bias_bits_;
  const uint8_t* multipliers_;
  BitStream bits_;
};

}  // namespace

bool CodedParamsOk(const uint8_t* packed, uint32_t bytes, uint32_t channels) {
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
    if (in.position() > end || in.Index() >= in.scales()) return false;
    if (in.position() > end) return false;
    in.Bias();
  }
  return in.position() <= end;
}

void UnpackCodedParams(const uint8_t* packed, uint32_t channels, int32_t* bias, int32_t* multipliers,
                       int8_t* shifts) {
  Packed in(packed);
  for (uint32_t o = 0; o < channels; ++o) {
    const uint32_t scale = in.Index();
    multipliers[o] = in.Multiplier(scale);
    shifts[o] = in.Shift(scale);
    bias[o] = in.Bias();
  }
}

}  // namespace squeeze
