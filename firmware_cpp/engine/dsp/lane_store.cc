#include "engine/dsp/lane_store.h"

#include "engine/dsp/intrinsics.h"
#include "engine/fixed_point.h"

namespace squeeze {
namespace {

#if defined(__ARM_FEATURE_DSP)

static_assert(32 - kLaneBits - 1 == 8, "assembler doubles the low lane with LSR #8");

// r0 scale, r1 accumulators, r2 outputs left, r3 out, r4 multiplier, r5 rounding, r6 shift, r7 stride, r8
// start, r9 r10 r12 lr four outputs: loads that follow each other take a cycle each.
// clang-format off
#define SQUEEZE_LANE_RELU(v)                  \
  "smmlar " v ", " v ", r4, r5\n"             \
  "asr.w " v ", " v ", r6\n"                  \
  "ssat " v ", #8, " v "\n"
#define SQUEEZE_LANE_LINEAR(v)                \
  "smmulr " v ", " v ", r4\n"                 \
  "add.w " v ", " v ", " v ", asr #31\n"      \
  "add.w " v ", " v ", r5\n"                  \
  "asr.w " v ", " v ", r6\n"                  \
  "ssat " v ", #8, " v "\n"
#define SQUEEZE_LANE_VALUE(v, SHIFT, ROUND, at)          \
  "add.w " v ", r8, " v ", " SHIFT "\n" ROUND(v)         \
  "strb.w " v ", [r3" at "]\n"
#define SQUEEZE_LANE_TWO(v, w, SHIFT, ROUND)                                      \
  SQUEEZE_LANE_VALUE(v, SHIFT, ROUND, "") SQUEEZE_LANE_VALUE(w, SHIFT, ROUND, ", r7") \
  "add.w r3, r3, r7, lsl #1\n"
#define SQUEEZE_LANES(offset, SHIFT, ROUND)                                \
  "push {r4-r10, lr}\n"                                                    \
  "ldr.w r8, [r0, #16 + " offset "]\n"                                     \
  "ldm r0, {r4-r7}\n"                                                      \
  "adds r1, #" offset "\n"                                                 \
  "subs r2, #4\n"                                                          \
  "blt.n 2f\n"                                                             \
  "1: ldr.w r10, [r1, #8]\n"                                               \
  "ldr.w r12, [r1, #16]\n"                                                 \
  "ldr.w lr, [r1, #24]\n"                                                  \
  "ldr.w r9, [r1], #32\n"                                                  \
  SQUEEZE_LANE_TWO("r9", "r10", SHIFT, ROUND)                              \
  SQUEEZE_LANE_TWO("r12", "lr", SHIFT, ROUND)                              \
  "subs r2, #4\n"                                                          \
  "bge.n 1b\n"                                                             \
  "2: lsls r2, r2, #31\n" /* C: bit 1, N: bit 0 */                         \
  "bcc.n 3f\n"                                                             \
  "ldr.w r10, [r1, #8]\n"                                                  \
  "ldr.w r9, [r1], #16\n"                                                  \
  SQUEEZE_LANE_TWO("r9", "r10", SHIFT, ROUND)                              \
  "3: bpl.n 4f\n"                                                          \
  "ldr.w r9, [r1]\n"                                                       \
  SQUEEZE_LANE_VALUE("r9", SHIFT, ROUND, "")                               \
  "4: pop {r4-r10, pc}\n"
// clang-format on
#define SQUEEZE_LANE_FUNCTION(Name, offset, SHIFT, ROUND)                                            \
  __attribute__((naked, noinline, aligned(4))) void Name(                                            \
      [[maybe_unused]] const LaneScale* scale, [[maybe_unused]] const LaneAccumulator* accumulators, \
      [[maybe_unused]] uint32_t count, [[maybe_unused]] int8_t* out) {                               \
    __asm__(SQUEEZE_LANES(offset, SHIFT, ROUND));                                                    \
  }
SQUEEZE_LANE_FUNCTION(LowRelu, "0", "lsr #8", SQUEEZE_LANE_RELU)
SQUEEZE_LANE_FUNCTION(HighRelu, "4", "lsl #1", SQUEEZE_LANE_RELU)
SQUEEZE_LANE_FUNCTION(LowLinear, "0", "lsr #8", SQUEEZE_LANE_LINEAR)
SQUEEZE_LANE_FUNCTION(HighLinear, "4", "lsl #1", SQUEEZE_LANE_LINEAR)

#else

inline int32_t Doubled(const LaneScale& scale, bool high, const LaneAccumulator& sum) {
  return static_cast<int32_t>(static_cast<uint32_t>(scale.start[high]) +
                              (high ? sum.top << 1 : sum.bottom >> 8));
}
template <bool kHigh>
void Relu(const LaneScale* scale, const LaneAccumulator* accumulators, uint32_t count, int8_t* out) {
  for (; count > 0; --count, out += scale->stride) {
    const int32_t value = Smmlar(Doubled(*scale, kHigh, *accumulators++), scale->multiplier, scale->rounding);
    *out = static_cast<int8_t>(Ssat8(value >> scale->shift));
  }
}
template <bool kHigh>
void Linear(const LaneScale* scale, const LaneAccumulator* accumulators, uint32_t count, int8_t* out) {
  for (; count > 0; --count, out += scale->stride) {
    const int32_t value = Smmlar(Doubled(*scale, kHigh, *accumulators++), scale->multiplier, 0);
    *out = static_cast<int8_t>(Ssat8((value + (value >> 31) + scale->rounding) >> scale->shift));
  }
}
constexpr auto LowRelu = Relu<false>, HighRelu = Relu<true>, LowLinear = Linear<false>,
               HighLinear = Linear<true>;

#endif

void StoreExact(const ConvRows& conv, const LaneScale& scale, bool high, const LaneAccumulator* accumulators,
                uint32_t count, int8_t* out) {
  for (uint32_t i = 0; i < count; ++i, out += scale.stride) {
    const uint32_t lane = high ? accumulators[i].top
                               : (scale.wide ? accumulators[i].bottom : accumulators[i].bottom / kLaneUnit);
    *out = Requantize(WrappingAdd(scale.start[high], static_cast<int32_t>(lane)), scale.multiplier,
                      scale.shift, conv.out_zero_point, conv.act_min, conv.act_max);
  }
}

Rounding KindOf(const ConvRows& conv, int32_t bias, int32_t shift, bool wide) {
  constexpr int32_t kMostBias = (int32_t{1} << 30) - (int32_t{1} << kLaneBits);  // accumulators to 2^22
  if (wide || bias >= kMostBias || bias <= -kMostBias || shift < 0 || shift > 22) return Rounding::kExact;
  if (conv.act_min != -128 || conv.act_max != 127) return Rounding::kExact;
  if (conv.out_zero_point == -128) return Rounding::kRelu;
  return shift > 0 ? Rounding::kLinear : Rounding::kExact;
}

}  // namespace

LaneScale MakeLaneScale(const ConvRows& conv, uint32_t o, bool wide) {
  constexpr int32_t kLowStart = 1 << (kLaneBits - 1);
  const int32_t bias = conv.bias[o];
  const int32_t shift = -conv.shifts[o];
  const uint32_t stride = conv.out_pixel_stride;
  const Rounding kind = KindOf(conv, bias, shift, wide);
  if (kind == Rounding::kExact) {
    const int32_t low = wide ? bias : WrappingAdd(bias, -kLowStart);
    return {conv.multipliers[o], 0, conv.shifts[o], stride, {low, bias}, kind, wide};
  }
  const int32_t one = 1 << shift;
  const int32_t rounding = (one >> 1) + conv.out_zero_point * one;
  return {conv.multipliers[o], rounding, shift, stride, {2 * (bias - kLowStart), 2 * bias}, kind, wide};
}

void StoreLanes(const ConvRows& conv, const LaneScale& scale, Lane lane, const LaneAccumulator* accumulators,
                uint32_t count, int8_t* out) {
  const bool high = lane == Lane::kHigh;
  if (scale.kind == Rounding::kRelu)
    return high ? HighRelu(&scale, accumulators, count, out) : LowRelu(&scale, accumulators, count, out);
  if (scale.kind == Rounding::kLinear) {
    return high ? HighLinear(&scale, accumulators, count, out) : LowLinear(&scale, accumulators, count, out);
  }
  StoreExact(conv, scale, high, accumulators, count, out);
}

}  // namespace squeeze
