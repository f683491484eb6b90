// From sums to int8 in plain C++ (pair_store.h). These are definitions: one file of a build includes them.
#ifndef SQUEEZE_ENGINE_PORTABLE_PAIR_STORE_PLAIN_H_
#define SQUEEZE_ENGINE_PORTABLE_PAIR_STORE_PLAIN_H_

#include "engine/fixed_point.h"
#include "engine/portable/pair_store.h"

namespace squeeze {
namespace plain {

inline int32_t Limited(int32_t x) {
  return x > kPairSumLimit ? kPairSumLimit : (x < -kPairSumLimit ? -kPairSumLimit : x);
}
inline int32_t V(const int32_t (&part)[3], int32_t sum) {
  return (((sum * part[0] >> 10) + sum * part[1]) >> 10) + sum * part[2];
}
template <bool kBig>
void Relu(const PairScale& scale, const int32_t* sums, uint32_t count, int8_t* out) {
  const int32_t part[3] = {scale.parts[0], scale.parts[1], scale.parts[2]};
  const int32_t rounding = scale.rounding, shift = scale.shift;
  const uint32_t stride = scale.stride;
  for (; count > 0; --count, sums += 2, out += stride) {
    const int32_t sum = kBig ? Limited(*sums) : *sums;
    const int32_t value = sum <= 0 ? 0 : (V(part, sum) + rounding) >> shift;
    *out = static_cast<int8_t>((value > 255 ? 255 : value) - 128);
  }
}
template <bool kBig>
void Linear(const PairScale& scale, const int32_t* sums, uint32_t count, int8_t* out) {
  const int32_t part[3] = {scale.parts[0], scale.parts[1], scale.parts[2]};
  const int32_t rounding = scale.rounding, shift = scale.shift;
  const uint32_t stride = scale.stride;
  for (; count > 0; --count, sums += 2, out += stride) {
    const int32_t y = (V(part, kBig ? Limited(*sums) : *sums) + (1 << 10)) >> 11;
    *out = Clamp((y + (y >> 31) + rounding) >> shift, -128, 127);
  }
}

}  // namespace plain

void PairsStoreRelu(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out) {
  plain::Relu<false>(*scale, sums, count, out);
}
void PairsStoreBigRelu(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out) {
  plain::Relu<true>(*scale, sums, count, out);
}
void PairsStoreLinear(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out) {
  plain::Linear<false>(*scale, sums, count, out);
}
void PairsStoreBigLinear(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out) {
  plain::Linear<true>(*scale, sums, count, out);
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_PORTABLE_PAIR_STORE_PLAIN_H_
