// From sums of 32 bits to int8, exactly as TFLite rounds, without a product of 64 bits.
//
// With the multiplier in parts, m = a * 2^20 + b * 2^10 + c, where b and c have 10 bits and a has 11,
//   V = floor(sum * m / 2^20) = (((sum * c >> 10) + sum * b) >> 10) + sum * a
// in shifts that round down: each drops only bits that cannot carry. For |sum| <= 2^20 - 2^16 every product
// and sum stays below 2^31. TFLite's first rounding is (V + 2^10) >> 11, because the 20 bits that V lacks lie
// below the half that is added. The second is a shift to the right by s:
//   kLinear  y = (V + 2^10) >> 11, and (y + (y < 0 ? -1 : 0) + 2^(s-1)) >> s, plus the zero point
//   kRelu    the zero point is -128 and the output limited to -128, so that negative values need no care:
//            (V + 2^10 + 2^(s+10)) >> (s + 11), limited to 0 to 255, less 128
// A channel whose sums may be larger has them limited first (kBig...): where m >= 2^30 and s <= 10, what a
// sum of 2^20 - 2^16 gives lies beyond 255 + 255 already, so the output is the limit either way. Anything
// else, and what is limited to less than all int8, goes through Requantize (kExact).
#ifndef SQUEEZE_ENGINE_PORTABLE_PAIR_STORE_H_
#define SQUEEZE_ENGINE_PORTABLE_PAIR_STORE_H_

#include "engine/kernels.h"
#include "engine/portable/pixel_pairs.h"
#include "engine/struct_offset.h"

namespace squeeze {

constexpr int32_t kPairSumLimit = (1 << 20) - (1 << 16);

// How a channel's sums become outputs.
struct PairScale {
  explicit PairScale(const ConvRows& conv);

  // To that of output channel o, whose weights' |w| add up to `weights`.
  void Set(const ConvRows& conv, uint32_t o, uint32_t weights);

  // Whether outputs go one by one through Requantize.
  bool Slow() const;

  int32_t parts[3];  // c, b, a
  int32_t shift;     // kRelu: s + 11; kLinear: s; kExact: as in the model
  int32_t rounding;  // kRelu: 2^10 + 2^(s+10); kLinear: 2^(s-1) + zero point * 2^s
  uint32_t stride;   // bytes from output to output
  // The sums at `sums`, `sums` + 8 bytes, ... (`count` of them, one at least) to `out`.
  void (*store)(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out);
  int32_t multiplier;
  int32_t zero_point;
  int32_t act_min;
  int32_t act_max;
  bool limited;  // to less than all int8
};
// Offsets in v6m/pair_store_loops.cc.
SQUEEZE_OFFSET(PairScale, parts, 0);
SQUEEZE_OFFSET(PairScale, shift, 12);
SQUEEZE_OFFSET(PairScale, rounding, 16);
SQUEEZE_OFFSET(PairScale, stride, 20);

// What `store` may be, but for Requantize. Big: of sums beyond kPairSumLimit.
using PairsStore = void(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out);
PairsStore PairsStoreRelu, PairsStoreBigRelu, PairsStoreLinear, PairsStoreBigLinear;

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_PORTABLE_PAIR_STORE_H_
