// The mean over the map: SXTAB16 adds two bytes of a word to two int16 accumulators, 1.7 instructions a byte
// of a row of 13 pixels.
#include "engine/dsp/intrinsics.h"
#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {
namespace {

constexpr uint32_t kMostPixels = 256;  // 256 * -128 = -32,768 still fits int16

// Four channels of `count` pixels.
void SumWord(const int8_t* pixel, uint32_t channels, uint32_t count, int32_t* accumulators) {
  uint32_t even = 0, odd = 0;
  for (; count >= 4; count -= 4, pixel += 4 * channels) {
    const uint32_t a = LoadWord(pixel), b = LoadWord(pixel + channels);
    const uint32_t c = LoadWord(pixel + 2 * channels), d = LoadWord(pixel + 3 * channels);
    even = Sxtab16(Sxtab16(Sxtab16(Sxtab16(even, a), b), c), d);
    odd = Sxtab16Ror8(Sxtab16Ror8(Sxtab16Ror8(Sxtab16Ror8(odd, a), b), c), d);
  }
  for (; count > 0; --count, pixel += channels) {
    const uint32_t word = LoadWord(pixel);
    even = Sxtab16(even, word);
    odd = Sxtab16Ror8(odd, word);
  }
  accumulators[0] = WrappingAdd(accumulators[0], LowHalf(even));
  accumulators[1] = WrappingAdd(accumulators[1], LowHalf(odd));
  accumulators[2] = WrappingAdd(accumulators[2], HighHalf(even));
  accumulators[3] = WrappingAdd(accumulators[3], HighHalf(odd));
}

}  // namespace

void MeanRowStep(const MeanRow& m) {
  const uint32_t channels = m.channels;
  int32_t* const accumulators = m.accumulators;
  if (m.first) memset(accumulators, 0, channels * sizeof(*accumulators));
  const int8_t* pixel = m.row;
  for (uint32_t left = m.width; left > 0;) {
    const uint32_t count = left < kMostPixels ? left : kMostPixels;
    uint32_t c = 0;
    for (; c + 4 <= channels; c += 4) SumWord(pixel + c, channels, count, accumulators + c);
    for (; c < channels; ++c) {
      for (uint32_t x = 0; x < count; ++x)
        accumulators[c] = WrappingAdd(accumulators[c], pixel[x * channels + c]);
    }
    pixel += count * channels;
    left -= count;
  }
  if (!m.last) return;
  const int32_t padding = m.in_zero_point * static_cast<int32_t>(m.pixels);
  const int32_t multiplier = m.multiplier, shift = m.shift;
  const int32_t zero_point = m.out_zero_point;
  int8_t* const out = m.out;
  for (uint32_t c = 0; c < channels; ++c) {
    out[c] = Requantize(WrappingAdd(accumulators[c], -padding), multiplier, shift, zero_point, -128, 127);
  }
}

}  // namespace squeeze
