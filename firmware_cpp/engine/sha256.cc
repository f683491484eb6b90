#include "engine/sha256.h"

#include <string.h>

namespace squeeze {
namespace {

// FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

constexpr size_t kSizeAt = 56;  // in the last block: the number of bits, big-endian

inline uint32_t RotatedRight(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

inline uint32_t LoadBigEndian(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 |
         static_cast<uint32_t>(p[2]) << 8 | p[3];
}

}  // namespace

void Sha256::Reset() {
  // 5.3.3: of the square roots of the first 8 primes.
  static constexpr uint32_t kStart[8] = {
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  };
  memcpy(state_, kStart, sizeof(state_));
  size_ = 0;
}

void Sha256::Update(const uint8_t* data, size_t size) {
  while (size > 0) {
    const size_t held = static_cast<size_t>(size_ % sizeof(block_));
    const size_t room = sizeof(block_) - held;
    const size_t taken = size < room ? size : room;
    memcpy(block_ + held, data, taken);
    size_ += taken;
    data += taken;
    size -= taken;
    if (taken == room) Block();
  }
}

// 5.1.1: a one bit, zeros, and the size.
void Sha256::Finish(uint8_t digest[kSha256Bytes]) {
  const uint64_t bits = size_ * 8;
  size_t held = static_cast<size_t>(size_ % sizeof(block_));
  block_[held++] = 0x80;
  if (held > kSizeAt) {
    memset(block_ + held, 0, sizeof(block_) - held);
    Block();
    held = 0;
  }
  memset(block_ + held, 0, kSizeAt - held);
  for (size_t i = 0; i < 8; ++i) block_[kSizeAt + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  Block();
  for (size_t i = 0; i < kSha256Bytes; ++i) {
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
}

// 6.2.2, with the schedule's last 16 words in a ring (6.2.3's way).
void Sha256::Block() {
  uint32_t w[16];
  for (size_t i = 0; i < 16; ++i) w[i] = LoadBigEndian(block_ + 4 * i);
  // Variables, not an array: to move seven words up would be a call of memmove in each of the 64 rounds.
  uint32_t a = state_[0];
  uint32_t b = state_[1];
  uint32_t c = state_[2];
  uint32_t d = state_[3];
  uint32_t e = state_[4];
  uint32_t f = state_[5];
  uint32_t g = state_[6];
  uint32_t h = state_[7];
  for (size_t t = 0; t < 64; ++t) {
    if (t >= 16) {
      const uint32_t two = w[(t - 2) % 16];
      const uint32_t fifteen = w[(t - 15) % 16];
      w[t % 16] += w[(t - 7) % 16] + (RotatedRight(two, 17) ^ RotatedRight(two, 19) ^ two >> 10) +
                   (RotatedRight(fifteen, 7) ^ RotatedRight(fifteen, 18) ^ fifteen >> 3);
    }
    const uint32_t sum1 = RotatedRight(e, 6) ^ RotatedRight(e, 11) ^ RotatedRight(e, 25);
    const uint32_t t1 = h + sum1 + (g ^ (e & (f ^ g))) + kRound[t] + w[t % 16];
    const uint32_t sum0 = RotatedRight(a, 2) ^ RotatedRight(a, 13) ^ RotatedRight(a, 22);
    const uint32_t t2 = sum0 + ((a & b) | (c & (a | b)));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
  state_[4] += e;
  state_[5] += f;
  state_[6] += g;
  state_[7] += h;
}

}  // namespace squeeze
