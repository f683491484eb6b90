// portable/softmax_row.cc with the exponentials in four lanes: 32 instructions a logit in each of its two
// passes. What exp shifts right is never negative, so VRSHR rounds it as fixed_point.h does.
#include "engine/kernels.h"
#include "engine/mve/rescale.h"
#include "engine/softmax_fixed_point.h"

namespace squeeze {
namespace {

// exp(a) for a in [-1/4, 0), Q0.31: Taylor series to the fourth power around -1/8.
inline int32x4_t ExpNearZero(int32x4_t a) {
  constexpr int32_t kExpMinusEighth = 1895147668;  // exp(-1/8)
  constexpr int32_t kThird = 715827883;            // 1/3
  const int32x4_t x = vaddq_n_s32(a, 1 << 28);     // a + 1/8
  const int32x4_t x2 = vqrdmulhq_s32(x, x);
  const int32x4_t x3 = vqrdmulhq_s32(x2, x);
  const int32x4_t x4_over_4 = vrshrq_n_s32(vqrdmulhq_s32(x2, x2), 2);
  const int32x4_t thirds = vqrdmulhq_n_s32(vaddq_s32(x4_over_4, x3), kThird);
  const int32x4_t tail = vrshrq_n_s32(vaddq_s32(thirds, x2), 1);
  return vaddq_n_s32(vqrdmulhq_n_s32(vaddq_s32(x, tail), kExpMinusEighth), kExpMinusEighth);
}

// result * exp(-2^(bit - 26)) where the bit of x is set.
template <int kBit>
inline int32x4_t TimesPower(int32x4_t result, int32x4_t x, int32_t power) {
  const mve_pred16_t set = vcmpltq_n_s32(vshlq_n_s32(x, 31 - kBit), 0);
  return vqrdmulhq_m_n_s32(result, result, power, set);
}

// exp(a) for a <= 0 in Q5.26, as Q0.31: exp of the part below 1/4, times exp(-2^k) for each bit above it.
inline int32x4_t ExpOfNegative(int32x4_t a) {
  constexpr int kBit = kFractionBits - 2;
  constexpr int32_t kQuarter = 1 << kBit;
  const int32x4_t low = vsubq_n_s32(vandq_s32(a, vdupq_n_s32(kQuarter - 1)), kQuarter);
  const int32x4_t high = vsubq_s32(low, a);
  int32x4_t result = ExpNearZero(vshlq_n_s32(low, 31 - kFractionBits));
  result = TimesPower<kBit>(result, high, 1672461947);
  result = TimesPower<kBit + 1>(result, high, 1302514674);
  result = TimesPower<kBit + 2>(result, high, 790015084);
  result = TimesPower<kBit + 3>(result, high, 290630308);
  result = TimesPower<kBit + 4>(result, high, 39332535);
  result = TimesPower<kBit + 5>(result, high, 720401);
  result = TimesPower<kBit + 6>(result, high, 242);
  return vpselq_s32(vdupq_n_s32(kOne), result, vcmpeqq_n_s32(a, 0));
}

// (logit - maximum) * scale * beta as Q5.26, never positive.
inline int32x4_t ScaledDifference(int32x4_t difference, int32_t multiplier, int32_t left) {
  return vminq_s32(vqrdmulhq_n_s32(vshlq_r_s32(difference, left), multiplier), vdupq_n_s32(0));
}

int32_t Maximum(const int8_t* logits, uint32_t size) {
  int8_t maximum = -128;
  for (uint32_t i = 0; i < size; i += 16) {
    const mve_pred16_t p = vctp8q(size - i);
    maximum = vmaxvq_p_s8(maximum, vldrbq_z_s8(logits + i, p), p);
  }
  return maximum;
}

}  // namespace

void Softmax(const int8_t* logits, int8_t* out, uint16_t size, const int32_t* params) {
  const int32_t maximum = Maximum(logits, size);
  const int32_t multiplier = params[0];
  const int32_t left = params[1];
  const int32_t smallest = params[2];
  uint32_t sum = 0;  // Q12.19
  for (uint32_t i = 0; i < size; i += 4) {
    const mve_pred16_t p = vctp32q(size - i);
    const int32x4_t difference = vsubq_n_s32(vldrbq_z_s32(logits + i, p), maximum);
    const int32x4_t power = ExpOfNegative(ScaledDifference(difference, multiplier, left));
    sum = vaddvaq_p_u32(sum, vreinterpretq_u32_s32(vrshrq_n_s32(power, kSumIntegerBits)),
                        vcmpgeq_m_n_s32(difference, smallest, p));
  }
  const int headroom = sum == 0 ? 32 : __builtin_clz(sum);
  const int32_t above_one = static_cast<int32_t>((headroom < 32 ? sum << headroom : 0) - 0x80000000u);
  const int32_t scale = ReciprocalOfOnePlus(above_one);
  // Beyond 31 (over 512 near-equal logits) every probability rounds to 0.
  const int exponent = kSumIntegerBits - headroom + 31 - kOutputBits;
  for (uint32_t i = 0; i < size; i += 4) {
    const mve_pred16_t p = vctp32q(size - i);
    const int32x4_t difference = vsubq_n_s32(vldrbq_z_s32(logits + i, p), maximum);
    const int32x4_t power = ExpOfNegative(ScaledDifference(difference, multiplier, left));
    const int32x4_t value = vrshlq_n_s32(vqrdmulhq_n_s32(power, scale), -exponent);
    const mve_pred16_t counts = exponent > 31 ? mve_pred16_t{0} : vcmpgeq_n_s32(difference, smallest);
    const int32x4_t probability = vpselq_s32(value, vdupq_n_s32(0), counts);
    vstrbq_p_s32(out + i, ClampLanes(vsubq_n_s32(probability, 128), -128, 127), p);
  }
}

}  // namespace squeeze
