// TFLite's fixed-point softmax: gemmlowp's exp and reciprocal, reproduced to
// the bit.
#include "engine/fixed_point.h"
#include "engine/kernels.h"
#include "engine/softmax_fixed_point.h"

namespace squeeze {
namespace {

// exp(a) for a in [-1/4, 0), Q0.31: Taylor series to the fourth power around -1/8.
int32_t ExpNearZero(int32_t a) {
  constexpr int32_t kExpMinusEighth = 1895147668;  // exp(-1/8)
  constexpr int32_t kThird = 715827883;            // 1/3
  const int32_t x = a + (1 << 28);                 // a + 1/8
  const int32_t x2 = DoublingHighMul(x, x);
  const int32_t x3 = DoublingHighMul(x2, x);
  const int32_t x4 = DoublingHighMul(x2, x2);
  const int32_t x4_over_4 = RoundingShiftRight(x4, 2);
  const int32_t tail = RoundingShiftRight(DoublingHighMul(x4_over_4 + x3, kThird) + x2, 1);
  return kExpMinusEighth + DoublingHighMul(kExpMinusEighth, x + tail);
}

// exp(a) for a <= 0 in Q5.26, as Q0.31: exp of the part below 1/4, times exp(-2^k) for each bit above it.
int32_t ExpOfNegative(int32_t a) {
  constexpr int32_t kPowers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  constexpr int32_t kQuarter = 1 << (kFractionBits - 2);
  if (a == 0) return kOne;
  const int32_t low = (a & (kQuarter - 1)) - kQuarter;
  const int32_t high = low - a;
  int32_t result = ExpNearZero(ShiftLeft(low, kIntegerBits));
  for (int k = 0; k < 7; ++k) {
    if (((high >> (kFractionBits - 2 + k)) & 1) != 0) result = DoublingHighMul(result, kPowers[k]);
  }
  return result;
}

int LeadingZeros(uint32_t x) {
  int n = 0;
  while (n < 32 && (x & 0x80000000u) == 0) {
    x <<= 1;
    ++n;
  }
  return n;
}

// (logit - maximum) * scale * beta as Q5.26, never positive.
int32_t ScaledDifference(int32_t difference, const int32_t* params) {
  const int32_t scaled = DoublingHighMul(ShiftLeft(difference, params[1]), params[0]);
  return scaled < 0 ? scaled : 0;  // a hostile model's shift may wrap
}

}  // namespace

void Softmax(const int8_t* logits, int8_t* out, uint16_t size, const int32_t* params) {
  int32_t maximum = -128;
  for (uint32_t i = 0; i < size; ++i) {
    if (logits[i] > maximum) maximum = logits[i];
  }
  const int32_t smallest = params[2];
  uint32_t sum = 0;  // Q12.19
  for (uint32_t i = 0; i < size; ++i) {
    const int32_t difference = logits[i] - maximum;
    if (difference < smallest) continue;
    const int32_t power = ExpOfNegative(ScaledDifference(difference, params));
    sum += static_cast<uint32_t>(RoundingShiftRight(power, kSumIntegerBits));
  }
  const int headroom = LeadingZeros(sum);
  const int32_t above_one = static_cast<int32_t>((sum << headroom) - 0x80000000u);
  const int32_t scale = ReciprocalOfOnePlus(above_one);
  const int exponent = kSumIntegerBits - headroom + 31 - kOutputBits;
  for (uint32_t i = 0; i < size; ++i) {
    const int32_t difference = logits[i] - maximum;
    int32_t value = 0;
    if (difference >= smallest) {
      const int32_t power = ExpOfNegative(ScaledDifference(difference, params));
      // Beyond 31 (over 512 near-equal logits) every probability rounds to 0.
      value = exponent > 31 ? 0 : RoundingShiftRight(DoublingHighMul(scale, power), exponent);
    }
    out[i] = Clamp(value - 128, -128, 127);
  }
}

}  // namespace squeeze
