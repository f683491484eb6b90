// Max pooling, four channels a word: SSUB8 and SEL take the greater of four bytes. A pixel's channels are
// gone through once for up to three taps of the row: 9 instructions a word for three taps of the first row of
// a window, 12 of the others (64 channels).
#include "engine/dsp/intrinsics.h"
#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {
namespace {

uint32_t Splat(int8_t x) { return static_cast<uint8_t>(x) * 0x01010101u; }

// x -> -1 - x turns the order round.
uint32_t MinBytes(uint32_t a, uint32_t b) { return ~MaxBytes(~a, ~b); }

#if defined(__ARM_FEATURE_DSP)

// r0-r2 three taps, r3 out, r4 its end; four words at a time in r5-r8, the next operand in r9-r12.
// clang-format off
#define SQUEEZE_MAX(words)    \
  words "ssub8 lr, r5, r9\n"  \
  "sel r5, r5, r9\n"          \
  "ssub8 lr, r6, r10\n"       \
  "sel r6, r6, r10\n"         \
  "ssub8 lr, r7, r11\n"       \
  "sel r7, r7, r11\n"         \
  "ssub8 lr, r8, r12\n"       \
  "sel r8, r8, r12\n"
#define SQUEEZE_FOLD(OUT)                 \
  "push {r4-r11, lr}\n"                   \
  "ldr r4, [sp, #36]\n"                   \
  "1: ldmia.w r0!, {r5-r8}\n"             \
  SQUEEZE_MAX("ldmia.w r1!, {r9-r12}\n")  \
  SQUEEZE_MAX("ldmia.w r2!, {r9-r12}\n")  \
  OUT                                     \
  "stmia.w r3!, {r5-r8}\n"                \
  "cmp r3, r4\n"                          \
  "bne 1b\n"                              \
  "pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) void FoldStart([[maybe_unused]] const int8_t* a,
                                                [[maybe_unused]] const int8_t* b,
                                                [[maybe_unused]] const int8_t* c,
                                                [[maybe_unused]] int8_t* out,
                                                [[maybe_unused]] const int8_t* out_end) {
  __asm__(SQUEEZE_FOLD(""));
}
__attribute__((naked, noinline)) void FoldOn([[maybe_unused]] const int8_t* a,
                                             [[maybe_unused]] const int8_t* b,
                                             [[maybe_unused]] const int8_t* c, [[maybe_unused]] int8_t* out,
                                             [[maybe_unused]] const int8_t* out_end) {
  __asm__(SQUEEZE_FOLD(SQUEEZE_MAX("ldm.w r3, {r9-r12}\n")));
}

// The multiple of 16 channels of three taps, where all is word-aligned. Returns how many channels that was.
uint32_t FoldBlocks(const int8_t* tap, uint32_t channels, bool start, int8_t* out) {
  const uint32_t done = channels & ~uint32_t{15};
  if (done == 0 ||
      ((reinterpret_cast<uintptr_t>(tap) | reinterpret_cast<uintptr_t>(out) | channels) & 3) != 0) {
    return 0;
  }
  (start ? FoldStart : FoldOn)(tap, tap + channels, tap + 2 * channels, out, out + done);
  return done;
}

#else

uint32_t FoldBlocks(const int8_t*, uint32_t, bool, int8_t*) { return 0; }

#endif

// out = max(start or out, `kTaps` pixels from `tap` on), of four channels a word; the tail of 1 to 3 one by
// one.
template <int kTaps>
void Fold(const int8_t* tap, uint32_t channels, bool start, int8_t* out) {
  const int8_t* const end = tap + (channels & ~uint32_t{3});
  if (kTaps == 3) {
    const uint32_t done = FoldBlocks(tap, channels, start, out);
    tap += done;
    out += done;
  }
  while (tap != end) {
    uint32_t best = LoadWord(tap);
    if (kTaps > 1) best = MaxBytes(best, LoadWord(tap + channels));
    if (kTaps > 2) best = MaxBytes(best, LoadWord(tap + 2 * channels));
    if (!start) best = MaxBytes(best, LoadWord(out));
    StoreWord(out, best);
    tap += 4;
    out += 4;
  }
  for (uint32_t c = channels & 3; c > 0; --c, ++tap, ++out) {
    int8_t best = start ? *tap : *out;
    for (uint32_t i = 0; i < kTaps; ++i) best = tap[i * channels] > best ? tap[i * channels] : best;
    *out = best;
  }
}

void ClampRow(const PoolRow& p) {
  const uint32_t low = Splat(p.act_min), high = Splat(p.act_max);
  int8_t* out = p.out;
  for (uint32_t x = 0; x < p.out_width; ++x, out += p.out_pixel_stride) {
    uint32_t c = 0;
    for (; c + 4 <= p.channels; c += 4) StoreWord(out + c, MinBytes(MaxBytes(LoadWord(out + c), low), high));
    for (; c < p.channels; ++c) out[c] = Clamp(out[c], p.act_min, p.act_max);
  }
}

}  // namespace

void MaxPoolRow(const PoolRow& p) {
  const uint32_t channels = p.channels;
  int8_t* out = p.out;
  for (int32_t x = 0; x < p.out_width; ++x, out += p.out_pixel_stride) {
    const int32_t left = x * p.stride_w - p.pad_left;
    const int32_t begin = left > 0 ? left : 0;
    const int32_t end = left + p.kernel_w < p.in_width ? left + p.kernel_w : p.in_width;
    int32_t taps = end - begin;
    if (taps <= 0) {
      if (p.first) memset(out, -128, channels);
      continue;
    }
    const int8_t* tap = p.row + static_cast<uint32_t>(begin) * channels;
    bool start = p.first;
    for (; taps > 3; --taps, tap += channels, start = false) Fold<1>(tap, channels, start, out);
    if (taps == 3) {
      Fold<3>(tap, channels, start, out);
    } else if (taps == 2) {
      Fold<2>(tap, channels, start, out);
    } else {
      Fold<1>(tap, channels, start, out);
    }
  }
  if (p.last && (p.act_min > -128 || p.act_max < 127)) ClampRow(p);
}

}  // namespace squeeze
