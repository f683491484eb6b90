// a + b: the portable kernel's arithmetic without products of 64 bits, in three passes over a few values, so
// that each pass has its constants in registers.
//
// An input x = value - zero point has 9 bits. With m = h * 2^11 + l (l: 11 bits), TFLite's first rounding of
// x * 2^20 * m is floor((x * m + 2^10) / 2^11) = x * h + ((x * l + 2^10) >> 11): 29 and 20 bits.
// The sum s of both has 30 bits with sign. With s = a * 2^14 + b (b: 14 bits) and m = c * 2^16 + d (d: 16
// bits)
//   Q = floor(s * m / 2^30) = ((((b * d >> 14) + a * d) >> 2) + b * c >> 14) + a * c,
// shifts that round down, so each drops only bits that cannot carry; the first rounding of s * m is
// (Q + 1) >> 1, because the 30 bits that Q lacks lie below the half that is added. |s| <= 2 * 255 * 2^20
// makes |a| <= 32,640: a * d + (b * d >> 14) <= 32,640 * 65,535 + 65,536 < 2^31, and all others are smaller.
#include "engine/fixed_point.h"
#include "engine/kernels.h"
#include "engine/struct_offset.h"

namespace squeeze {
namespace {

constexpr uint32_t kBlock = 64;
constexpr int32_t kMostPlaces = 21;

// What a pass needs, in the order in which assembler loads it.
struct InputPass {
  const int8_t* values;
  uint32_t count;
  int32_t zero_point;
  int32_t high;  // h, l
  int32_t low;
  int32_t places;  // the second rounding's shift to the right; 0: there is none
  int32_t half;    // half of what it drops
  int32_t* sums;
};
SQUEEZE_OFFSET(InputPass, values, 0);
SQUEEZE_OFFSET(InputPass, count, 4);
SQUEEZE_OFFSET(InputPass, zero_point, 8);
SQUEEZE_OFFSET(InputPass, high, 12);
SQUEEZE_OFFSET(InputPass, low, 16);
SQUEEZE_OFFSET(InputPass, places, 20);
SQUEEZE_OFFSET(InputPass, half, 24);
SQUEEZE_OFFSET(InputPass, sums, 28);
struct OutputPass {
  const int32_t* sums;
  int8_t* out;
  uint32_t count;
  int32_t low;  // d, c
  int32_t high;
  int32_t places;
  int32_t half;  // with the zero point, shifted
  int32_t least;
  int32_t most;
};
SQUEEZE_OFFSET(OutputPass, sums, 0);
SQUEEZE_OFFSET(OutputPass, out, 4);
SQUEEZE_OFFSET(OutputPass, count, 8);
SQUEEZE_OFFSET(OutputPass, low, 12);
SQUEEZE_OFFSET(OutputPass, high, 16);
SQUEEZE_OFFSET(OutputPass, places, 20);
SQUEEZE_OFFSET(OutputPass, half, 24);
SQUEEZE_OFFSET(OutputPass, least, 28);
SQUEEZE_OFFSET(OutputPass, most, 32);

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

// Without a second rounding, and with l = 0 (as the input of the larger scale has them), x * h is all.
// r0 behind the last value, r1 values left as a negative number, r2 zero point, r3 h, r4 l, r5 x, r6 other,
// r7 sums; r8 2^10, r9 places, r10 half.
// clang-format off
#define SQUEEZE_ADD_SCALE       \
  "ldrsb r5, [r0, r1]\n"        \
  "subs r5, r5, r2\n"           \
  "movs r6, r5\n"               \
  "muls r6, r4\n"               \
  "muls r5, r3\n"               \
  "add r6, r8\n"                \
  "asrs r6, r6, #11\n"          \
  "adds r5, r5, r6\n"
#define SQUEEZE_ADD_SHIFT       \
  "asrs r6, r5, #31\n"          \
  "adds r5, r5, r6\n"           \
  "add r5, r10\n"               \
  "mov r6, r9\n"                \
  "asrs r5, r6\n"
#define SQUEEZE_ADD_NEXT(loop)  \
  "stm r7!, {r5}\n"             \
  "adds r1, #1\n"               \
  "bne " loop "\n"
#define SQUEEZE_ADD_TO          \
  "ldr r6, [r7]\n"              \
  "adds r5, r5, r6\n"
#define SQUEEZE_ADD_INPUT(Name, TO)                                                          \
  __attribute__((naked, noinline)) void Name([[maybe_unused]] const InputPass* pass) {       \
    __asm__(".syntax unified\n"                                                              \
            "push {r4-r7, lr}\n"                                                             \
            "mov r4, r8\n mov r5, r9\n mov r6, r10\n"                                        \
            "push {r4-r6}\n"                                                                 \
            "movs r7, #128\n"                                                                \
            "lsls r7, r7, #3\n"                                                              \
            "mov r8, r7\n"                                                                   \
            "ldr r7, [r0, #24]\n"                                                            \
            "mov r10, r7\n"                                                                  \
            "ldr r7, [r0, #28]\n"                                                            \
            "ldr r6, [r0, #20]\n"                                                            \
            "mov r9, r6\n"                                                                   \
            "ldm r0, {r0-r4}\n"                                                              \
            "adds r0, r0, r1\n"                                                              \
            "rsbs r1, r1, #0\n"                                                              \
            "cmp r6, #0\n"                                                                   \
            "beq 2f\n"                                                                       \
            "1:\n" SQUEEZE_ADD_SCALE SQUEEZE_ADD_SHIFT TO SQUEEZE_ADD_NEXT("1b")             \
            "b 3f\n"                                                                         \
            "2: cmp r4, #0\n"                                                              \
            "beq 4f\n"                                                                     \
            "5:\n" SQUEEZE_ADD_SCALE TO SQUEEZE_ADD_NEXT("5b")                             \
            "b 3f\n"                                                                       \
            "4: ldrsb r5, [r0, r1]\n"                                                      \
            "subs r5, r5, r2\n"                                                            \
            "muls r5, r3\n" TO SQUEEZE_ADD_NEXT("4b")                                      \
            "3: pop {r4-r6}\n"                                                               \
            "mov r8, r4\n mov r9, r5\n mov r10, r6\n"                                        \
            "pop {r4-r7, pc}\n");                                                            \
  }
// clang-format on
SQUEEZE_ADD_INPUT(FirstInput, "")
SQUEEZE_ADD_INPUT(SecondInput, SQUEEZE_ADD_TO)

// r0 sums, r1 out, r2 a and the value, r3 d, r4 c, r5 places, r6 b, r7 other; r8 half, r9 least, r10 most,
// r11 end of out, r12 b * c.
__attribute__((naked, noinline)) void Output([[maybe_unused]] const OutputPass* pass) {
  __asm__(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r4-r7}\n"
      "ldr r7, [r0, #24]\n"
      "mov r8, r7\n"
      "ldr r7, [r0, #28]\n"
      "mov r9, r7\n"
      "ldr r7, [r0, #32]\n"
      "mov r10, r7\n"
      "ldm r0, {r0-r5}\n"
      "adds r2, r2, r1\n"
      "mov r11, r2\n"
      "1: ldm r0!, {r7}\n"
      "asrs r2, r7, #14\n"
      "lsls r6, r7, #18\n"
      "lsrs r6, r6, #18\n"
      "movs r7, r6\n"
      "muls r7, r3\n"
      "lsrs r7, r7, #14\n"
      "muls r6, r4\n"
      "mov r12, r6\n"
      "movs r6, r2\n"
      "muls r6, r3\n"
      "adds r6, r6, r7\n"
      "asrs r6, r6, #2\n"
      "add r6, r12\n"
      "asrs r6, r6, #14\n"
      "muls r2, r4\n"
      "adds r2, r2, r6\n"
      "adds r2, #1\n"
      "asrs r2, r2, #1\n"
      "asrs r7, r2, #31\n"
      "adds r2, r2, r7\n"
      "add r2, r8\n"
      "asrs r2, r5\n"
      "cmp r2, r9\n"
      "blt 3f\n"
      "cmp r2, r10\n"
      "bgt 4f\n"
      "2: strb r2, [r1]\n"
      "adds r1, #1\n"
      "cmp r1, r11\n"
      "bne 1b\n"
      "pop {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "pop {r4-r7, pc}\n"
      "3: mov r2, r9\n"
      "b 2b\n"
      "4: mov r2, r10\n"
      "b 2b\n");
}

#else

// The second rounding: TFLite's shift to the right, half away from zero.
int32_t Rounded(int32_t y, int32_t half, int32_t places) { return (y + (y >> 31) + half) >> places; }

int32_t Scaled(const InputPass& pass, int8_t value) {
  const int32_t x = value - pass.zero_point;
  const int32_t y = x * pass.high + ((x * pass.low + (1 << 10)) >> 11);
  return pass.places == 0 ? y : Rounded(y, pass.half, pass.places);
}
void FirstInput(const InputPass* pass) {
  for (uint32_t i = 0; i < pass->count; ++i) pass->sums[i] = Scaled(*pass, pass->values[i]);
}
void SecondInput(const InputPass* pass) {
  for (uint32_t i = 0; i < pass->count; ++i) pass->sums[i] += Scaled(*pass, pass->values[i]);
}
void Output(const OutputPass* pass) {
  const int32_t low = pass->low, high = pass->high;
  for (uint32_t i = 0; i < pass->count; ++i) {
    const int32_t a = pass->sums[i] >> 14, b = pass->sums[i] & 0x3FFF;
    const uint32_t lows = static_cast<uint32_t>(b) * static_cast<uint32_t>(low) >> 14;
    const int32_t q = ((((static_cast<int32_t>(lows) + a * low) >> 2) + b * high) >> 14) + a * high;
    pass->out[i] = Clamp(Rounded((q + 1) >> 1, pass->half, pass->places), pass->least, pass->most);
  }
}

#endif

InputPass PassOf(const int8_t* values, int32_t zero_point, int32_t multiplier, int32_t shift, int32_t* sums) {
  return {
      values, 0, zero_point, multiplier >> 11, multiplier & 0x7FF, -shift, shift < 0 ? 1 << (-shift - 1) : 0,
      sums};
}

}  // namespace

