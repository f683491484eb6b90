#include "engine/dsp/intrinsics.h"
#include "engine/dsp/lane_store.h"
#include "engine/dsp/sparse_list.h"

namespace squeeze {
namespace {

inline uint32_t Pair(int32_t low, int32_t high) {
  return static_cast<uint32_t>(low) + (static_cast<uint32_t>(high) << kLaneBits);
}
template <int kByte>
inline uint32_t Pair(uint32_t low, uint32_t high) {
  return Pair(static_cast<int8_t>((low >> (8 * kByte)) & 0xFF),
              static_cast<int8_t>((high >> (8 * kByte)) & 0xFF));
}

}  // namespace

void SparseListPackPixels(const int8_t* low, const int8_t* high, uint32_t channels, uint32_t stride,
                          uint32_t count, uint32_t* dst) {
  const uint32_t fours = channels / 4;
  for (; count > 0; --count, ++dst) {
    uint32_t* to = dst;
    for (uint32_t k = fours; k > 0; --k, low += 4, high += 4) {
      const uint32_t a = LoadWord(low), b = LoadWord(high);
      to[0] = Pair<0>(a, b);
      to[stride] = Pair<1>(a, b);
      to[2 * stride] = Pair<2>(a, b);
      to[3 * stride] = Pair<3>(a, b);
      to += 4 * stride;
    }
    for (uint32_t k = channels & 3; k > 0; --k, to += stride) *to = Pair(*low++, *high++);
  }
}

}  // namespace squeeze
