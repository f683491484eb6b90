#include <string.h>

#include "engine/dsp/fast_fir.h"

namespace squeeze {

const int8_t* FastFirCollect(const ConvRows& conv, const int8_t* row, int32_t left, int8_t* to) {
  constexpr int32_t kSide = kFastFirSide;
  const uint32_t channels = conv.in_channels;
  const uint32_t padded = FastFirPaddedChannels(channels);
  const int32_t begin = left < 0 ? -left : 0;
  const int32_t end = left + kSide < conv.in_width ? kSide : conv.in_width - left;
  memset(to, conv.in_zero_point, kFastFirSide * padded);
  if (row == nullptr || begin >= end) return to;
  const int8_t* from = row + static_cast<uint32_t>(left + begin) * channels;
  int8_t* first = to + static_cast<uint32_t>(begin) * padded;
  if (padded == channels) {
    memcpy(first, from, static_cast<uint32_t>(end - begin) * channels);
    return to;
  }
  for (int32_t i = begin; i < end; ++i, from += channels, first += padded) memcpy(first, from, channels);
  return to;
}

}  // namespace squeeze