void AddRowStep(const AddRow& add) {
  int32_t sums[kBlock];
  const int32_t* const p = add.params;
  const int32_t places = -p[5], zero_point = add.out_zero_point;
  InputPass left = PassOf(add.a, add.a_zero_point, p[0], p[3], sums);
  InputPass right = PassOf(add.b, add.b_zero_point, p[1], p[4], sums);
  // A sum is below 2^30: shifted by more than 21 places it is 0 or so, and by none it needs no rounding.
  const bool usual = places > 0 && places <= kMostPlaces;
  OutputPass to = {sums, add.out, 0, p[2] & 0xFFFF, p[2] >> 16, places, 0, add.act_min, add.act_max};
  if (usual) to.half = (1 << (places - 1)) + zero_point * (1 << places);
  for (uint32_t x = add.width; x > 0; --x, to.out += add.out_pixel_stride - add.channels) {
    for (uint32_t c = 0; c < add.channels; c += to.count) {
      to.count = left.count = right.count = add.channels - c < kBlock ? add.channels - c : kBlock;
      FirstInput(&left);
      SecondInput(&right);
      if (usual) {
        Output(&to);
      } else {
        for (uint32_t i = 0; i < to.count; ++i) {
          to.out[i] = Requantize(sums[i], p[2], p[5], zero_point, add.act_min, add.act_max);
        }
      }
      left.values += to.count;
      right.values += to.count;
      to.out += to.count;
    }
  }
}

}  // namespace squeeze
