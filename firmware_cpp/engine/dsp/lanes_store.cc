// From accumulators in three lanes to int8 outputs: 8.5 instructions an output.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/lane_store.h"
#include "engine/dsp/lanes.h"
#include "engine/fixed_point.h"
#include "engine/struct_offset.h"

namespace squeeze {
namespace {

constexpr uint32_t kMask = (1u << kLanesBits) - 1;
constexpr int32_t kStart = 1 << (kLanesBits - 1);
static_assert(kLanesBits == 21, "assembler shifts by 21, and by 11 and 10 to 32");

struct StoreRun {
  const LanesAccumulator* accumulators;
  int8_t* out;
  uint32_t stride;
  int32_t start;
  int32_t multiplier;
  int32_t rounding;
  int32_t shift;
  uint32_t count;
};
SQUEEZE_OFFSET(StoreRun, accumulators, 0);
SQUEEZE_OFFSET(StoreRun, out, 4);
SQUEEZE_OFFSET(StoreRun, stride, 8);
SQUEEZE_OFFSET(StoreRun, start, 12);
SQUEEZE_OFFSET(StoreRun, multiplier, 16);
SQUEEZE_OFFSET(StoreRun, rounding, 20);
SQUEEZE_OFFSET(StoreRun, shift, 24);
SQUEEZE_OFFSET(StoreRun, count, 28);

inline int32_t Middle(const LanesAccumulator& sum) {
  return static_cast<int32_t>(((sum.bottom >> kLanesBits) | (sum.top << (32 - kLanesBits))) & kMask);
}
// The output between two accumulators.
inline int32_t Between(const LanesAccumulator& left, const LanesAccumulator& right) {
  return (static_cast<int32_t>(left.top) >> (2 * kLanesBits - 32)) +
         static_cast<int32_t>(right.bottom & kMask);
}

#if defined(__ARM_FEATURE_DSP)

// r0 accumulators, r1 out, r2 stride, r3 start, r4 multiplier, r5 rounding, r6 shift, r7 outputs left; r8 r9
// and r10 r11 two accumulators, r12 the output.
#define SQUEEZE_LANES_RELU    \
  "smmlar r12, r12, r4, r5\n" \
  "asr.w r12, r12, r6\n"      \
  "ssat r12, #8, r12\n"
#define SQUEEZE_LANES_LINEAR       \
  "smmulr r12, r12, r4\n"          \
  "add.w r12, r12, r12, asr #31\n" \
  "add.w r12, r12, r5\n"           \
  "asr.w r12, r12, r6\n"           \
  "ssat r12, #8, r12\n"
// clang-format off
#define SQUEEZE_LANES_MIDDLE(bottom, top, ROUND) \
  "lsr.w r12, " bottom ", #21\n"                 \
  "bfi r12, " top ", #11, #10\n"                 \
  "add.w r12, r3, r12, lsl #1\n" ROUND           \
  "strb.w r12, [r1]\n"
#define SQUEEZE_LANES_BETWEEN(top, bottom, ROUND) \
  "ubfx r12, " bottom ", #0, #21\n"               \
  "add.w r12, r12, " top ", asr #10\n"            \
  "add.w r12, r3, r12, lsl #1\n" ROUND            \
  "strb.w r12, [r1, r2]\n"                        \
  "add.w r1, r1, r2, lsl #1\n"
#define SQUEEZE_LANES_STORE(ROUND)                  \
  "push {r4-r11, lr}\n"                             \
  "ldm r0, {r0-r7}\n"                               \
  "ldrd r8, r9, [r0], #8\n"                         \
  "subs r7, #4\n"                                   \
  "blt.w 2f\n"                                      \
  "1: ldrd r10, r11, [r0], #8\n"                    \
  SQUEEZE_LANES_MIDDLE("r8", "r9", ROUND)           \
  SQUEEZE_LANES_BETWEEN("r9", "r10", ROUND)         \
  "ldrd r8, r9, [r0], #8\n"                         \
  SQUEEZE_LANES_MIDDLE("r10", "r11", ROUND)         \
  SQUEEZE_LANES_BETWEEN("r11", "r8", ROUND)         \
  "subs r7, #4\n"                                   \
  "bge.w 1b\n"                                      \
  "2: adds r7, #4\n"                                \
  "beq.w 4f\n"                                      \
  "3:\n" SQUEEZE_LANES_MIDDLE("r8", "r9", ROUND)    \
  "subs r7, #2\n"                                   \
  "blt.w 4f\n"                                      \
  "mov r11, r9\n"                                   \
  "ldrd r8, r9, [r0], #8\n"                         \
  SQUEEZE_LANES_BETWEEN("r11", "r8", ROUND)         \
  "bgt.w 3b\n"                                      \
  "4: pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline, aligned(4))) void StoreRelu([[maybe_unused]] const StoreRun* run) {
  __asm__(SQUEEZE_LANES_STORE(SQUEEZE_LANES_RELU));
}
__attribute__((naked, noinline, aligned(4))) void StoreLinear([[maybe_unused]] const StoreRun* run) {
  __asm__(SQUEEZE_LANES_STORE(SQUEEZE_LANES_LINEAR));
}

#else

void StoreRelu(const StoreRun* run) {
  int8_t* out = run->out;
  for (uint32_t i = 0; i < run->count; ++i, out += run->stride) {
    const LanesAccumulator* sum = run->accumulators + i / 2;
    const int32_t doubled = run->start + 2 * (i % 2 == 0 ? Middle(sum[0]) : Between(sum[0], sum[1]));
    *out = static_cast<int8_t>(Ssat8(Smmlar(doubled, run->multiplier, run->rounding) >> run->shift));
  }
}
void StoreLinear(const StoreRun* run) {
  int8_t* out = run->out;
  for (uint32_t i = 0; i < run->count; ++i, out += run->stride) {
    const LanesAccumulator* sum = run->accumulators + i / 2;
    const int32_t doubled = run->start + 2 * (i % 2 == 0 ? Middle(sum[0]) : Between(sum[0], sum[1]));
    const int32_t value = Smmlar(doubled, run->multiplier, 0);
    *out = static_cast<int8_t>(Ssat8((value + (value >> 31) + run->rounding) >> run->shift));
  }
}

#endif

}  // namespace

