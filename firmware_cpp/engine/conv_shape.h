// What the size of a convolution kernel's scratch and of its packed weights depend on.
#ifndef SQUEEZE_ENGINE_CONV_SHAPE_H_
#define SQUEEZE_ENGINE_CONV_SHAPE_H_

#include <stdint.h>

namespace squeeze {

struct ConvShape {
  uint32_t in_width;
  uint32_t in_channels;
  uint32_t out_width;
  uint32_t out_channels;
  uint32_t kernel_h;
  uint32_t kernel_w;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_left;
  uint32_t out_rows;  // made by one call

  // Input rows that one call reads.
  uint32_t InputRows() const { return (out_rows - 1) * stride_h + kernel_h; }
  // Weights of one output channel.
  uint32_t Taps() const { return kernel_h * kernel_w * in_channels; }
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_CONV_SHAPE_H_
