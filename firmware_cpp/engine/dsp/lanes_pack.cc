// Inputs and weights of ConvLanesRows to words of lanes.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/lanes.h"

namespace squeeze {
namespace {

inline uint32_t Pair(int32_t low, int32_t high) {
  return static_cast<uint32_t>(low) + (static_cast<uint32_t>(high) << kLanesBits);
}

// Inlined with constant kernel_w and stride_w.
__attribute__((always_inline)) inline uint32_t* PackWeights(const int8_t* weights, uint32_t rows,
                                                            uint32_t channels, uint32_t kernel_w,
                                                            uint32_t stride_w, uint32_t phases,
                                                            uint32_t plane_words, uint32_t* to) {
  const bool pairs = kernel_w > 2 * stride_w;
  for (uint32_t ky = 0; ky < rows; ++ky, weights += kernel_w * channels) {
    for (uint32_t c = 0; c < channels; ++c) {
      for (uint32_t f = 0; f < phases; ++f, ++to) {
        const uint32_t first = stride_w == 2 ? f : 4 * f;
        const auto tap = [&](uint32_t k) -> int32_t {
          const uint32_t kx = first + k * stride_w;
          return kx < kernel_w ? weights[kx * channels + c] : 0;
        };
        const uint32_t a0 = Pair(tap(1), tap(0));
        to[0] = a0;
        if (pairs) {
          const uint32_t a1 = Pair(tap(3), tap(2));
          to[plane_words] = a0 + a1;
          to[2 * plane_words] = a0 - a1;
          to[3 * plane_words] = a1;
        }
      }
    }
  }
  return to;
}

}  // namespace

void LanesPackRow(const ConvRows& conv, const LanesShape& lanes, const LanesRow& row) {
  const uint32_t channels = conv.in_channels;
  const uint32_t next = conv.stride_w * channels;  // bytes from a phase's pixel to the next
  for (uint32_t c = 0; c < channels; ++c) {
    for (uint32_t f = 0; f < lanes.phases; ++f) {
      const int8_t* from = row.line + (conv.stride_w == 2 ? f : 4 * f) * channels + c;
      uint32_t* to = row.to + 3 * (c * lanes.phases + f);
      const auto word = [&] {
        const uint32_t pair = Pair(from[0], from[next]);
        from += 2 * next;
        return pair;
      };
      if (lanes.planes == 1) {
        for (uint32_t b = row.blocks; b > 0; --b, to += row.block_words) {
          to[0] = word();
          to[1] = word();
          to[2] = word();
        }
        if (row.last != nullptr) row.last[c * lanes.phases + f] = word();
        continue;
      }
      uint32_t p0 = word();
      const auto tile = [&](uint32_t* at) {
        const uint32_t p1 = word(), p2 = word(), p3 = word();
        at[0] = p0 - p2;
        at[row.plane_words] = p1 + p2;
        at[2 * row.plane_words] = p2 - p1;
        at[3 * row.plane_words] = p3 - p1;
        p0 = p3;
      };
      for (uint32_t b = row.blocks; b > 0; --b, to += row.block_words) {
        tile(to);
        tile(to + 1);
        tile(to + 2);
      }
      if (row.last != nullptr) tile(row.last + c * lanes.phases + f);
    }
  }
}

uint32_t LanesPackWeights(const ConvRows& conv, const LanesShape& lanes, const uint8_t* weights,
                          uint32_t begin, uint32_t end, uint32_t* to) {
  const uint32_t rows = end - begin, channels = conv.in_channels;
  const uint32_t units = rows * channels * lanes.phases;
  const uint32_t padded = (units + 2) / 3 * 3;
  const int8_t* from = reinterpret_cast<const int8_t*>(weights) + begin * conv.kernel_w * channels;
  uint32_t* after = to;
  if (conv.kernel_w == 7 && conv.stride_w == 2 && channels == 3) {
    after = PackWeights(from, rows, 3, 7, 2, 2, padded, to);
  } else if (conv.kernel_w == 3 && conv.stride_w == 2 && channels == 3) {
    after = PackWeights(from, rows, 3, 3, 2, 2, padded, to);
  } else if (conv.kernel_w == 7 && conv.stride_w == 2) {
    after = PackWeights(from, rows, channels, 7, 2, 2, padded, to);
  } else if (conv.kernel_w == 3 && conv.stride_w == 2) {
    after = PackWeights(from, rows, channels, 3, 2, 2, padded, to);
  } else {
    after = PackWeights(from, rows, channels, conv.kernel_w, conv.stride_w, lanes.phases, padded, to);
  }
  for (uint32_t i = units; i < padded; ++i, ++after) {
    for (uint32_t p = 0; p < lanes.planes; ++p) after[p * padded] = 0;
  }
  return padded;
}

uint32_t LanesWeightSum(const uint8_t* weights, uint32_t count) {
  uint32_t sum = 0;
#if defined(__ARM_FEATURE_DSP)
#pragma GCC unroll 4
  for (; count >= 4; count -= 4, weights += 4) {  // |w| = |(w + 128) - 128| of unsigned bytes
    __asm__("usada8 %0, %1, %2, %0" : "+r"(sum) : "r"(LoadWord(weights) ^ 0x80808080u), "r"(0x80808080u));
  }
#endif
  for (; count > 0; --count) {
    const int32_t weight = static_cast<int8_t>(*weights++);
    sum += static_cast<uint32_t>(weight < 0 ? -weight : weight);
  }
  return sum;
}

}  // namespace squeeze
