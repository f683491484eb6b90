// TFLite's integer rescaling (gemmlowp's double rounding), exact to the bit.
#ifndef SQUEEZE_ENGINE_FIXED_POINT_H_
#define SQUEEZE_ENGINE_FIXED_POINT_H_

#include <stdint.h>

namespace squeeze {

// round(a * b / 2^31), half away from zero for positive products, towards zero
// for negative ones: gemmlowp's SaturatingRoundingDoublingHighMul. Saturation
// needs both operands at INT32_MIN, and multipliers are never negative here
// but in softmax, which stays far from it.
inline int32_t DoublingHighMul(int32_t a, int32_t b) {
  const int64_t product = static_cast<int64_t>(a) * b;
  return static_cast<int32_t>((product + (int64_t{1} << 30)) >> 31);
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

// Whether Rescale takes `shift`.
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
