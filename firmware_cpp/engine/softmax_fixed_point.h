// What the kernels of softmax share: the formats of TFLite's fixed-point softmax (gemmlowp), and its
// reciprocal. Qm.n: a signed fixed-point number with n fraction bits.
#ifndef SQUEEZE_ENGINE_SOFTMAX_FIXED_POINT_H_
#define SQUEEZE_ENGINE_SOFTMAX_FIXED_POINT_H_

#include <stdint.h>

#include "engine/fixed_point.h"

namespace squeeze {

constexpr int kIntegerBits = 5;  // differences to the maximum are Q5.26
constexpr int kFractionBits = 31 - kIntegerBits;
constexpr int kSumIntegerBits = 12;  // sums of exp are Q12.19
constexpr int kOutputBits = 8;       // probabilities in units of 1/256
constexpr int32_t kOne = INT32_MAX;  // 1 in Q0.31, as near as it gets

inline int32_t SaturatingShiftLeft(int32_t x, int bits) {
  const int64_t wide = static_cast<int64_t>(x) * (int64_t{1} << bits);
  if (wide > INT32_MAX) return INT32_MAX;
  if (wide < INT32_MIN) return INT32_MIN;
  return static_cast<int32_t>(wide);
}

// 1 / (1 + a) for a in [0, 1), Q0.31: three Newton-Raphson steps on Q2.29.
inline int32_t ReciprocalOfOnePlus(int32_t a) {
  constexpr int32_t k48Over17 = 1515870810;        // Q2.29
  constexpr int32_t kMinus32Over17 = -1010580540;  // Q2.29
  const int32_t half_denominator = static_cast<int32_t>((static_cast<int64_t>(a) + kOne + 1) / 2);
  int32_t x = k48Over17 + DoublingHighMul(half_denominator, kMinus32Over17);
  for (int i = 0; i < 3; ++i) {
    const int32_t error = (1 << 29) - DoublingHighMul(half_denominator, x);
    x += SaturatingShiftLeft(DoublingHighMul(x, error), 2);
  }
  return SaturatingShiftLeft(x, 1);
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_SOFTMAX_FIXED_POINT_H_
