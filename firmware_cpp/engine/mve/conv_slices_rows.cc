// Convolution on Helium, any shape. A group of 7 pixels holds a slice of 16 taps each in q0 to q6, and the
// weights of a block of output channels stream past (slices_multiply.cc); the accumulators are
// [channel][pixel] in scratch, of as many channels as it holds. Then the block is requantized
// (slices_requantize.cc). |sum| < 2^31 as in kernels.h.
//
// The pixels of all output rows form one stream (slices_group.h); its last group may be of 2, 4 or 6, as 13,
// 27, 55 and 111 columns leave 6. Where kernel_w * in_channels is a multiple of 16, a kernel row is a run of
// slices read from the input row. Elsewhere, and where the window hangs over the edge, a pixel's taps are
// copied first (slices_window.cc). A kernel of one row reads its last slice beyond the window where the row
// goes on: those weights are 0. Of the pixels wholly in the padding, which are all alike, one is computed.
//
// Instructions a MAC, all included (QEMU): 3x3, 32 or more channels 0.098 to 0.103, 16 channels 0.112; 1x1 of
// 256 and more 0.100 to 0.108, 128 0.12 to 0.13, 16 0.238 (requantization); 7x7/2 of 3 channels 0.123, 3x3/2
// 0.21. A call costs about 250, a group 100.
#include <string.h>

#include "engine/kernels.h"
#include "engine/mve/slices.h"
#include "engine/mve/slices_channels.h"
#include "engine/mve/slices_group.h"
#include "engine/mve/slices_window.h"

namespace squeeze {
namespace {

class Slices {
 public:
  explicit Slices(const ConvRows& c)
      : c_(c),
        run_bytes_(uint32_t{c.kernel_w} * c.in_channels),
        window_bytes_((c.kernel_h * run_bytes_ + kSliceBytes - 1) / kSliceBytes * kSliceBytes),
        pixel_bytes_(uint32_t{c.stride_w} * c.in_channels),
        out_stride_(c.out_pixel_stride),
        windows_(c.scratch + kSliceTableBytes),
        whole_(run_bytes_ % kSliceBytes == 0),
        one_window_(whole_ && c.kernel_h * c.kernel_w == 1),
        runs_(whole_ ? c.kernel_h : 1),
        group_(c.scratch),
        channels_(c, runs_, window_bytes_ / kSliceBytes / runs_, Accumulators(),
                  c.scratch_bytes - static_cast<uint32_t>(Accumulators() - c.scratch)) {
    FindInnerColumns();
    CountPixels();
    StartGroup();
  }

  void Run() {
    for (uint32_t y = 0; y < c_.out_rows; ++y) Row(y);
    if (group_.count > 0) Compute();
    if (padding_ != nullptr) CopyPadding();
  }

 private:
  // Behind the table and the windows.
  uint8_t* Accumulators() const { return windows_ + window_bytes_ * (one_window_ ? 1 : kSlicePixels); }

  // Columns [begin_, end_) of the output have their window inside the row; those of [begin_, direct_end_) can
  // be read in place.
  void FindInnerColumns() {
    const auto columns = [this](uint32_t pixels, uint32_t unit) {
      const uint32_t n = pixels / unit + 1;
      return n < c_.out_width ? n : uint32_t{c_.out_width};
    };
    begin_ = (c_.pad_left + uint32_t{c_.stride_w} - 1) / c_.stride_w;
    const uint32_t padded = uint32_t{c_.in_width} + c_.pad_left;
    end_ = padded < c_.kernel_w ? 0 : columns(padded - c_.kernel_w, c_.stride_w);
    if (begin_ > end_) begin_ = end_;
    direct_end_ = end_;
    if (whole_) return;
    direct_end_ = begin_;
    if (c_.kernel_h > 1 || padded * c_.in_channels < window_bytes_) return;
    const uint32_t end = columns(padded * c_.in_channels - window_bytes_, pixel_bytes_);
    if (end > begin_) direct_end_ = end < end_ ? end : end_;
  }

  // Columns wholly in the padding count as one pixel. (A row that is padding counts in full: its pixels would
  // only have made another choice in StartGroup.)
  void CountPixels() {
    const uint32_t before = c_.pad_left < c_.kernel_w ? 0 : (c_.pad_left - c_.kernel_w) / c_.stride_w + 1u;
    const uint32_t end = (uint32_t{c_.in_width} + c_.pad_left + c_.stride_w - 1) / c_.stride_w;
    const uint32_t outside = before + (end < c_.out_width ? c_.out_width - end : 0);
    left_ = outside < c_.out_width ? (c_.out_width - outside) * c_.out_rows : 0;
    if (outside > 0) ++left_;
  }

