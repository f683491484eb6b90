// Layout of WeightEncoding::kSlices, and the scratch of ConvSlicesRows. Builds on every host.
//   int8 weights[slice][channel][16]
// The weights of a channel in HWI order (K = kernel_h * kernel_w * in_channels of them), cut into slices of
// 16; K is padded with zeros to a multiple of 16, channels with zero weights to a multiple of 4.
// convert/encode/slices.py writes it.
#ifndef SQUEEZE_ENGINE_MVE_SLICES_H_
#define SQUEEZE_ENGINE_MVE_SLICES_H_

#include <stdint.h>

#include "engine/conv_shape.h"

namespace squeeze {

constexpr uint32_t kSliceBytes = 16;
constexpr uint32_t kSliceQuad = 4;            // output channels go by four
constexpr uint32_t kSlicePixels = 7;          // pixels of a group
constexpr uint32_t kSliceBlockChannels = 64;  // kept at once at least, where there are as many

inline uint32_t SlicePaddedTaps(const ConvShape& s) {
  return (s.Taps() + kSliceBytes - 1) / kSliceBytes * kSliceBytes;
}

inline uint32_t SlicePaddedChannels(const ConvShape& s) {
  return (s.out_channels + kSliceQuad - 1) / kSliceQuad * kSliceQuad;
}

inline uint64_t SlicesStoredBytes(const ConvShape& s) {
  return uint64_t{SlicePaddedChannels(s)} * SlicePaddedTaps(s);
}

// Pixels whose taps may have to be copied at once: all of a group; but a 1x1 kernel over whole slices copies
// only the one pixel of padding.
inline uint32_t SliceWindows(const ConvShape& s) {
  return s.kernel_h * s.kernel_w == 1 && s.in_channels % kSliceBytes == 0 ? 1 : kSlicePixels;
}

constexpr uint32_t kSliceTableBytes = 200;  // addresses of 7 pixels in up to 7 kernel rows, a multiple of 8

// The table, windows, then int32 accumulators [channel][pixel] of a block of channels. With more scratch the
// blocks become larger, up to all channels: 14 instructions less a block, slice and group of pixels.
inline uint32_t SlicesScratchBytes(const ConvShape& s) {
  const uint32_t channels = SlicePaddedChannels(s);
  const uint32_t block = channels < kSliceBlockChannels ? channels : kSliceBlockChannels;
  return kSliceTableBytes + SliceWindows(s) * SlicePaddedTaps(s) + block * kSlicePixels * 4;
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_MVE_SLICES_H_
