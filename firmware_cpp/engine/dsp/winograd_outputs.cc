// The transform along the rows and the requantization: six accumulators of each row of a tile to four
// outputs, 43 instructions a row and channel (kLinear 51).
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/winograd.h"
#include "engine/fixed_point.h"

namespace squeeze {
namespace {

constexpr uint32_t kInverseOf3 = 0xAAAAAAAB;  // modulo 2^32

#if defined(__ARM_FEATURE_DSP)

// r0 accumulators, r1 tiles, r2-r6 constants, r7-lr a row's accumulators and outputs. Stack: 0 sum_offset, 4
// o, 8 tiles_end.
// clang-format off
#define SQUEEZE_VALUE_RELU(v, shift)          \
  "mul " v ", " v ", r2\n"                    \
  "add.w " v ", r3, " v ", asr #" shift "\n"  \
  "smmlar " v ", " v ", r4, r5\n"             \
  "asr.w " v ", " v ", r6\n"                  \
  "ssat " v ", #8, " v "\n"
#define SQUEEZE_VALUE_LINEAR(v, shift)        \
  "mul " v ", " v ", r2\n"                    \
  "add.w " v ", r3, " v ", asr #" shift "\n"  \
  "smmulr " v ", " v ", r4\n"                 \
  "add.w " v ", " v ", " v ", asr #31\n"      \
  "add.w " v ", " v ", r5\n"                  \
  "asr.w " v ", " v ", r6\n"                  \
  "ssat " v ", #8, " v "\n"
#define SQUEEZE_TILE_ROW(VALUE, c0, c1, c2, c3, c4, c5)  \
  "ldr r7, [r0, #" c0 "]\n"                              \
  "ldr r8, [r0, #" c1 "]\n"                              \
  "ldr r9, [r0, #" c2 "]\n"                              \
  "ldr r10, [r0, #" c3 "]\n"                             \
  "ldr r11, [r0, #" c4 "]\n"                             \
  "ldr r12, [r0, #" c5 "]\n"                             \
  "add lr, r8, r9\n"                                     \
  "sub r8, r8, r9\n"                                     \
  "add r9, r10, r11\n"                                   \
  "sub r10, r10, r11\n"                                  \
  "sub r7, r7, lr, lsl #1\n"                             \
  "add r7, r9, r7, lsl #1\n"                             \
  "sub lr, r9, lr\n"                                     \
  "sub r9, r10, r8, lsl #1\n"                            \
  "add r10, r10, r12\n"                                  \
  "rsb r10, r8, r10, lsl #1\n"                           \
  VALUE("r10", "1")                                      \
  VALUE("lr", "1")                                       \
  VALUE("r9", "2")                                       \
  VALUE("r7", "3")                                       \
  "ldr.w r12, [sp, #4]\n"                                \
  "ldr.w r8, [r1]\n"                                     \
  "ldr.w r11, [r1, #4]\n"                                \
  "strb.w r10, [r8, r12]\n"                              \
  "strb.w lr, [r11, r12]\n"                              \
  "ldr.w r8, [r1, #8]\n"                                 \
  "ldr.w r11, [r1, #12]\n"                               \
  "strb.w r9, [r8, r12]\n"                               \
  "strb.w r7, [r11, r12]\n"                              \
  "adds r1, #16\n"
#define SQUEEZE_STORE_TILES(ROWS)  \
  "push {r4-r11, lr}\n"            \
  "sub sp, #12\n"                  \
  "add r2, r0, #24\n"              \
  "ldm r2, {r3-r5}\n"              \
  "stm sp, {r3-r5}\n"              \
  "mov r12, r0\n"                  \
  "ldm r12, {r1-r6}\n"             \
  "1: ldr r0, [r1], #4\n"          \
  "ldr r7, [sp]\n"                 \
  "add r0, r0, r7\n"               \
  ROWS                             \
  "ldr r7, [sp, #8]\n"             \
  "cmp r1, r7\n"                   \
  "bne.w 1b\n"                     \
  "add sp, #12\n"                  \
  "pop {r4-r11, pc}\n"
#define SQUEEZE_TWO_ROWS(VALUE)                                    \
  SQUEEZE_TILE_ROW(VALUE, "24", "72", "120", "168", "216", "264")  \
  SQUEEZE_TILE_ROW(VALUE, "0", "48", "96", "144", "192", "240")
// clang-format on

__attribute__((naked, noinline)) void StoreRelu([[maybe_unused]] const WinogradStoreRun* run) {
  __asm__(SQUEEZE_STORE_TILES(SQUEEZE_TWO_ROWS(SQUEEZE_VALUE_RELU)));
}
__attribute__((naked, noinline)) void StoreLinear([[maybe_unused]] const WinogradStoreRun* run) {
  __asm__(SQUEEZE_STORE_TILES(SQUEEZE_TWO_ROWS(SQUEEZE_VALUE_LINEAR)));
}
#endif

// A row's six accumulators, of the columns, to twice its four accumulators.
void Along(const int32_t* accumulators, int32_t twice[4]) {
  uint32_t m[6];
  for (uint32_t i = 0; i < 6; ++i)
    m[i] = static_cast<uint32_t>(accumulators[kWinogradGroupAccumulators / 6 * i]);
  const uint32_t p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], t = m[3] - m[4];
  twice[0] = static_cast<int32_t>((2 * (m[0] - 2 * p) + r) * kInverseOf3) >> 3;
  twice[1] = static_cast<int32_t>((t - 2 * q) * kInverseOf3) >> 2;
  twice[2] = static_cast<int32_t>((r - p) * kInverseOf3) >> 1;
  twice[3] = static_cast<int32_t>((2 * (t + m[5]) - q) * kInverseOf3) >> 1;
}

// Calls `store(pixel, twice the accumulator)` for all pixels of a channel.
template <typename Store>
void ForEach(const WinogradStoreRun& run, Store store) {
  const ConvRows& conv = *run.conv;
  const uint32_t across = (conv.out_width + kWinogradColumns - 1) / kWinogradColumns;
  uint32_t tile = run.first;
  for (const uint32_t* at = run.tiles; at != run.tiles_end; at += kWinogradTileWords, ++tile) {
    for (uint32_t row = kWinogradRows; row-- > 0;) {
      const uint32_t y = kWinogradRows * (tile / across) + row;
      int8_t* const out = conv.out[y < conv.out_rows ? y : conv.out_rows - 1u];
      const uint32_t* const to = at + 1 + 4 * (kWinogradRows - 1 - row);
      int32_t twice[4];
      Along(TileAccumulators(at[0], run.accumulators) + 6 * row + run.sum_offset / 4, twice);
      for (uint32_t x = 4; x-- > 0;) store(TilePixel(to[3 - x], out) + run.o, twice[x]);
    }
  }
}

#if !defined(__ARM_FEATURE_DSP)

void StoreFast(const WinogradStoreRun& run, bool linear) {
  ForEach(run, [&run, linear](int8_t* to, int32_t twice) {
    int32_t value = Smmlar(WrappingAdd(twice, run.start), run.multiplier, 0);
    if (linear) value += value >> 31;
    *to = static_cast<int8_t>(Ssat8((value + run.rounding) >> run.shift));
  });
}
void StoreRelu(const WinogradStoreRun* run) { StoreFast(*run, false); }
void StoreLinear(const WinogradStoreRun* run) { StoreFast(*run, true); }

#endif

void StoreExact(const WinogradStoreRun& run) {
  const ConvRows& conv = *run.conv;
  const uint32_t o = run.o;
  ForEach(run, [&conv, o](int8_t* to, int32_t twice) {
    *to = Requantize(WrappingAdd(twice >> 1, conv.bias[o]), conv.multipliers[o], conv.shifts[o],
                     conv.out_zero_point, conv.act_min, conv.act_max);
  });
}

}  // namespace

