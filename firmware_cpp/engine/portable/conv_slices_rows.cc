// The Helium kernel's encoding on other CPUs, so that a host runs the very model that an M55 gets: each
// channel is gathered from its slices and goes through the reference kernel.
#include <string.h>

#include "engine/kernels.h"
#include "engine/mve/slices.h"

namespace squeeze {

void ConvSlicesRows(const ConvRows& conv) {
  const ConvShape shape = {conv.in_width, conv.in_channels, conv.out_width, conv.out_channels, conv.kernel_h,
                           conv.kernel_w, conv.stride_h,    conv.stride_w,  conv.pad_left,     conv.out_rows};
  const uint32_t slices = SlicePaddedTaps(shape) / kSliceBytes;
  const uint32_t pitch = SlicePaddedChannels(shape) * kSliceBytes;
  ConvRows channel = conv;
  channel.encoding = WeightEncoding::kDense;
  channel.weights = conv.scratch;
  channel.out_channels = 1;
  for (uint32_t o = 0; o < conv.out_channels; ++o) {
    for (uint32_t s = 0; s < slices; ++s) {
      memcpy(conv.scratch + s * kSliceBytes, conv.weights + s * pitch + o * kSliceBytes, kSliceBytes);
    }
    channel.bias = conv.bias + o;
    channel.multipliers = conv.multipliers + o;
    channel.shifts = conv.shifts + o;
    for (uint32_t y = 0; y < conv.out_rows; ++y) channel.out[y] = conv.out[y] + o;
    Conv2DRows(channel);
  }
}

}  // namespace squeeze
