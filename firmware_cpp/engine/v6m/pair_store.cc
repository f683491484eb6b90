// Cycles an output on a Cortex-M0+: 26, or 13 where a ReLU's sum is not positive; without a ReLU 29; where
// sums may be large 2 and 4 more.
#include "engine/v6m/pair_store.h"

#include "engine/fixed_point.h"

namespace squeeze {
namespace {

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// r0 sum, r1 sums, r2 other, r3 out, r4-r6 parts of the multiplier, r7 shift, r8 what rounds V, r9 stride,
// r10 end of sums, r11 their limit, r12 the sum again, r14 of kLinear what rounds y.
// clang-format off
#define SQUEEZE_PAIR_V          \
  "mov r12, r0\n"               \
  "muls r0, r4\n"               \
  "asrs r0, r0, #10\n"          \
  "mov r2, r12\n"               \
  "muls r2, r5\n"               \
  "adds r0, r0, r2\n"           \
  "asrs r0, r0, #10\n"          \
  "mov r2, r12\n"               \
  "muls r2, r6\n"               \
  "adds r0, r0, r2\n"           \
  "add r0, r8\n"
#define SQUEEZE_PAIR_NOT_BIG(labels)
#define SQUEEZE_PAIR_NOT_BIG_FIX(labels)
#define SQUEEZE_PAIR_BIG_RELU(n) \
  "cmp r0, r11\n"                \
  "bgt " n "3f\n"                \
  n "4:\n"
#define SQUEEZE_PAIR_BIG_RELU_FIX(n) \
  n "3: mov r0, r11\n"               \
  "b " n "4b\n"
#define SQUEEZE_PAIR_RELU(n, at, BIG) \
  "ldr r0, [r1, #" at "]\n"           \
  "cmp r0, #0\n"                      \
  "ble " n "1f\n" BIG(n)              \
  SQUEEZE_PAIR_V                      \
  "asrs r0, r7\n"                     \
  "cmp r0, #255\n"                    \
  "bgt " n "2f\n"                     \
  n "5: subs r0, #128\n"              \
  "strb r0, [r3]\n"                   \
  "add r3, r9\n"
#define SQUEEZE_PAIR_RELU_FIX(n, BIG_FIX) \
  n "1: movs r0, #0\n"                    \
  "b " n "5b\n"                           \
  n "2: movs r0, #255\n"                  \
  "b " n "5b\n" BIG_FIX(n)
#define SQUEEZE_PAIR_BIG_LINEAR(n) \
  "asrs r2, r0, #20\n"             \
  "adds r2, #1\n"                  \
  "cmp r2, #1\n"                   \
  "bhi " n "3f\n"                  \
  n "4:\n"
#define SQUEEZE_PAIR_BIG_LINEAR_FIX(n) \
  n "3: asrs r2, r0, #31\n"            \
  "mov r0, r11\n"                      \
  "eors r0, r2\n" /* limit, or -limit - 1 */ \
  "b " n "4b\n"
#define SQUEEZE_PAIR_LINEAR(n, at, BIG) \
  "ldr r0, [r1, #" at "]\n" BIG(n)      \
  SQUEEZE_PAIR_V                        \
  "asrs r0, r0, #11\n"                  \
  "asrs r2, r0, #31\n"                  \
  "adds r0, r0, r2\n"                   \
  "add r0, r14\n"                       \
  "asrs r0, r7\n"                       \
  "sxtb r2, r0\n"                       \
  "cmp r2, r0\n"                        \
  "bne " n "1f\n"                       \
  n "5: strb r0, [r3]\n"                \
  "add r3, r9\n"
#define SQUEEZE_PAIR_LINEAR_FIX(n, BIG_FIX) \
  n "1: asrs r0, r0, #31\n"                 \
  "movs r2, #127\n"                         \
  "eors r0, r2\n"                           \
  "b " n "5b\n" BIG_FIX(n)
#define SQUEEZE_PAIR_FUNCTION(Name, ROUNDING, ONE, FIX, BIG, BIG_FIX)                                     \
  __attribute__((naked, noinline, aligned(4))) void Name(                                                 \
      [[maybe_unused]] const PairScale* scale, [[maybe_unused]] const int32_t* sums,                      \
      [[maybe_unused]] uint32_t count, [[maybe_unused]] int8_t* out) {                                    \
    __asm__(".syntax unified\n"                                                                           \
            "push {r4-r7, lr}\n"                                                                          \
            "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"                                       \
            "push {r4-r7}\n"                                                                              \
            "ldr r4, [r0, #16]\n" ROUNDING                                                                \
            "ldr r4, [r0, #20]\n"                                                                         \
            "mov r9, r4\n"                                                                                \
            "lsls r4, r2, #3\n"                                                                           \
            "adds r4, r4, r1\n"                                                                           \
            "mov r10, r4\n"                                                                               \
            "movs r4, #15\n"                                                                              \
            "lsls r4, r4, #16\n"                                                                          \
            "mov r11, r4\n"                                                                               \
            "lsls r2, r2, #31\n"                                                                          \
            "ldm r0!, {r4-r7}\n"                                                                          \
            "beq 1f\n"                                                                                    \
            "subs r1, #8\n"                                                                               \
            "b 2f\n"                                                                                      \
            "1:\n" ONE("1", "0", BIG)                                                                     \
            "2:\n" ONE("2", "8", BIG)                                                                     \
            "adds r1, #16\n"                                                                              \
            "cmp r1, r10\n"                                                                               \
            "bne 1b\n"                                                                                    \
            "pop {r4-r7}\n"                                                                               \
            "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"                                       \
            "pop {r4-r7, pc}\n" FIX("1", BIG_FIX) FIX("2", BIG_FIX));                                     \
  }
#define SQUEEZE_PAIR_ROUND_V "mov r8, r4\n"
#define SQUEEZE_PAIR_ROUND_Y  \
  "mov r14, r4\n"             \
  "movs r4, #1\n"             \
  "lsls r4, r4, #10\n"        \
  "mov r8, r4\n"
// clang-format on
static_assert(kPairSumLimit == 15 << 16, "as the functions load it");
SQUEEZE_PAIR_FUNCTION(Relu, SQUEEZE_PAIR_ROUND_V, SQUEEZE_PAIR_RELU, SQUEEZE_PAIR_RELU_FIX,
                      SQUEEZE_PAIR_NOT_BIG, SQUEEZE_PAIR_NOT_BIG_FIX)
SQUEEZE_PAIR_FUNCTION(BigRelu, SQUEEZE_PAIR_ROUND_V, SQUEEZE_PAIR_RELU, SQUEEZE_PAIR_RELU_FIX,
                      SQUEEZE_PAIR_BIG_RELU, SQUEEZE_PAIR_BIG_RELU_FIX)
SQUEEZE_PAIR_FUNCTION(Linear, SQUEEZE_PAIR_ROUND_Y, SQUEEZE_PAIR_LINEAR, SQUEEZE_PAIR_LINEAR_FIX,
                      SQUEEZE_PAIR_NOT_BIG, SQUEEZE_PAIR_NOT_BIG_FIX)
SQUEEZE_PAIR_FUNCTION(BigLinear, SQUEEZE_PAIR_ROUND_Y, SQUEEZE_PAIR_LINEAR, SQUEEZE_PAIR_LINEAR_FIX,
                      SQUEEZE_PAIR_BIG_LINEAR, SQUEEZE_PAIR_BIG_LINEAR_FIX)

#else

inline int32_t Limited(int32_t x) {
  return x > kPairSumLimit ? kPairSumLimit : (x < -kPairSumLimit ? -kPairSumLimit : x);
}
inline int32_t V(const PairScale& scale, int32_t sum) {
  const int32_t* const part = scale.parts;
  return (((sum * part[0] >> 10) + sum * part[1]) >> 10) + sum * part[2];
}
template <bool kBig>
void AllRelu(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out) {
  for (; count > 0; --count, sums += 2, out += scale->stride) {
    const int32_t sum = kBig ? Limited(*sums) : *sums;
    const int32_t value = sum <= 0 ? 0 : (V(*scale, sum) + scale->rounding) >> scale->shift;
    *out = static_cast<int8_t>((value > 255 ? 255 : value) - 128);
  }
}
template <bool kBig>
void AllLinear(const PairScale* scale, const int32_t* sums, uint32_t count, int8_t* out) {
  for (; count > 0; --count, sums += 2, out += scale->stride) {
    const int32_t y = (V(*scale, kBig ? Limited(*sums) : *sums) + (1 << 10)) >> 11;
    *out = Clamp((y + (y >> 31) + scale->rounding) >> scale->shift, -128, 127);
  }
}
constexpr auto Relu = AllRelu<false>, BigRelu = AllRelu<true>, Linear = AllLinear<false>,
               BigLinear = AllLinear<true>;

#endif

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
    store = big ? BigRelu : Relu;
  } else {
    rounding = half + zero_point * (1 << right);
    shift = right;
    store = big ? BigLinear : Linear;
  }
}

}  // namespace squeeze