WinogradStorer WinogradStorerOf(Rounding rounding) {
  return rounding == Rounding::kRelu ? StoreRelu : StoreLinear;
}

WinogradStoreRun WinogradStoreRunOf(const ConvRows& conv, const uint32_t* tiles, uint32_t first,
                                    uint32_t count, const int32_t* accumulators) {
  WinogradStoreRun run = {};
  run.tiles = tiles;
  run.inverse = static_cast<int32_t>(kInverseOf3);
  run.tiles_end = tiles + count * kWinogradTileWords;
  run.conv = &conv;
  run.accumulators = accumulators;
  run.first = first;
  return run;
}

void WinogradStore(WinogradStoreRun* run, const PairScale& scale, uint32_t o) {
  const uint32_t channels = o + 1 < run->conv->out_channels ? 2 : 1;
  for (uint32_t c = 0; c < channels; ++c) {
    run->sum_offset = 4 * c;
    run->o = o + c;
    run->start = c == 0 ? scale.start0 : scale.start1;
    run->multiplier = c == 0 ? scale.multiplier0 : scale.multiplier1;
    run->rounding = c == 0 ? scale.rounding0 : scale.rounding1;
    run->shift = c == 0 ? scale.shift0 : scale.shift1;
    if (scale.rounding == Rounding::kExact) {
      StoreExact(*run);
    } else {
      WinogradStorerOf(scale.rounding)(run);
    }
  }
}

}  // namespace squeeze
