#include "engine/portable/pair_store.h"

#include "engine/fixed_point.h"

namespace squeeze {
namespace {

void Exact(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out) {
  for (; count > 0; --count, sums += 2, out += scale->stride) {
    *out =
        Requantize(*sums, scale->multiplier, scale->shift, scale->zero_point, scale->act_min, scale->act_max);
  }
}

constexpr int32_t kMostShift = 16, kMostBigShift = 10;

}  // namespace

PairScale::PairScale(const ConvRows& conv)
    : parts(),
      shift(0),
      rounding(0),
      stride(conv.out_pixel_stride),
      store(Exact),
      multiplier(0),
      zero_point(conv.out_zero_point),
      act_min(conv.act_min),
      act_max(conv.act_max),
      limited(conv.act_min != -128 || conv.act_max != 127) {}

bool PairScale::Slow() const { return store == Exact; }

void PairScale::Set(const ConvRows& conv, uint32_t o, uint32_t weights) {
  const int32_t m = conv.multipliers[o], bias = conv.bias[o], right = -conv.shifts[o];
  multiplier = m;
  const uint32_t size = bias < 0 ? 0u - static_cast<uint32_t>(bias) : static_cast<uint32_t>(bias);
  const bool big = size + 128 * weights > static_cast<uint32_t>(kPairSumLimit);  // both at most 2^31
  const bool relu = zero_point == -128;
  if (limited || right < (relu ? 0 : 1) || right > kMostShift ||
      (big && (right > kMostBigShift || m < 1 << 30))) {
    shift = -right;
    store = Exact;
    return;
  }
  parts[0] = m & 1023;
  parts[1] = m >> 10 & 1023;
  parts[2] = m >> 20;
  const int32_t half = right > 0 ? 1 << (right - 1) : 0;
  if (relu) {
    rounding = (1 << 10) + (half << 11);
    shift = right + 11;
    store = big ? PairsStoreBigRelu : PairsStoreRelu;
  } else {
    rounding = half + zero_point * (1 << right);
    shift = right;
    store = big ? PairsStoreBigLinear : PairsStoreLinear;
  }
}

}  // namespace squeeze
