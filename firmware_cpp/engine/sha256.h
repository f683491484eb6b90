// SHA-256 (FIPS 180-4), in pieces of any size: for those who must know which model this is.
#ifndef SQUEEZE_ENGINE_SHA256_H_
#define SQUEEZE_ENGINE_SHA256_H_

#include <stddef.h>
#include <stdint.h>

namespace squeeze {

constexpr size_t kSha256Bytes = 32;

// Small rather than fast: 900 bytes of code, about 100 instructions a byte on a Cortex-M4; 104 bytes here,
// and some 130 of stack while it works.
class Sha256 {
 public:
  Sha256() { Reset(); }

  // Forgets all bytes so far.
  void Reset();

  // Continues over `size` bytes.
  void Update(const uint8_t* data, size_t size);

  // The digest of all bytes since Reset(), which must come before another Update().
  void Finish(uint8_t digest[kSha256Bytes]);

 private:
  void Block();

  uint32_t state_[8];
  uint8_t block_[64];
  uint64_t size_;  // bytes so far
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_SHA256_H_
