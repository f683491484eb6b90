#include "engine/dsp/im2col.h"

#include <cstring>

namespace squeeze {
namespace {

// Where the window of one output pixel lies.
struct Window {
  int32_t left;  // column of the first tap, of the padding if negative
  uint32_t row;  // of conv.rows, of the first tap
  bool inside;   // all columns are in the row
};

class Gather {
 public:
  Gather(const ConvRows& conv, uint32_t padded_taps, bool doubled, int8_t* line)
      : conv_(conv),
        row_taps_(uint32_t{conv.kernel_w} * conv.in_channels),
        padded_taps_(padded_taps),
        by_rows_(row_taps_ % 4 == 0),
        doubled_(doubled),
        line_(line) {}

  Window At(uint32_t x, uint32_t y) const {
    const int32_t left = static_cast<int32_t>(x * conv_.stride_w) - conv_.pad_left;
    return {left, y * conv_.stride_h, left >= 0 && left + conv_.kernel_w <= conv_.in_width};
  }

  // `count` windows (3 or 2) to one group.
  uint32_t* Group(const Window* windows, uint32_t count, uint32_t* to) const {
    const int8_t* from[3];
    if (!by_rows_) {  // kernel rows do not end on words: collect whole windows first
      for (uint32_t i = 0; i < count; ++i) {
        int8_t* line = line_ + i * padded_taps_;
        from[i] = line;
        for (uint32_t k = 0; k < conv_.kernel_h; ++k, line += row_taps_) Collect(windows[i], k, line);
        std::memset(line, 0, padded_taps_ - conv_.kernel_h * row_taps_);
      }
      return Interleave(to, from, count, padded_taps_ / 4, doubled_);
    }
    for (uint32_t k = 0; k < conv_.kernel_h; ++k) {
      for (uint32_t i = 0; i < count; ++i) {
        from[i] = Direct(windows[i], k);
        if (from[i] != nullptr) continue;
        Collect(windows[i], k, line_ + i * row_taps_);
        from[i] = line_ + i * row_taps_;
      }
      to = Interleave(to, from, count, row_taps_ / 4, doubled_);
    }
    return to;
  }

 private:
  // Kernel row k of a window, if it can be read in place: no padding, and word-aligned.
  const int8_t* Direct(const Window& window, uint32_t k) const {
    const int8_t* row = conv_.rows[window.row + k];
    if (row == nullptr || !window.inside) return nullptr;
    row += static_cast<uint32_t>(window.left) * conv_.in_channels;
    return (reinterpret_cast<uintptr_t>(row) & 3) == 0 ? row : nullptr;
  }

  // Copies kernel row k of a window, with its padding.
  void Collect(const Window& window, uint32_t k, int8_t* to) const {
    const int8_t* row = conv_.rows[window.row + k];
    const int32_t channels = conv_.in_channels;
    if (row != nullptr && window.inside) {
      std::memcpy(to, row + window.left * channels, row_taps_);
      return;
    }
    std::memset(to, conv_.in_zero_point, row_taps_);
    if (row == nullptr) return;
    const int32_t begin = window.left < 0 ? 0 : window.left;
    const int32_t right = window.left + conv_.kernel_w;
    const int32_t end = right < conv_.in_width ? right : conv_.in_width;
    if (begin >= end) return;
    std::memcpy(to + (begin - window.left) * channels, row + begin * channels,
                static_cast<uint32_t>((end - begin) * channels));
  }

  const ConvRows& conv_;
  const uint32_t row_taps_;
  const uint32_t padded_taps_;
  const bool by_rows_;
  const bool doubled_;
  int8_t* const line_;
};

// The pixels of a 1x1 convolution, if they simply stand one after the other.
const int8_t* Straight(const ConvRows& conv) {
  const uint32_t channels = conv.in_channels;
  if (conv.kernel_h != 1 || conv.kernel_w != 1 || conv.stride_h != 1 || conv.stride_w != 1) return nullptr;
  if (conv.pad_left != 0 || conv.in_width != conv.out_width || channels % 4 != 0) return nullptr;
  const int8_t* const first = conv.rows[0];
  if (first == nullptr || (reinterpret_cast<uintptr_t>(first) & 3) != 0) return nullptr;
  for (uint32_t y = 1; y < conv.out_rows; ++y) {
    if (conv.rows[y] != first + y * conv.in_width * channels) return nullptr;
  }
  return first;
}

}  // namespace

void Im2Col(const ConvRows& conv, uint32_t begin, uint32_t end, uint32_t threes, uint32_t twos,
            uint32_t padded_taps, bool doubled, int8_t* line, uint32_t* to) {
  const int8_t* pixel = Straight(conv);
  if (pixel != nullptr && end - begin > 1) {
    const uint32_t channels = conv.in_channels;
    pixel += begin * channels;
    for (uint32_t group = 0; group < threes + twos; ++group) {
      const uint32_t count = group < threes ? 3 : 2;
      const int8_t* const from[3] = {pixel, pixel + channels, pixel + 2 * channels};
      to = Interleave(to, from, count, channels / 4, doubled);
      pixel += count * channels;
    }
    return;
  }
  const Gather gather(conv, padded_taps, doubled, line);
  uint32_t y = begin / conv.out_width;
  uint32_t x = begin % conv.out_width;
  for (uint32_t group = 0; group < threes + twos; ++group) {
    const uint32_t count = group < threes ? 3 : 2;
    Window windows[3];
    for (uint32_t i = 0; i < count; ++i) {
      windows[i] = gather.At(x, y);
      if (begin + 1 == end) continue;  // the last pixel: again, if it is alone
      ++begin;
      if (++x == conv.out_width) {
        x = 0;
        ++y;
      }
    }
    to = gather.Group(windows, count, to);
  }
}

}  // namespace squeeze