  bool Null(const int8_t* const* rows, bool all) const {
    for (uint32_t k = 0; k < c_.kernel_h; ++k) {
      if ((rows[k] == nullptr) != all) return !all;
    }
    return all;
  }

  void Row(uint32_t y) {
    const int8_t* const* rows = c_.rows + y * c_.stride_h;
    const uint32_t width = c_.out_width;
    int8_t* out = c_.out[y];
    uint32_t x = 0;
    if (!Null(rows, false)) {  // no row is missing
      for (; x < begin_; ++x, out += out_stride_) Edge(rows, x, out);
      while (x < end_) {
        const bool direct = x < direct_end_;
        uint32_t pixels = (direct ? direct_end_ : end_) - x;
        if (pixels > group_.Room()) pixels = group_.Room();
        if (direct) {
          for (uint32_t r = 0; r < runs_; ++r) {
            group_.Taps(r, reinterpret_cast<uint32_t>(rows[r]) + Offset(x), pixel_bytes_, pixels);
          }
        } else {
          CopyInnerWindows(c_, rows, Offset(x), pixels, Window(), window_bytes_);
          UseWindows(pixels);
        }
        Add(out, pixels);
        x += pixels;
        out += pixels * out_stride_;
      }
    }
    for (; x < width; ++x, out += out_stride_) Edge(rows, x, out);
  }

  uint32_t Offset(uint32_t x) const { return x * pixel_bytes_ - uint32_t{c_.pad_left} * c_.in_channels; }

  int32_t Left(uint32_t x) const { return static_cast<int32_t>(x * c_.stride_w) - c_.pad_left; }

  // The next pixel's place for copied taps.
  int8_t* Window() const {
    return reinterpret_cast<int8_t*>(windows_ + (one_window_ ? 0 : group_.count * window_bytes_));
  }

  // The next pixels have theirs there.
  void UseWindows(uint32_t pixels) {
    uint32_t first = reinterpret_cast<uint32_t>(Window());
    for (uint32_t r = 0; r < runs_; ++r, first += run_bytes_) group_.Taps(r, first, window_bytes_, pixels);
  }

  void Add(int8_t* out, uint32_t pixels) {
    group_.Add(out, out_stride_, pixels);
    if (group_.Room() == 0) Compute();
  }

  bool InPadding(const int8_t* const* rows, uint32_t x) const {
    const int32_t left = Left(x);
    return left >= c_.in_width || left + c_.kernel_w <= 0 || Null(rows, true);
  }

  // A pixel whose window hangs over the edge.
  __attribute__((noinline)) void Edge(const int8_t* const* rows, uint32_t x, int8_t* out) {
    if (InPadding(rows, x)) {
      if (padding_ != nullptr) return;
      padding_ = out;
      memset(Window(), c_.in_zero_point, window_bytes_);
    } else {
      CopyWindow(c_, rows, Left(x), Window());
    }
    UseWindows(1);
    Add(out, 1);
  }

  void CopyPadding() const {
    for (uint32_t y = 0; y < c_.out_rows; ++y) {
      int8_t* out = c_.out[y];
      for (uint32_t x = 0; x < c_.out_width; ++x, out += out_stride_) {
        if (out == padding_ || !InPadding(c_.rows + y * c_.stride_h, x)) continue;
        memcpy(out, padding_, c_.out_channels);
      }
    }
  }

  __attribute__((noinline)) void Compute() {
    left_ -= channels_.Compute(&group_);
    StartGroup();
  }

  // Two groups of 6 or fewer are cheaper than one of 7 and another.
  void StartGroup() {
    group_.count = 0;
    group_.size = left_ == 8 || left_ == 10 || left_ == 12 ? 6 : kSlicePixels;
  }

  const ConvRows& c_;
  const uint32_t run_bytes_;     // of a kernel row
  const uint32_t window_bytes_;  // padded to whole slices
  const uint32_t pixel_bytes_;   // from window to window
  const uint32_t out_stride_;
  uint8_t* const windows_;  // for copied taps, one of each pixel
  const bool whole_;        // kernel rows are whole slices
  const bool one_window_;   // only the pixel of padding needs one
  const uint32_t runs_;
  uint32_t left_;  // pixels still to be computed
  uint32_t begin_;
  uint32_t end_;
  uint32_t direct_end_;
  int8_t* padding_ = nullptr;  // the pixel computed for all that are wholly in the padding
  SlicesGroup group_;
  SlicesChannels channels_;
};

}  // namespace

void ConvSlicesRows(const ConvRows& conv) { Slices(conv).Run(); }

}  // namespace squeeze
