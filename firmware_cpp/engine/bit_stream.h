// Bits of a blob, the least significant of each byte first.
#ifndef SQUEEZE_ENGINE_BIT_STREAM_H_
#define SQUEEZE_ENGINE_BIT_STREAM_H_

#include <stdint.h>
#include <string.h>

namespace squeeze {

constexpr uint32_t kPeekBits = 25;    // that Peek gives at least
constexpr uint32_t kPeekOverrun = 4;  // bytes behind a stream that Peek may read

// The bits from `position` on, from bit 0 on: kPeekBits of them, and perhaps some more.
inline uint32_t PeekBits(const uint8_t* bytes, uint32_t position) {
  uint32_t word;
  memcpy(&word, bytes + (position >> 3), sizeof(word));
  return word >> (position & 7);
}

class BitStream {
 public:
  explicit BitStream(const uint8_t* bytes) : bytes_(bytes) {}

  uint32_t Peek() const { return PeekBits(bytes_, position_); }
  void Skip(uint32_t bits) { position_ += bits; }
  uint32_t position() const { return position_; }

  // The next `bits` bits, up to kPeekBits.
  uint32_t Read(uint32_t bits) {
    const uint32_t value = Peek() & ((1u << bits) - 1);
    Skip(bits);
    return value;
  }

 private:
  const uint8_t* bytes_;
  uint32_t position_ = 0;
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_BIT_STREAM_H_
