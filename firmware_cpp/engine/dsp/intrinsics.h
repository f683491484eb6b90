// The DSP instructions of ARMv7E-M (Cortex-M4, M7, M33 with DSP) that the kernels use, one function each.
// Elsewhere plain C++ of the same result to the bit, so that tests on the host run these very kernels.
// Sums wrap modulo 2^32 on both sides. "Halves": two int16 in a word, [0] the low one; "bytes": four int8.
#ifndef SQUEEZE_ENGINE_DSP_INTRINSICS_H_
#define SQUEEZE_ENGINE_DSP_INTRINSICS_H_

#include <stdint.h>
#include <string.h>

namespace squeeze {

inline int32_t LowHalf(uint32_t x) { return static_cast<int16_t>(x & 0xFFFF); }
inline int32_t HighHalf(uint32_t x) { return static_cast<int16_t>(x >> 16); }
inline uint32_t Halves(int32_t low, int32_t high) {
  return (static_cast<uint32_t>(low) & 0xFFFF) | (static_cast<uint32_t>(high) << 16);
}

// A word from or to any address: one LDR or STR, which ARMv7-M also takes unaligned.
inline uint32_t LoadWord(const void* from) {
  uint32_t word;
  memcpy(&word, from, sizeof(word));
  return word;
}
inline void StoreWord(void* to, uint32_t word) { memcpy(to, &word, sizeof(word)); }

#if defined(__ARM_FEATURE_DSP)

// asm is not volatile: results depend on nothing but the operands.
#define SQUEEZE_DSP_2(Name, op)                                \
  inline uint32_t Name(uint32_t a, uint32_t b) {               \
    uint32_t result;                                           \
    __asm__(op " %0, %1, %2" : "=r"(result) : "r"(a), "r"(b)); \
    return result;                                             \
  }
#define SQUEEZE_DSP_1(Name, op, suffix)                   \
  inline uint32_t Name(uint32_t a) {                      \
    uint32_t result;                                      \
    __asm__(op " %0, %1" suffix : "=r"(result) : "r"(a)); \
    return result;                                        \
  }

SQUEEZE_DSP_2(Sadd16, "sadd16")
SQUEEZE_DSP_2(Ssub16, "ssub16")
SQUEEZE_DSP_2(Sxtab16, "sxtab16")
SQUEEZE_DSP_1(Sxtb16, "sxtb16", "")
SQUEEZE_DSP_1(Sxtb16Ror8, "sxtb16", ", ror #8")
SQUEEZE_DSP_1(Uxtb16, "uxtb16", "")
SQUEEZE_DSP_1(Uxtb16Ror8, "uxtb16", ", ror #8")
#undef SQUEEZE_DSP_1
#undef SQUEEZE_DSP_2

inline uint32_t Sxtab16Ror8(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

// Two halves of two words: (a[0], b[0]) and (a[1], b[1]).
inline uint32_t PackLow(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

inline uint32_t PackHigh(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("pkhtb %0, %2, %1, asr #16" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

inline int32_t Smlad(uint32_t a, uint32_t b, int32_t acc) {
  int32_t result;
  __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

inline int32_t Smuad(uint32_t a, uint32_t b) {
  int32_t result;
  __asm__("smuad %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

inline int32_t Smlabb(uint32_t a, uint32_t b, int32_t acc) {
  int32_t result;
  __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

inline int32_t Smlatb(uint32_t a, uint32_t b, int32_t acc) {
  int32_t result;
  __asm__("smlatb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

inline int32_t Smmlar(int32_t a, int32_t b, int32_t acc) {
  int32_t result;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

inline int64_t Smlal(int64_t acc, int32_t a, int32_t b) {
  uint32_t low = static_cast<uint32_t>(acc);
  uint32_t high = static_cast<uint32_t>(acc >> 32);
  __asm__("smlal %0, %1, %2, %3" : "+r"(low), "+r"(high) : "r"(a), "r"(b));
  return static_cast<int64_t>((uint64_t{high} << 32) | low);
}

inline int32_t Ssat8(int32_t x) {
  int32_t result;
  __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
  return result;
}

// SSUB8 sets the four GE flags where a's byte is not below b's, SEL takes a's there.
inline uint32_t MaxBytes(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
  return result;
}

#else

inline uint32_t Sadd16(uint32_t a, uint32_t b) {
  return Halves(LowHalf(a) + LowHalf(b), HighHalf(a) + HighHalf(b));
}
inline uint32_t Ssub16(uint32_t a, uint32_t b) {
  return Halves(LowHalf(a) - LowHalf(b), HighHalf(a) - HighHalf(b));
}
inline uint32_t Sxtb16(uint32_t a) {
  return Halves(static_cast<int8_t>(a & 0xFF), static_cast<int8_t>((a >> 16) & 0xFF));
}
inline uint32_t Sxtb16Ror8(uint32_t a) { return Sxtb16(a >> 8); }
inline uint32_t Sxtab16(uint32_t a, uint32_t b) { return Sadd16(a, Sxtb16(b)); }
inline uint32_t Sxtab16Ror8(uint32_t a, uint32_t b) { return Sadd16(a, Sxtb16Ror8(b)); }
inline uint32_t Uxtb16(uint32_t a) { return a & 0x00FF00FF; }
inline uint32_t Uxtb16Ror8(uint32_t a) { return (a >> 8) & 0x00FF00FF; }

inline uint32_t PackLow(uint32_t a, uint32_t b) { return (a & 0xFFFF) | (b << 16); }
inline uint32_t PackHigh(uint32_t a, uint32_t b) { return (a >> 16) | (b & 0xFFFF0000u); }

inline int32_t Smlad(uint32_t a, uint32_t b, int32_t acc) {
  const uint32_t low = static_cast<uint32_t>(LowHalf(a) * LowHalf(b));
  const uint32_t high = static_cast<uint32_t>(HighHalf(a) * HighHalf(b));
  return static_cast<int32_t>(static_cast<uint32_t>(acc) + low + high);
}
inline int32_t Smuad(uint32_t a, uint32_t b) { return Smlad(a, b, 0); }
inline int32_t Smlabb(uint32_t a, uint32_t b, int32_t acc) {
  return static_cast<int32_t>(static_cast<uint32_t>(acc) + static_cast<uint32_t>(LowHalf(a) * LowHalf(b)));
}
inline int32_t Smlatb(uint32_t a, uint32_t b, int32_t acc) {
  return static_cast<int32_t>(static_cast<uint32_t>(acc) + static_cast<uint32_t>(HighHalf(a) * LowHalf(b)));
}

inline int32_t Smmlar(int32_t a, int32_t b, int32_t acc) {
  const uint64_t product = static_cast<uint64_t>(static_cast<int64_t>(a) * b);
  const uint64_t sum = product + (uint64_t{static_cast<uint32_t>(acc)} << 32) + 0x80000000u;
  return static_cast<int32_t>(static_cast<uint32_t>(sum >> 32));
}

inline int64_t Smlal(int64_t acc, int32_t a, int32_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(acc) +
                              static_cast<uint64_t>(static_cast<int64_t>(a) * b));
}

inline int32_t Ssat8(int32_t x) { return x < -128 ? -128 : (x > 127 ? 127 : x); }

inline uint32_t MaxBytes(uint32_t a, uint32_t b) {
  uint32_t result = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    const int8_t u = static_cast<int8_t>((a >> shift) & 0xFF);
    const int8_t v = static_cast<int8_t>((b >> shift) & 0xFF);
    result |= static_cast<uint32_t>(static_cast<uint8_t>(u > v ? u : v)) << shift;
  }
  return result;
}

#endif  // __ARM_FEATURE_DSP

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_INTRINSICS_H_
