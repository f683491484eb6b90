#include "engine/dsp/sparse_list_inputs.h"

#include <string.h>

namespace squeeze {
namespace {

inline uint32_t Min(uint32_t a, uint32_t b) { return a < b ? a : b; }

}  // namespace

SparseListInputs::SparseListInputs(const ConvRows& c)
    : c_(c),
      shape_{c.in_width, c.in_channels, c.out_width, c.out_channels, c.kernel_h, c.kernel_w, 1,
             1,          c.pad_left,    c.out_rows},
      pointwise_(shape_.Taps() == c.in_channels) {
  const uint32_t taps = shape_.Taps();
  uint8_t* at = c.scratch;
  padding_ = reinterpret_cast<int8_t*>(at);
  at += SparseListAlign(c.in_channels);
  table_ = reinterpret_cast<uint16_t*>(at);
  at += pointwise_ ? 0 : SparseListAlign(2 * taps);
  list_ = reinterpret_cast<SparseListEntry*>(at);
  at += sizeof(SparseListEntry) * (taps + 3);
  accumulators_ = reinterpret_cast<LaneAccumulator*>(at);
  memset(padding_, c.in_zero_point, c.in_channels);
  if (!pointwise_) {
    SetChunk(SparseListAllWords(shape_));
    return;
  }
  begin_ = Min(c.pad_left, c.out_width);
  end_ = Min(c.out_width, uint32_t{c.in_width} + c.pad_left);
  if (end_ < begin_) end_ = begin_;
  for (uint32_t y = 0; y < c.out_rows; ++y) {
    if (c.rows[y] != nullptr && begin_ < end_) real_[real_rows_++] = static_cast<uint8_t>(y);
  }
  real_pixels_ = real_rows_ * (end_ - begin_);
  pixels_ = real_pixels_ < uint32_t{c.out_rows} * c.out_width ? real_pixels_ + 1 : real_pixels_;
  SetChunk((pixels_ + 1) / 2);
}

// As many words of `all` as scratch has space for, in chunks of like size.
void SparseListInputs::SetChunk(uint32_t all) {
  const uint32_t apron = c_.kernel_w - 1u;
  const uint32_t fixed = static_cast<uint32_t>(reinterpret_cast<uint8_t*>(accumulators_) - c_.scratch);
  const uint32_t column_bytes = 4 * SparseListPackedRows(shape_) * c_.in_channels;
  uint32_t fitting =
      (c_.scratch_bytes - fixed - column_bytes * apron) / (column_bytes + uint32_t{sizeof(LaneAccumulator)});
  if (pointwise_) {
    fitting = Min(fitting, kSparseListMaxStep);
  } else {  // offsets in the table are 16 bits
    fitting = Min(fitting, 65535 / (uint32_t{c_.kernel_h} * c_.in_channels) - apron);
  }
  chunk_ = all;
  if (fitting < all) {
    // Room for kSparseListMinWords at least: SparseListSupports and SparseListScratchBytes.
    const uint32_t chunks = (all + fitting - 1) / fitting;  // NOLINT(clang-analyzer-core.DivideZero)
    chunk_ = (all + chunks - 1) / chunks;
    const uint32_t threes = (chunk_ + 2) / 3 * 3;
    if (threes <= fitting) chunk_ = threes;
  }
  packed_ = reinterpret_cast<uint32_t*>(accumulators_ + chunk_);
}

// 1x1: all rows' pixels in one line, and one more of padding if any output needs it.
bool SparseListInputs::NextPixels() {
  const uint32_t first = first_;
  if (first >= pixels_) return false;
  words_ = Min(chunk_, (pixels_ - first + 1) / 2);
  first_ += 2 * words_;
  stride_ = words_;
  for (uint32_t i = 0; i < words_;) {
    i += Pack(PixelsFrom(first + i), PixelsFrom(first + words_ + i), words_ - i, packed_ + i);
  }
  output_count_ = 0;
  AddPixels(first, Min(first + words_, real_pixels_), Lane::kLow);
  AddPixels(first + words_, Min(first + 2 * words_, real_pixels_), Lane::kHigh);
  passes_[0] = {packed_, 0, output_count_};
  pass_count_ = 1;
  has_padding_ = pixels_ > real_pixels_ && first_ >= pixels_;
  padding_lane_ = real_pixels_ - first;
  return true;
}

SparseListInputs::Pixels SparseListInputs::PixelsFrom(uint32_t index) const {
  if (index >= real_pixels_) return {padding_, 1};
  const uint32_t inside = end_ - begin_;
  const uint32_t row = index / inside;
  const uint32_t column = index - row * inside;
  return {c_.rows[real_[row]] + (column + begin_ - c_.pad_left) * c_.in_channels, inside - column};
}

void SparseListInputs::AddPixels(uint32_t first, uint32_t end, Lane lane) {
  const uint32_t inside = end_ - begin_;
  uint32_t word = 0;
  while (first < end) {
    const uint32_t row = first / inside;
    const uint32_t column = first - row * inside;
    const uint32_t count = Min(end - first, inside - column);
    AddOutput(real_[row], begin_ + column, word, count, lane);
    first += count;
    word += count;
  }
}

int8_t SparseListInputs::PaddingValue(const LaneScale& scale) const {
  int8_t value = 0;
  if (padding_lane_ < words_) {
    StoreLanes(c_, scale, Lane::kLow, accumulators_ + padding_lane_, 1, &value);
  } else {
    StoreLanes(c_, scale, Lane::kHigh, accumulators_ + (padding_lane_ - words_), 1, &value);
  }
  return value;
}

void SparseListInputs::FillPadding(int8_t value, uint32_t o) const {
  uint32_t next_real = 0;
  for (uint32_t y = 0; y < c_.out_rows; ++y) {
    int8_t* const out = c_.out[y] + o;
    if (next_real < real_rows_ && real_[next_real] == y) {
      ++next_real;
      Fill(value, 0, begin_, out);
      Fill(value, end_, c_.out_width, out);
    } else {
      Fill(value, 0, c_.out_width, out);
    }
  }
}

void SparseListInputs::Fill(int8_t value, uint32_t begin, uint32_t end, int8_t* out) const {
  const uint32_t stride = c_.out_pixel_stride;
  out += begin * stride;
  for (uint32_t x = begin; x < end; ++x, out += stride) *out = value;
}

// Larger kernels: chunks of columns, rows in pairs or in halves.
bool SparseListInputs::NextColumns() {
  const uint32_t first = first_;
  if (first >= c_.out_width) return false;
  const bool in_pairs = c_.out_rows % 2 == 0;
  const uint32_t left = c_.out_width - first;
  words_ = Min(chunk_, in_pairs ? left : (left + 1) / 2);
  first_ += in_pairs ? words_ : 2 * words_;
  stride_ = words_ + c_.kernel_w - 1;
  const uint32_t row_words = stride_ * c_.in_channels;
  const uint32_t packed_rows = SparseListPackedRows(shape_);
  for (uint32_t q = 0; q < packed_rows; ++q) {
    for (uint32_t i = 0; i < stride_;) {
      const Pixels low = TapsFrom(q, first + i);
      const Pixels high = in_pairs ? TapsFrom(q + 1, first + i) : TapsFrom(q, first + words_ + i);
      i += Pack(low, high, stride_ - i, packed_ + q * row_words + i);
    }
  }
  MakeTable(row_words);
  output_count_ = 0;
  pass_count_ = 0;
  for (uint32_t y = 0; y < c_.out_rows; y += in_pairs ? 2 : 1) {
    const uint8_t first_output = output_count_;
    AddOutput(y, first, 0, words_, Lane::kLow);
    if (in_pairs) {
      AddOutput(y + 1, first, 0, words_, Lane::kHigh);
    } else if (left > words_) {
      AddOutput(y, first + words_, 0, Min(words_, left - words_), Lane::kHigh);
    }
    passes_[pass_count_++] = {packed_ + y * row_words, first_output, output_count_};
  }
  return true;
}

// From the pixel of input row `row` under output column `column`'s first tap on.
SparseListInputs::Pixels SparseListInputs::TapsFrom(uint32_t row, uint32_t column) const {
  const uint32_t x = column - c_.pad_left;  // beyond the row if negative
  if (c_.rows[row] == nullptr || x >= c_.in_width) return {padding_, 1};
  return {c_.rows[row] + x * c_.in_channels, c_.in_width - x};
}

// At most `count` words, as far as both lanes go.
uint32_t SparseListInputs::Pack(const Pixels& low, const Pixels& high, uint32_t count, uint32_t* to) const {
  count = Min(count, Min(low.count, high.count));
  SparseListPackPixels(low.first, high.first, c_.in_channels, stride_, count, to);
  return count;
}

void SparseListInputs::MakeTable(uint32_t row_words) {
  uint16_t* to = table_;
  const bool by_channel = HuffmanByMasks(c_.huffman);  // all taps of an input channel together
  const uint32_t step = by_channel ? uint32_t{c_.kernel_h} * c_.kernel_w : 1;
  for (uint32_t ky = 0; ky < c_.kernel_h; ++ky) {
    for (uint32_t kx = 0; kx < c_.kernel_w; ++kx) {
      uint32_t word = ky * row_words + kx;
      uint16_t* at = by_channel ? table_ + ky * c_.kernel_w + kx : to;
      for (uint32_t k = 0; k < c_.in_channels; ++k, word += stride_, at += step)
        *at = static_cast<uint16_t>(word);
      to += c_.in_channels;
    }
  }
}

void SparseListInputs::AddOutput(uint32_t row, uint32_t column, uint32_t first, uint32_t count, Lane lane) {
  outputs_[output_count_++] = {c_.out[row] + column * c_.out_pixel_stride, static_cast<uint16_t>(first),
                               static_cast<uint16_t>(count), lane};
}

}  // namespace squeeze
