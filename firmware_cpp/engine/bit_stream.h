// Bits of a blob, the least significant of each byte first.
#ifndef SQUEEZE_ENGINE_BIT_STREAM_H_
#define SQUEEZE_ENGINE_BIT_STREAM_H_

#include <cstdint>
#include <cstring>

namespace squeeze {

constexpr uint32_t kPeekBits = 25;     // that Peek gives at least
constexpr uint32_t kPeekOverrun = 4;   // bytes behind a stream that Peek may read

class BitStream {
 public:
  BitStream() = default;
  explicit BitStream(const uint8_t* bytes) : bytes_(bytes) {}

  // The next kPeekBits bits, and perhaps some more, from bit 0 on.
  uint32_t Peek() const {
    uint32_t word;
    std::memcpy(&word, bytes_ + (position_ >> 3), sizeof(word));
    return word >> (position_ & 7);
  }
  void Skip(uint32_t bits) { position_ += bits; }
  uint32_t position() const { return position_; }

  // The next `bits` bits, up to kPeekBits.
  uint32_t Read(uint32_t bits) {
    const uint32_t value = Peek() & ((1u << bits) - 1);
    Skip(bits);
    return value;
  }

 private:
  const uint8_t* bytes_ = nullptr;
  uint32_t position_ = 0;
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_BIT_STREAM_H_
