#include "engine/dsp/requantize.h"

#include "engine/dsp/intrinsics.h"
#include "engine/fixed_point.h"
#include "engine/struct_offset.h"

namespace squeeze {
namespace {

constexpr int32_t kMostShift = 22;

struct StoreRun {
  const int32_t* acc;
  int8_t* out;
  uint32_t stride;
  int32_t scale[6];  // the first six words of PairScale
  uint32_t pixels;
};
SQUEEZE_OFFSET(StoreRun, acc, 0);
SQUEEZE_OFFSET(StoreRun, out, 4);
SQUEEZE_OFFSET(StoreRun, stride, 8);
SQUEEZE_OFFSET(StoreRun, scale, 12);
SQUEEZE_OFFSET(StoreRun, pixels, 36);

#if defined(__ARM_FEATURE_DSP)

// r0 acc, r1 out, r2 stride, r3-r5 and r6-r8 multiplier, R and shift of the two channels, r9 pixels left,
// r10-lr accumulators. Four pixels a round, then two, then one. Strings, because a macro's name is global.
// clang-format off
#define SQUEEZE_TWO_PIXELS(VALUE)   \
  "ldm r0!, {r10, r11, r12, lr}\n"  \
  VALUE("r10", "r3", "r4", "r5")    \
  VALUE("r11", "r6", "r7", "r8")    \
  VALUE("r12", "r3", "r4", "r5")    \
  VALUE("lr", "r6", "r7", "r8")     \
  "bfi r10, r11, #8, #8\n"          \
  "bfi r12, lr, #8, #8\n"           \
  "strh r10, [r1]\n"                \
  "strh r12, [r1, r2]\n"            \
  "add.w r1, r1, r2, lsl #1\n"
#define SQUEEZE_STORE(VALUE)      \
  "push {r4-r11, lr}\n"           \
  "ldm r0, {r0-r9}\n"             \
  "subs r9, #4\n"                 \
  "blt 2f\n"                      \
  "1:\n"                          \
  SQUEEZE_TWO_PIXELS(VALUE)       \
  SQUEEZE_TWO_PIXELS(VALUE)       \
  "subs r9, #4\n"                 \
  "bge 1b\n"                      \
  "2: tst r9, #2\n"               \
  "beq 3f\n"                      \
  SQUEEZE_TWO_PIXELS(VALUE)       \
  "3: tst r9, #1\n"               \
  "beq 4f\n"                      \
  "ldrd r10, r11, [r0]\n"         \
  VALUE("r10", "r3", "r4", "r5")  \
  VALUE("r11", "r6", "r7", "r8")  \
  "bfi r10, r11, #8, #8\n"        \
  "strh r10, [r1]\n"              \
  "4: pop {r4-r11, pc}\n"
// clang-format on

__attribute__((naked, noinline)) void StoreRelu([[maybe_unused]] const StoreRun* run) {
  __asm__(SQUEEZE_STORE(SQUEEZE_RELU));
}
__attribute__((naked, noinline)) void StoreLinear([[maybe_unused]] const StoreRun* run) {
  __asm__(SQUEEZE_STORE(SQUEEZE_LINEAR));
}

#else

void StoreRelu(const StoreRun* run) {
  for (uint32_t i = 0; i < 2 * run->pixels; ++i) {
    const int32_t* scale = run->scale + 3 * (i & 1);
    const int32_t value = Smmlar(run->acc[i], scale[0], scale[1]) >> scale[2];
    run->out[i / 2 * run->stride + (i & 1)] = static_cast<int8_t>(Ssat8(value));
  }
}

void StoreLinear(const StoreRun* run) {
  for (uint32_t i = 0; i < 2 * run->pixels; ++i) {
    const int32_t* scale = run->scale + 3 * (i & 1);
    const int32_t product = Smmlar(run->acc[i], scale[0], 0);
    const int32_t value = (product + (product >> 31) + scale[1]) >> scale[2];
    run->out[i / 2 * run->stride + (i & 1)] = static_cast<int8_t>(Ssat8(value));
  }
}

#endif

// Bits of |bias| (or one less).
uint32_t Magnitude(int32_t bias) { return static_cast<uint32_t>(bias ^ (bias >> 31)); }

}  // namespace

bool UsualScales(const ConvRows& conv, uint32_t bias_limit) {
  // All at once: biases are small if none has a high bit, shifts of -16 to -1 have the upper four bits set.
  uint32_t biases = 0, shifts = 0xFFFFFFFF;
  uint32_t o = 0;
  for (; o + 4 <= conv.out_channels; o += 4) {
    for (uint32_t i = 0; i < 4; ++i) biases |= Magnitude(conv.bias[o + i]);
    shifts &= LoadWord(conv.shifts + o);
  }
  for (; o < conv.out_channels; ++o) {
    biases |= Magnitude(conv.bias[o]);
    shifts &= static_cast<uint32_t>(int32_t{conv.shifts[o]});
  }
  // The zero point is not folded yet into the biases of Huffman-coded layers: room for what it adds.
  if (conv.huffman != nullptr) {
    const uint32_t more = (uint32_t{conv.kernel_h} * conv.kernel_w * conv.in_channels) << 14;
    if (more >= bias_limit) return false;
    bias_limit -= more;
  }
  return biases < bias_limit && (shifts & 0xF0F0F0F0u) == 0xF0F0F0F0u;
}

PairScales::PairScales(const ConvRows& conv, uint32_t taps)
    : conv_(conv),
      rounding_(Rounding::kExact),
      bias_limit_((int32_t{1} << 30) - static_cast<int32_t>(taps << 14)),
      least_shift_(0) {
  if (conv.act_min != -128 || conv.act_max != 127) return;
  rounding_ = conv.out_zero_point == -128 ? Rounding::kRelu : Rounding::kLinear;
  least_shift_ = rounding_ == Rounding::kRelu ? 0 : 1;
}

PairScale PairScales::At(uint32_t o) const {
  PairScale scale;
  const uint32_t p = o + 1 < conv_.out_channels ? o + 1 : o;
  const int32_t zero_point = conv_.out_zero_point;
  const int32_t bias0 = conv_.bias[o], bias1 = conv_.bias[p];
  const int32_t shift0 = -conv_.shifts[o], shift1 = -conv_.shifts[p];
  const auto usual = [this](int32_t bias, int32_t shift) {
    return bias < bias_limit_ && bias > -bias_limit_ && shift >= least_shift_ && shift <= kMostShift;
  };
  const bool fast = p != o && usual(bias0, shift0) && usual(bias1, shift1);
  scale.rounding = fast ? rounding_ : Rounding::kExact;
  scale.multiplier0 = conv_.multipliers[o];
  scale.multiplier1 = conv_.multipliers[p];
  scale.shift0 = shift0;
  scale.shift1 = shift1;
  if (scale.rounding == Rounding::kExact) {
    scale.rounding0 = scale.rounding1 = scale.start0 = scale.start1 = 0;
    return scale;
  }
  scale.rounding0 = ((1 << shift0) >> 1) + zero_point * (1 << shift0);
  scale.rounding1 = ((1 << shift1) >> 1) + zero_point * (1 << shift1);
  scale.start0 = 2 * bias0;
  scale.start1 = 2 * bias1;
  return scale;
}

void StorePair(const ConvRows& conv, const PairScale& scale, uint32_t o, const int32_t* acc, int8_t* out,
               uint32_t pixels) {
  if (scale.rounding != Rounding::kExact) {
    const StoreRun run = {
        acc,
        out,
        conv.out_pixel_stride,
        {scale.multiplier0, scale.rounding0, scale.shift0, scale.multiplier1, scale.rounding1, scale.shift1},
        pixels};
    scale.rounding == Rounding::kRelu ? StoreRelu(&run) : StoreLinear(&run);
    return;
  }
  const uint32_t channels = o + 1 < conv.out_channels ? 2 : 1;
  for (uint32_t c = 0; c < channels; ++c) {
    int8_t* to = out + c;
    const int32_t* from = acc + c;
    for (uint32_t i = 0; i < pixels; ++i, from += 2, to += conv.out_pixel_stride) {
      *to = Requantize(WrappingAdd(*from >> 1, conv.bias[o + c]), conv.multipliers[o + c], conv.shifts[o + c],
                       conv.out_zero_point, conv.act_min, conv.act_max);
    }
  }
}

}  // namespace squeeze
