// The additions along the rows and the requantization: 31 cycles for two outputs of two channels (kLinear
// 39).
#include "engine/dsp/fast_fir.h"
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/requantize.h"
#include "engine/fixed_point.h"

namespace squeeze {
namespace {

struct StoreRun {
  const int32_t* table;
  int32_t scale[6];  // the first six words of PairScale
  const int32_t* sums;
  int8_t* out;  // of the first channel
  const int32_t* table_end;
};
SQUEEZE_OFFSET(StoreRun, table, 0);
SQUEEZE_OFFSET(StoreRun, scale, 4);
SQUEEZE_OFFSET(StoreRun, sums, 28);
SQUEEZE_OFFSET(StoreRun, out, 32);
SQUEEZE_OFFSET(StoreRun, table_end, 36);

#if defined(__ARM_FEATURE_DSP)

// r0 a tile's sums, r1 table, r2-r4 and r5-r7 multiplier, R and shift of the two channels, r8-lr sums and
// outputs. Stack: 0 sums, 4 out, 8 end of the table.
// clang-format off
// Sums of the columns' p1 are at p1, those of p0 and p2 48 and 96 bytes behind.
#define SQUEEZE_TILE_ROW(VALUE, p1, p0, p2)   \
  "ldr.w r8, [r0, #" p0 "]\n"                 \
  "ldr.w r9, [r0, #" p0 " + 4]\n"             \
  "ldr.w r10, [r0, #" p1 "]\n"                \
  "ldr.w r11, [r0, #" p1 " + 4]\n"            \
  "ldr.w r12, [r0, #" p2 "]\n"                \
  "ldr.w lr, [r0, #" p2 " + 4]\n"             \
  "add r8, r8, r10\n"                         \
  "add r9, r9, r11\n"                         \
  "add r12, r12, r10\n"                       \
  "add lr, lr, r11\n"                         \
  VALUE("r8", "r2", "r3", "r4")               \
  VALUE("r9", "r5", "r6", "r7")               \
  VALUE("r12", "r2", "r3", "r4")              \
  VALUE("lr", "r5", "r6", "r7")               \
  "bfi r8, r9, #8, #8\n"                      \
  "bfi r12, lr, #8, #8\n"                     \
  "ldr.w r9, [sp, #4]\n"                      \
  "ldr.w r10, [r1], #4\n"                     \
  "ldr.w r11, [r1], #4\n"                     \
  "strh r12, [r9, r10]\n"                     \
  "strh r8, [r9, r11]\n"
#define SQUEEZE_STORE(VALUE)                  \
  "push {r4-r11, lr}\n"                       \
  "sub sp, #12\n"                             \
  "add r2, r0, #28\n"                         \
  "ldm r2, {r3-r5}\n"                         \
  "stm sp, {r3-r5}\n"                         \
  "mov r12, r0\n"                             \
  "ldm r12, {r1-r7}\n"                        \
  "1: ldr r8, [sp]\n"                         \
  "ldr r0, [r1], #4\n"                        \
  "add r0, r0, r8\n"                          \
  SQUEEZE_TILE_ROW(VALUE, "24", "72", "120")  \
  SQUEEZE_TILE_ROW(VALUE, "0", "48", "96")    \
  "ldr.w r8, [sp, #8]\n"                      \
  "cmp r1, r8\n"                              \
  "bne.w 1b\n"                                \
  "add sp, #12\n"                             \
  "pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) void StoreRelu([[maybe_unused]] const StoreRun* run) {
  __asm__(SQUEEZE_STORE(SQUEEZE_RELU));
}
__attribute__((naked, noinline)) void StoreLinear([[maybe_unused]] const StoreRun* run) {
  __asm__(SQUEEZE_STORE(SQUEEZE_LINEAR));
}

#endif

// Calls `store(output, twice the accumulator)` for all outputs of channel `c` of the pair.
template <typename Store>
void ForEach(const StoreRun& run, uint32_t c, Store store) {
  for (const int32_t* at = run.table; at != run.table_end; at += kFastFirTileWords) {
    for (uint32_t row = 2; row-- > 0;) {
      const int32_t* const sums = run.sums + at[0] / 4 + 6 * row + c;
      const int32_t* const to = at + 3 - 2 * row;
      store(run.out + to[0] + c, WrappingAdd(sums[0], sums[24]));
      store(run.out + to[1] + c, WrappingAdd(sums[0], sums[12]));
    }
  }
}

#if !defined(__ARM_FEATURE_DSP)

void StoreFast(const StoreRun& run, bool linear) {
  for (uint32_t c = 0; c < 2; ++c) {
    const int32_t* const scale = run.scale + 3 * c;
    ForEach(run, c, [scale, linear](int8_t* to, int32_t twice) {
      int32_t value = Smmlar(twice, scale[0], 0);
      if (linear) value += value >> 31;
      *to = static_cast<int8_t>(Ssat8((value + scale[1]) >> scale[2]));
    });
  }
}
void StoreRelu(const StoreRun* run) { StoreFast(*run, false); }
void StoreLinear(const StoreRun* run) { StoreFast(*run, true); }

#endif

}  // namespace

void FastFirStore(const ConvRows& conv, const PairScale& scale, uint32_t o, const int32_t* table,
                  uint32_t tiles, const int32_t* sums) {
  const StoreRun run = {
      table,
      {scale.multiplier0, scale.rounding0, scale.shift0, scale.multiplier1, scale.rounding1, scale.shift1},
      sums,
      conv.out[0] + o,
      table + kFastFirTileWords * tiles};
  if (scale.rounding != Rounding::kExact) {
    scale.rounding == Rounding::kRelu ? StoreRelu(&run) : StoreLinear(&run);
    return;
  }
  for (uint32_t c = 0; c < 2 && o + c < conv.out_channels; ++c) {
    const uint32_t channel = o + c;
    ForEach(run, c, [&conv, channel](int8_t* to, int32_t twice) {
      *to = Requantize(WrappingAdd(twice >> 1, conv.bias[channel]), conv.multipliers[channel],
                       conv.shifts[channel], conv.out_zero_point, conv.act_min, conv.act_max);
    });
  }
}

}  // namespace squeeze
