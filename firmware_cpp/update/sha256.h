// SHA-256 (FIPS 180-4), piece by piece.
#ifndef FIRMWARE_CPP_UPDATE_SHA256_H_
#define FIRMWARE_CPP_UPDATE_SHA256_H_

#include <stddef.h>
#include <stdint.h>

namespace update {

class Sha256 {
 public:
  Sha256() { Reset(); }
  void Reset();
  void Add(const uint8_t* data, size_t bytes);

  // Writes the 32 bytes; then Reset() before more is added.
  void Finish(uint8_t* digest);

 private:
  void Block(const uint8_t* data);

  uint32_t state_[8];
  uint64_t bytes_;
  uint8_t block_[64];
};

}  // namespace update

#endif  // FIRMWARE_CPP_UPDATE_SHA256_H_
