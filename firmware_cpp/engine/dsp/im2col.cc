#include "engine/dsp/im2col.h"

#include <string.h>

#include "engine/dsp/intrinsics.h"

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
        line_(line) {
    // Taps past the last one stay zeros.
    for (uint32_t i = 1; i <= 3 && !by_rows_; ++i) StoreWord(line + i * padded_taps - 4, 0);
  }

  Window At(uint32_t x, uint32_t y) const {
    const int32_t left = static_cast<int32_t>(x * conv_.stride_w) - conv_.pad_left;
    return {left, y * conv_.stride_h, left >= 0 && left + conv_.kernel_w <= conv_.in_width};
  }

  // Whether kernel rows end on words. If not, whole windows are collected first.
  bool ByRows() const { return by_rows_; }

  // Copies the window of output pixel (x, y) to line `i`.
  void Whole(uint32_t x, uint32_t y, uint32_t i) const {
    const Window window = At(x, y);
    int8_t* line = line_ + i * padded_taps_;
    for (uint32_t k = 0; k < conv_.kernel_h; ++k, line += row_taps_) Collect(window, k, line);
  }

  // Copies the windows of `count` pixels from (x, y) on to lines from `i` on, if they are in one row, without
  // padding at its ends, and of a few words (3 x 3 RGB).
  bool Few(uint32_t x, uint32_t y, uint32_t i, uint32_t count) const {
    if (row_taps_ < 8 || row_taps_ > 12 || x + count > conv_.out_width) return false;
    const Window first = At(x, y);
    const int32_t right = first.left + static_cast<int32_t>((count - 1) * conv_.stride_w) + conv_.kernel_w;
    if (first.left < 0 || right > conv_.in_width) return false;
    CopyFew(conv_.rows + first.row, static_cast<uint32_t>(first.left) * conv_.in_channels, i, count);
    return true;
  }

  // The collected lines to one group.
  uint32_t* Lines(uint32_t count, uint32_t* to) const {
    const int8_t* const from[3] = {line_, line_ + padded_taps_, line_ + 2 * padded_taps_};
    return Interleave(to, from, count, padded_taps_ / 4, doubled_);
  }

  // `count` windows (3 or 2) to one group, kernel row after kernel row.
  uint32_t* Group(const Window* windows, uint32_t count, uint32_t* to) const {
    const int8_t* from[3];
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

  // Kernel rows of 8 to 12 bytes, in three words, the last one over the end of the second: rows are not worth
  // a call each.
  __attribute__((noinline)) void CopyFew(const int8_t* const* rows, uint32_t offset, uint32_t i,
                                         uint32_t count) const {
    const uint32_t last = row_taps_ - 4, pitch = padded_taps_;
    const uint32_t step = uint32_t{conv_.stride_w} * conv_.in_channels;
    const uint32_t padding = static_cast<uint8_t>(conv_.in_zero_point) * 0x01010101u;
    int8_t* to = line_ + i * pitch;
    for (const int8_t* const* const end = rows + conv_.kernel_h; rows != end; ++rows, to += last + 4) {
      int8_t* line = to;
      if (*rows == nullptr) {
        for (uint32_t left = count; left > 0; --left, line += pitch) {
          StoreWord(line, padding);
          StoreWord(line + 4, padding);
          StoreWord(line + last, padding);
        }
        continue;
      }
      const int8_t* from = *rows + offset;
      for (uint32_t left = count; left > 0; --left, from += step, line += pitch) {
        const uint32_t word0 = LoadWord(from), word1 = LoadWord(from + 4), word2 = LoadWord(from + last);
        StoreWord(line, word0);
        StoreWord(line + 4, word1);
        StoreWord(line + last, word2);
      }
    }
  }

  // Copies kernel row k of a window, with its padding.
  __attribute__((noinline)) void Collect(const Window& window, uint32_t k, int8_t* to) const {
    const int8_t* row = conv_.rows[window.row + k];
    const int32_t channels = conv_.in_channels;
    if (row != nullptr && window.inside) {
      memcpy(to, row + window.left * channels, row_taps_);
      return;
    }
    memset(to, conv_.in_zero_point, row_taps_);
    if (row == nullptr) return;
    const int32_t begin = window.left < 0 ? 0 : window.left;
    const int32_t right = window.left + conv_.kernel_w;
    const int32_t end = right < conv_.in_width ? right : conv_.in_width;
    if (begin >= end) return;
    memcpy(to + (begin - window.left) * channels, row + begin * channels,
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

void Im2Col(const ConvRows& conv, uint32_t begin, uint32_t end, const Im2ColGroups& layout, int8_t* line,
            uint32_t* to) {
  const uint32_t threes = layout.groups.threes, twos = layout.groups.twos;
  const int8_t* pixel = Straight(conv);
  if (pixel != nullptr && end - begin > 1) {
    const uint32_t channels = conv.in_channels;
    pixel += begin * channels;
    uint32_t group = 0;
    if (!layout.doubled && threes > 0) {
      to = InterleaveThrees(to, pixel, channels / 4, threes, layout.gaps ? 3 : 0);
      pixel += threes * 3 * channels;
      group = threes;
    }
    for (; group < threes + twos; ++group) {
      const uint32_t count = group < threes ? 3 : 2;
      const int8_t* const from[3] = {pixel, pixel + channels, pixel + 2 * channels};
      to = Interleave(to, from, count, channels / 4, layout.doubled);
      if (layout.gaps) to += count;
      pixel += count * channels;
    }
    return;
  }
  const Gather gather(conv, layout.padded_taps, layout.doubled, line);
  uint32_t y = begin / conv.out_width;
  uint32_t x = begin % conv.out_width;
  for (uint32_t group = 0; group < threes + twos; ++group) {
    const uint32_t count = group < threes ? 3 : 2;
    if (!gather.ByRows() && count == 3 && gather.Few(x, y, 0, 3)) {
      begin += 3;
      x += 3;
      if (x == conv.out_width) {
        x = 0;
        ++y;
      }
      to = gather.Lines(count, to);
      if (layout.gaps) to += count;
      continue;
    }
    Window windows[3];
    for (uint32_t i = 0; i < count; ++i) {
      if (gather.ByRows()) {
        windows[i] = gather.At(x, y);
      } else if (!gather.Few(x, y, i, 1)) {
        gather.Whole(x, y, i);
      }
      if (begin + 1 == end) continue;  // the last pixel: again, if it is alone
      ++begin;
      if (++x == conv.out_width) {
        x = 0;
        ++y;
      }
    }
    to = gather.ByRows() ? gather.Group(windows, count, to) : gather.Lines(count, to);
    if (layout.gaps) to += count;
  }
}

}  // namespace squeeze
