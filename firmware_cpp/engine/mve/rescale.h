// fixed_point.h for the four lanes of a vector, for any shifts. VQRDMULH is its DoublingHighMul; VRSHL by a
// negative shift is its RoundingShiftRight, but rounds halves of negative numbers up.
#ifndef SQUEEZE_ENGINE_MVE_RESCALE_H_
#define SQUEEZE_ENGINE_MVE_RESCALE_H_

#include <arm_mve.h>
#include <stdint.h>

namespace squeeze {

// Rescale. `left` and `right`: max(shift, 0) and min(shift, 0). 6 instructions, 4 without a left shift.
inline int32x4_t RescaleLanes(int32x4_t x, int32x4_t multiplier, int32x4_t left, int32x4_t right) {
  const int32x4_t scaled = vqrdmulhq_s32(vshlq_s32(x, left), multiplier);
  // -1 where negative and shifted
  return vrshlq_s32(vaddq_s32(scaled, vshrq_n_s32(vandq_s32(scaled, right), 31)), right);
}

// The multiplier and shift that all lanes share.
class SharedScale {
 public:
  SharedScale(int32_t multiplier, int32_t shift)
      : multiplier_(multiplier), left_(shift > 0 ? shift : 0), right_(shift > 0 ? 0 : shift) {}

  int32x4_t Rescale(int32x4_t x) const {
    const int32x4_t scaled = vqrdmulhq_n_s32(vshlq_r_s32(x, left_), multiplier_);
    const int32x4_t right = vdupq_n_s32(right_);
    return vrshlq_s32(vaddq_s32(scaled, vshrq_n_s32(vandq_s32(scaled, right), 31)), right);
  }

 private:
  int32_t multiplier_;
  int32_t left_;
  int32_t right_;
};

// Four values, or those of the predicate.
inline int32x4_t LoadLanes(const int8_t* from) { return vldrbq_s32(from); }
inline int32x4_t LoadLanes(const int8_t* from, mve_pred16_t p) { return vldrbq_z_s32(from, p); }
inline int32x4_t LoadLanes(const int32_t* from) { return vldrwq_s32(from); }
inline int32x4_t LoadLanes(const int32_t* from, mve_pred16_t p) { return vldrwq_z_s32(from, p); }
inline void StoreLanes(int8_t* to, int32x4_t x) { vstrbq_s32(to, x); }
inline void StoreLanes(int8_t* to, int32x4_t x, mve_pred16_t p) { vstrbq_p_s32(to, x, p); }

// step(channel) for four channels each time, then step(channel, predicate) for what is left.
template <typename Step>
inline void ForLanes(uint32_t channels, Step step) {
  uint32_t c = 0;
  for (; c + 4 <= channels; c += 4) step(c);
  if (c < channels) step(c, vctp32q(channels - c));
}

inline int32x4_t ClampLanes(int32x4_t x, int32_t low, int32_t high) {
  return vminq_s32(vmaxq_s32(x, vdupq_n_s32(low)), vdupq_n_s32(high));
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_MVE_RESCALE_H_
