// TFLite's integer rescaling (gemmlowp's double rounding), exact to the bit.
#ifndef SQUEEZE_ENGINE_FIXED_POINT_H_
#define SQUEEZE_ENGINE_FIXED_POINT_H_

#include <stdint.h>

namespace squeeze {

constexpr int kAddLeftShift = 20;  // TFLite's ADD raises both inputs by so many bits before it rescales them

// round(a * b / 2^31), half away from zero for positive products, towards zero
// for negative ones: gemmlowp's SaturatingRoundingDoublingHighMul. Saturation
// needs both operands at INT32_MIN, and multipliers are never negative here
// but in softmax, which stays far from it.
constexpr int32_t DoublingHighMul64(int32_t a, int32_t b) {
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (int64_t{1} << 30)) >> 31);
}

// The same from products of 16 bits, for CPUs that multiply 32 bits into 32 only, where a product of 64 is a
// call of libgcc's and four times slower. In units of 2^16 nothing below can carry into the result. In three
// functions of one statement each: C++11 takes no others for constants.
constexpr int32_t JoinHalves(uint32_t high, uint32_t low) {
  return static_cast<int32_t>(2 * (high + (low >> 16)) + (low >> 15 & 1));
}
constexpr int32_t JoinProducts(int32_t highs, int32_t middle, int32_t other, uint32_t lows) {
  return JoinHalves(
      static_cast<uint32_t>(highs) + static_cast<uint32_t>(middle >> 16) + static_cast<uint32_t>(other >> 16),
      (lows >> 16) + (static_cast<uint32_t>(middle) & 0xFFFF) + (static_cast<uint32_t>(other) & 0xFFFF) +
          (1u << 14));
}
constexpr int32_t DoublingHighMul16(int32_t a, int32_t b) {
  return JoinProducts((a >> 16) * (b >> 16), (a >> 16) * (b & 0xFFFF), (a & 0xFFFF) * (b >> 16),
                      (static_cast<uint32_t>(a) & 0xFFFF) * (static_cast<uint32_t>(b) & 0xFFFF));
}
static_assert(DoublingHighMul16(INT32_MIN, INT32_MAX) == DoublingHighMul64(INT32_MIN, INT32_MAX));
static_assert(DoublingHighMul16(INT32_MAX, INT32_MAX) == DoublingHighMul64(INT32_MAX, INT32_MAX));
static_assert(DoublingHighMul16(-0x12345, 0x40000001) == DoublingHighMul64(-0x12345, 0x40000001));
static_assert(DoublingHighMul16(1, 0x40000000) == 1 && DoublingHighMul16(-1, 0x40000000) == 0);  // halves
static_assert(DoublingHighMul16(0x7FFFFFFF, -0x7FFF8001) == DoublingHighMul64(0x7FFFFFFF, -0x7FFF8001));

inline int32_t DoublingHighMul(int32_t a, int32_t b) {
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1
  return DoublingHighMul16(a, b);
#else
  return DoublingHighMul64(a, b);
#endif
}

// round(x / 2^exponent), half away from zero; exponent 0 to 31.
inline int32_t RoundingShiftRight(int32_t x, int exponent) {
  if (exponent == 0) return x;
  // Taking 1 from a negative number sends its halves down, away from zero;
  // then the last bit shifted out is what rounding adds.
  const int32_t y = static_cast<int32_t>(static_cast<uint32_t>(x) + static_cast<uint32_t>(x >> 31));
  const int32_t twice = y >> (exponent - 1);
  return (twice >> 1) + (twice & 1);
}

// x * 2^exponent, wrapping; exponent 0 to 31.
inline int32_t ShiftLeft(int32_t x, int exponent) {
  return static_cast<int32_t>(static_cast<uint32_t>(x) << exponent);
}

// a + b, wrapping: a sound model never comes near the ends, a hostile one must not be undefined.
inline int32_t WrappingAdd(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

// x * multiplier * 2^(shift - 31): TFLite's MultiplyByQuantizedMultiplier.
inline int32_t Rescale(int32_t x, int32_t multiplier, int shift) {
  if (shift > 0) return DoublingHighMul(ShiftLeft(x, shift), multiplier);
  return RoundingShiftRight(DoublingHighMul(x, multiplier), -shift);
}

// The same rounded once, halves up, as TFLite's FULLY_CONNECTED does it.
inline int32_t RescaleOnce(int32_t x, int32_t multiplier, int shift) {
  const int places = 31 - shift;
  const int64_t product = static_cast<int64_t>(x) * multiplier;
  return static_cast<int32_t>((product + (int64_t{1} << (places - 1))) >> places);
}

// Whether Rescale and RescaleOnce take `shift`.
inline bool ShiftOk(int32_t shift) { return shift >= -31 && shift <= 30; }

inline int8_t Clamp(int32_t x, int32_t low, int32_t high) {
  return static_cast<int8_t>(x < low ? low : (x > high ? high : x));
}

// An accumulator to an int8: rescale, add the zero point, clamp to the activation's range.
inline int8_t Requantize(int32_t acc, int32_t multiplier, int shift, int32_t zero_point, int32_t low,
                         int32_t high) {
  return Clamp(WrappingAdd(Rescale(acc, multiplier, shift), zero_point), low, high);
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_FIXED_POINT_H_