void LanesStore(const ConvRows& conv, uint32_t o, const LanesAccumulator* accumulators, uint32_t count,
                int8_t* out) {
  const LaneScale scale = MakeLaneScale(conv, o, false);
  if (scale.kind != Rounding::kExact) {
    const StoreRun run = {accumulators,          out,
                          conv.out_pixel_stride, scale.start[1] - 2 * kStart,
                          scale.multiplier,      scale.rounding,
                          scale.shift,           count};
    return scale.kind == Rounding::kRelu ? StoreRelu(&run) : StoreLinear(&run);
  }
  for (uint32_t i = 0; i < count; ++i, out += conv.out_pixel_stride) {
    const LanesAccumulator* sum = accumulators + i / 2;
    const int32_t acc = (i % 2 == 0 ? Middle(sum[0]) : Between(sum[0], sum[1])) - kStart;
    LanesStoreWide(conv, o, &acc, 1, out);
  }
}

void LanesAdd(const LanesAccumulator* accumulators, uint32_t count, bool first, int32_t* acc) {
  for (uint32_t i = 0; i < count; ++i) {
    const LanesAccumulator* sum = accumulators + i / 2;
    const int32_t more = (i % 2 == 0 ? Middle(sum[0]) : Between(sum[0], sum[1])) - kStart;
    acc[i] = first ? more : acc[i] + more;
  }
}

void LanesStoreWide(const ConvRows& conv, uint32_t o, const int32_t* acc, uint32_t count, int8_t* out) {
  for (uint32_t i = 0; i < count; ++i, out += conv.out_pixel_stride) {
    *out = Requantize(WrappingAdd(acc[i], conv.bias[o]), conv.multipliers[o], conv.shifts[o],
                      conv.out_zero_point, conv.act_min, conv.act_max);
  }
}

}  // namespace squeeze
