// A convolution's kernel that gets one value of a map wrong: for tests of what finds it.
#include <stdint.h>

#include "engine/kernels.h"

void Real(const squeeze::ConvRows& conv) __asm__(REAL_KERNEL);
void Broken(const squeeze::ConvRows& conv) __asm__(BROKEN_KERNEL);

// The lowest bit of the last channel of the last pixel of the last row. Only a convolution with padding below
// tells that a row is the last one: its window holds a row that is not there. Not the first layer's: a fire
// module's expand layer writes only a part of each row, which is harder to name.
void Broken(const squeeze::ConvRows& conv) {
  Real(conv);
  const int last = (conv.out_rows - 1) * conv.stride_h + conv.kernel_h - 1;
  if (conv.kernel_h < 2 || conv.in_channels < 8 || conv.rows[last] != nullptr) return;
  int8_t& value =
      conv.out[conv.out_rows - 1][(conv.out_width - 1) * conv.out_pixel_stride + conv.out_channels - 1];
  value = static_cast<int8_t>(value ^ 1);
}
