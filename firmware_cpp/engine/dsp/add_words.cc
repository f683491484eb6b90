// ADD's four values a word: 47 instructions and 51 cycles where b's zero point and the output's are -128, 63
// to 71 cycles otherwise.
#include "engine/dsp/add_words.h"

#include "engine/dsp/intrinsics.h"
#include "engine/fixed_point.h"

namespace squeeze {
namespace {

#if defined(__ARM_FEATURE_DSP)

// r0 a, r1 b, r3 mask of a byte raised by 20 bits, r4 by 21 bits (plain) or b's zero, r5 multiplier, r6 half,
// r7 shift, r8-r10 the output's multiplier, rounding and shift, r11 four of a, byte by byte replaced by
// outputs, r12 four of b, r2 and lr one value. Stack: 0 out, 4 end.
// clang-format off
#define SQUEEZE_B_PLAIN(at20, at21)   \
  "and.w lr, r4, r12, " at21 "\n"     \
  "smmlar lr, lr, r5, r6\n"           \
  "asr.w lr, lr, r7\n"
#define SQUEEZE_B_SIGNED(at20, at21)  \
  "and.w lr, r3, r12, " at20 "\n"     \
  "sub.w lr, lr, r4\n"                \
  "smmlar lr, lr, r5, lr\n"           \
  "add.w lr, lr, lr, asr #31\n"       \
  "add.w lr, lr, r6\n"                \
  "asr.w lr, lr, r7\n"
#define SQUEEZE_OUT_RELU      \
  "smmlar lr, lr, r8, r9\n"
#define SQUEEZE_OUT_LINEAR       \
  "smmulr lr, lr, r8\n"          \
  "add.w lr, lr, lr, asr #31\n"  \
  "add.w lr, lr, r9\n"
#define SQUEEZE_ADD_VALUE(OF_B, OUT, at20, at21, bit)  \
  "and.w r2, r3, r11, " at20 "\n"                      \
  OF_B(at20, at21)                                     \
  "add.w lr, r2, lr, lsl #1\n"                         \
  OUT                                                  \
  "asr.w lr, lr, r10\n"                                \
  "ssat lr, #8, lr\n"                                  \
  "bfi r11, lr, #" bit ", #8\n"
#define SQUEEZE_ADD_WORDS(LOAD_R4, OF_B, OUT)                   \
  "push {r4-r11, lr}\n"                                         \
  "sub sp, #8\n"                                                \
  "ldrd r2, r3, [r0, #36]\n"                                    \
  "strd r2, r3, [sp]\n"                                         \
  "ldm r0, {r0, r1, r4-r10}\n"                                  \
  "mov.w r3, #0xFF00000\n"                                      \
  LOAD_R4                                                       \
  "1: ldr r11, [r0], #4\n"                                      \
  "ldr r12, [r1], #4\n"                                         \
  "eor.w r11, r11, #0x80808080\n"                               \
  "eor.w r12, r12, #0x80808080\n"                               \
  SQUEEZE_ADD_VALUE(OF_B, OUT, "lsl #20", "lsl #21", "0")       \
  SQUEEZE_ADD_VALUE(OF_B, OUT, "lsl #12", "lsl #13", "8")       \
  SQUEEZE_ADD_VALUE(OF_B, OUT, "lsl #4", "lsl #5", "16")        \
  SQUEEZE_ADD_VALUE(OF_B, OUT, "lsr #4", "lsr #3", "24")        \
  "ldr.w lr, [sp]\n"                                            \
  "ldr r2, [sp, #4]\n"                                          \
  "str r11, [lr], #4\n"                                         \
  "str.w lr, [sp]\n"                                            \
  "cmp lr, r2\n"                                                \
  "bne.w 1b\n"                                                  \
  "add sp, #8\n"                                                \
  "pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) void AddPlain([[maybe_unused]] const AddWordsRun* run) {
  __asm__(SQUEEZE_ADD_WORDS("lsl.w r4, r3, #1\n", SQUEEZE_B_PLAIN, SQUEEZE_OUT_RELU));
}
__attribute__((naked, noinline)) void AddRelu([[maybe_unused]] const AddWordsRun* run) {
  __asm__(SQUEEZE_ADD_WORDS("", SQUEEZE_B_SIGNED, SQUEEZE_OUT_RELU));
}
__attribute__((naked, noinline)) void AddLinear([[maybe_unused]] const AddWordsRun* run) {
  __asm__(SQUEEZE_ADD_WORDS("", SQUEEZE_B_SIGNED, SQUEEZE_OUT_LINEAR));
}

#else

void Add(const AddWordsRun& run, bool plain, bool linear) {
  const uint32_t count = static_cast<uint32_t>(run.end - run.out);
  for (uint32_t i = 0; i < count; ++i) {
    const int32_t a = run.a[i] + 128, b = run.b[i] + 128;
    int32_t v;
    if (plain) {
      v = Smmlar(b << 21, run.multiplier, run.half);
    } else {
      v = WrappingAdd(b << 20, -static_cast<int32_t>(run.zero));
      v = Smmlar(v, run.multiplier, v);
      v += (v >> 31) + run.half;
    }
    const int32_t sum = (a << 20) + 2 * (v >> run.shift);
    int32_t out = Smmlar(sum, run.out_multiplier, 0);
    if (linear) out += out >> 31;
    run.out[i] = static_cast<int8_t>(Ssat8((out + run.out_rounding) >> run.out_shift));
  }
}
void AddPlain(const AddWordsRun* run) { Add(*run, true, false); }
void AddRelu(const AddWordsRun* run) { Add(*run, false, false); }
void AddLinear(const AddWordsRun* run) { Add(*run, false, true); }

#endif

constexpr int32_t kHalf = 1 << 30;  // the multiplier of the larger scale
constexpr int32_t kMostShift = 22;
constexpr int32_t kMostShiftOfC = 3;  // c << s stays below 2^30

}  // namespace

AddWords AddWordsOf(const AddRow& add, AddWordsRun* run, bool* swapped) {
  const int32_t* p = add.params;
  const bool swap = p[0] != kHalf || p[3] != 0;
  if (swap && (p[1] != kHalf || p[4] != 0)) return nullptr;
  if (add.act_min != -128 || add.act_max != 127) return nullptr;
  const int32_t multiplier = p[swap ? 0 : 1], shift = -p[swap ? 3 : 4], out_shift = -p[5];
  const int32_t c = ((swap ? add.b_zero_point : add.a_zero_point) + 128) << 19;
  const int32_t zero = (swap ? add.a_zero_point : add.b_zero_point) + 128;
  if (multiplier < kHalf || shift < 1 || shift > (c == 0 ? kMostShift : kMostShiftOfC)) return nullptr;
  if (out_shift < 1 || out_shift > kMostShift) return nullptr;
  *swapped = swap;
  const bool relu = add.out_zero_point == -128, plain = zero == 0 && relu;
  run->zero = static_cast<uint32_t>(zero) << 20;
  run->multiplier = plain ? multiplier : static_cast<int32_t>(static_cast<uint32_t>(multiplier) << 1);
  run->half = (1 << (shift - 1)) - (c << shift);
  run->shift = shift;
  run->out_multiplier = p[2];
  run->out_rounding = (2 * add.out_zero_point + 1) * (1 << (out_shift - 1));
  run->out_shift = out_shift;
  return plain ? AddPlain : relu ? AddRelu : AddLinear;
}

}  // namespace squeeze
