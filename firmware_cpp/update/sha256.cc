#include "update/sha256.h"

#include <string.h>

namespace update {
namespace {

// FIPS 180-4, 4.2.2 and 5.3.3: the first 32 bits of the fractional parts of the cube roots of the first 64
// primes, and of the square roots of the first 8.
constexpr uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
constexpr uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

uint32_t Rotate(uint32_t value, int by) { return value >> by | value << (32 - by); }

uint32_t LoadBig(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 |
         static_cast<uint32_t>(p[2]) << 8 | p[3];
}

void StoreBig(uint8_t* p, uint32_t value) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

}  // namespace

void Sha256::Reset() {
  memcpy(state_, kInitial, sizeof(state_));
  bytes_ = 0;
}

void Sha256::Add(const uint8_t* data, size_t bytes) {
  size_t filled = bytes_ % sizeof(block_);
  bytes_ += bytes;
  while (bytes > 0) {
    if (filled == 0 && bytes >= sizeof(block_)) {
      Block(data);
      data += sizeof(block_);
      bytes -= sizeof(block_);
      continue;
    }
    const size_t room = sizeof(block_) - filled;
    const size_t count = bytes < room ? bytes : room;
    memcpy(block_ + filled, data, count);
    data += count;
    bytes -= count;
    filled += count;
    if (filled == sizeof(block_)) {
      Block(block_);
      filled = 0;
    }
  }
}

void Sha256::Finish(uint8_t* digest) {
  const uint64_t bits = bytes_ * 8;
  uint8_t tail[sizeof(block_) + 8] = {0x80};
  const size_t filled = bytes_ % sizeof(block_);
  const size_t zeros = (filled < 56 ? 56 : 120) - filled;  // with the one bit before them
  StoreBig(tail + zeros, static_cast<uint32_t>(bits >> 32));
  StoreBig(tail + zeros + 4, static_cast<uint32_t>(bits));
  Add(tail, zeros + 8);
  for (int i = 0; i < 8; ++i) StoreBig(digest + 4 * i, state_[i]);
}

void Sha256::Block(const uint8_t* data) {
  uint32_t w[16];  // the last sixteen words of the schedule: it takes 64 bytes of stack instead of 256
  uint32_t a = state_[0], b = state_[1], c = state_[2], d = state_[3];
  uint32_t e = state_[4], f = state_[5], g = state_[6], h = state_[7];
  for (int i = 0; i < 64; ++i) {
    if (i < 16) {
      w[i] = LoadBig(data + 4 * i);
    } else {
      const uint32_t early = w[(i + 1) & 15], late = w[(i + 14) & 15];
      w[i & 15] += (Rotate(early, 7) ^ Rotate(early, 18) ^ early >> 3) + w[(i + 9) & 15] +
                   (Rotate(late, 17) ^ Rotate(late, 19) ^ late >> 10);
    }
    const uint32_t t1 = h + (Rotate(e, 6) ^ Rotate(e, 11) ^ Rotate(e, 25)) + ((e & f) ^ (~e & g)) +
                        kRounds[i] + w[i & 15];
    const uint32_t t2 = (Rotate(a, 2) ^ Rotate(a, 13) ^ Rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const uint32_t sums[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) state_[i] += sums[i];
}

}  // namespace update
