// a + b: four values a word (add_words.h), or, where scales or zero points forbid that and for what is left
// of words, the portable kernel with both roundings of a rescaling written out: 20 instructions a value,
// not 37. Inputs stay below 2^28, accumulators below 2^29 and all rounding constants within 2^30: no step
// overflows.
#include "engine/dsp/add_words.h"
#include "engine/dsp/intrinsics.h"
#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {
namespace {

constexpr int32_t kTwice = 2 << kAddLeftShift;

// RoundingShiftRight(DoublingHighMul(x, multiplier), shift), given 2 x; shift 0 (as the input of the larger
// scale has) to 31. Taking 1 from a negative value sends its halves down, away from zero; without a shift
// there are none.
struct Scale {
  Scale(int32_t m, int32_t s)
      : multiplier(m), shift(-s), half(shift > 0 ? 1 << (shift - 1) : 0), sign(shift > 0 ? -1 : 0) {}

  int32_t Apply(int32_t twice) const {
    const int32_t y = Smmlar(twice, multiplier, 0);
    return (y + ((y >> 31) & sign) + half) >> shift;
  }

  int32_t multiplier;
  int32_t shift;
  int32_t half;
  int32_t sign;
};

template <typename Limit>
void AddAll(const AddRow& a, Limit limit) {
  const int32_t* p = a.params;
  const Scale of_a(p[0], p[3]), of_b(p[1], p[4]), of_sum(p[2], p[5]);
  const int32_t zero_a = a.a_zero_point * kTwice;
  const int32_t zero_b = a.b_zero_point * kTwice;
  const int32_t zero_out = a.out_zero_point;
  const int8_t* left = a.a;
  const int8_t* right = a.b;
  int8_t* out = a.out;
  const uint32_t channels = a.channels;
  for (uint32_t x = a.width; x > 0; --x, out += a.out_pixel_stride) {
    for (uint32_t c = 0; c < channels; ++c) {
      const int32_t u = of_a.Apply(*left++ * kTwice - zero_a);
      const int32_t v = of_b.Apply(*right++ * kTwice - zero_b);
      out[c] = static_cast<int8_t>(limit(of_sum.Apply(2 * (u + v)) + zero_out));
    }
  }
}

// The words of [a, a + count), then what is left of a pixel or row.
void AddRun(const AddRow& add, AddWords words, AddWordsRun* run, bool swapped) {
  const bool whole = add.out_pixel_stride == add.channels;
  const uint32_t count = whole ? uint32_t{add.width} * add.channels : add.channels;
  const uint32_t in_words = count & ~uint32_t{3};
  AddRow rest = add;
  rest.width = 1;
  rest.channels = static_cast<uint16_t>(count - in_words);
  for (uint32_t pixels = whole ? 1 : add.width; pixels > 0; --pixels) {
    if (in_words > 0) {
      run->a = swapped ? rest.b : rest.a;
      run->b = swapped ? rest.a : rest.b;
      run->out = rest.out;
      run->end = rest.out + in_words;
      words(run);
    }
    rest.a += in_words;
    rest.b += in_words;
    rest.out += in_words;
    if (rest.channels > 0) AddAll(rest, [](int32_t x) { return Ssat8(x); });
    rest.a += rest.channels;
    rest.b += rest.channels;
    rest.out += add.out_pixel_stride - in_words;
  }
}

}  // namespace

void AddRowStep(const AddRow& a) {
  AddWordsRun run;
  bool swapped;
  const AddWords words = AddWordsOf(a, &run, &swapped);
  if (words != nullptr) {
    AddRun(a, words, &run, swapped);
    return;
  }
  const int32_t low = a.act_min, high = a.act_max;
  AddAll(a, [low, high](int32_t x) { return x < low ? low : (x > high ? high : x); });
}

}  // namespace squeeze
