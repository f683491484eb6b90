#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {
namespace {

int32_t Dot(const int8_t* a, const int8_t* b, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

int32_t Sum(const int8_t* a, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; ++i) sum += a[i];
  return sum;
}

// Sum of products of one output pixel and channel; `begin` and `end` are the
// columns of the kernel that lie inside the row.
int32_t Taps(const ConvRow& c, const int8_t* weights, int left, int begin, int end) {
  const uint32_t channels = c.in_channels;
  const uint32_t row_weights = c.kernel_w * channels;
  const uint32_t inside = static_cast<uint32_t>(end - begin) * channels;
  const int offset = (left + begin) * static_cast<int>(channels);
  int32_t sum = 0;
  for (int k = 0; k < c.kernel_h; ++k, weights += row_weights) {
    const int8_t* here = weights + static_cast<uint32_t>(begin) * channels;
    uint32_t padded = row_weights;
    if (c.rows[k] != nullptr && inside > 0) {
      sum += Dot(c.rows[k] + offset, here, inside);
      padded -= inside;
    }
    if (padded > 0) {  // every tap that is padding has the zero point's value
      const int32_t all = Sum(weights, row_weights);
      sum += c.in_zero_point * (padded == row_weights ? all : all - Sum(here, inside));
    }
  }
  return sum;
}

}  // namespace

void Conv2DRow(const ConvRow& c) {
  const uint32_t filter = static_cast<uint32_t>(c.kernel_h) * c.kernel_w * c.in_channels;
  int8_t* out = c.out;
  for (int x = 0; x < c.out_width; ++x, out += c.out_pixel_stride) {
    const int left = x * c.stride_w - c.pad_left;
    const int right = c.in_width - left;  // columns of the row from `left` on
    int end = right < c.kernel_w ? right : c.kernel_w;
    int begin = left < 0 ? -left : 0;
    if (begin >= end) begin = end = 0;
    const int8_t* weights = c.weights;
    for (uint32_t o = 0; o < c.out_channels; ++o, weights += filter) {
      const int32_t acc = WrappingAdd(c.bias[o], Taps(c, weights, left, begin, end));
      out[o] = Requantize(acc, c.multipliers[o], c.shifts[o], c.out_zero_point, c.act_min, c.act_max);
    }
  }
}

}  // namespace squeeze
