#include "engine/portable/pixel_pairs_inputs.h"

#include <string.h>

namespace squeeze {
namespace {

inline uint32_t Min(uint32_t a, uint32_t b) { return a < b ? a : b; }

}  // namespace

PixelPairsInputs::PixelPairsInputs(const ConvRows& c)
    : c_(c),
      shape_{c.in_width, c.in_channels, c.out_width, c.out_channels, c.kernel_h,
             c.kernel_w, c.stride_h,    c.stride_w,  c.pad_left,     c.out_rows},
      of_rows_(PairsOfRows(shape_)) {
  const uint32_t taps = shape_.Taps();
  uint8_t* at = c.scratch;
  padding_ = reinterpret_cast<int8_t*>(at);
  at += PairsAlign(c.in_channels);
  table_ = reinterpret_cast<uint16_t*>(at);
  at += PairsAlign(2 * taps);
  list_ = reinterpret_cast<uint32_t*>(at);
  at += PairsListBytes(shape_, c.huffman != nullptr);
  sums_ = reinterpret_cast<PairsSums*>(at);
  memset(padding_, c.in_zero_point, c.in_channels);
  SetChunk();
}

// As many words as scratch has space for, in chunks of like size.
void PixelPairsInputs::SetChunk() {
  const uint32_t all = PairsAllWords(shape_);
  const uint32_t apron = PairsApron(shape_);
  const uint32_t plane_bytes = 4 * c_.in_channels * PairsPlanes(shape_);
  const bool huffman = c_.huffman != nullptr;
  const uint32_t fixed = PairsFixedBytes(shape_, huffman);
  const uint32_t sums = PairsSumsOfWord(shape_, huffman);
  const uint32_t word_bytes = PairsPackedRows(shape_) * plane_bytes;
  uint32_t fitting =
      (c_.scratch_bytes - fixed - word_bytes * apron) / (word_bytes + sums * uint32_t{sizeof(PairsSums)});
  fitting = Min(fitting, 4 * kPairsMostTapWords / (plane_bytes * c_.kernel_h) - apron);
  chunk_ = all;
  if (fitting < all) {
    // Room for kPairsMinWords at least: PixelPairsSupports and PixelPairsScratchBytes.
    const uint32_t chunks = (all + fitting - 1) / fitting;  // NOLINT(clang-analyzer-core.DivideZero)
    chunk_ = (all + chunks - 1) / chunks;
    const uint32_t threes = (chunk_ + 2) / 3 * 3;
    if (threes <= fitting) chunk_ = threes;
  }
  packed_ = reinterpret_cast<uint32_t*>(sums_ + sums * chunk_);
}

bool PixelPairsInputs::Next() {
  begin_ = first_;
  if (begin_ >= c_.out_width) return false;
  const uint32_t left = c_.out_width - begin_;
  words_ = Min(chunk_, of_rows_ ? left : (left + 1) / 2);
  first_ += of_rows_ ? words_ : 2 * words_;
  stride_ = words_ + PairsApron(shape_);
  row_words_ = stride_ * PairsPlanes(shape_) * c_.in_channels;
  const uint32_t rows = of_rows_ ? 2 : 1;
  const uint32_t step = rows * c_.stride_h;
  const uint32_t packed_rows = PairsPackedRows(shape_);
  uint32_t* to = packed_;
  for (uint32_t q = 0, in_step = 0; q < packed_rows; ++q, to += row_words_) {
    if (in_step < c_.kernel_h) PackRow(q, to);  // others lie between two windows
    if (++in_step == step) in_step = 0;
    if (step <= c_.kernel_h) in_step = 0;
  }
  MakeTable();
  pass_count_ = 0;
  for (uint32_t y = 0; y < c_.out_rows; y += rows) {
    int8_t* const low = c_.out[y] + begin_ * c_.out_pixel_stride;
    PairsPass& pass = passes_[pass_count_++];
    pass.base = packed_ + y * c_.stride_h * row_words_;
    pass.low = low;
    pass.high = of_rows_ ? c_.out[y + 1] + begin_ * c_.out_pixel_stride : low + words_ * c_.out_pixel_stride;
    pass.high_count = of_rows_ ? words_ : Min(words_, left - words_);
  }
  return true;
}

// An input row's channels and planes, with those of its partner in the high halves.
void PixelPairsInputs::PackRow(uint32_t row, uint32_t* to) const {
  const uint32_t planes = PairsPlanes(shape_);
  PairsPack pack = {
      nullptr, nullptr, c_.in_channels, stride_ * planes, nullptr, 0, uint32_t{c_.stride_w} * c_.in_channels};
  for (uint32_t plane = 0; plane < planes; ++plane, to += stride_) {
    for (uint32_t i = 0; i < stride_; i += pack.count) {
      const Pixels low = PixelsFrom(row, begin_ + i, plane);
      const Pixels high = of_rows_ ? PixelsFrom(row + c_.stride_h, begin_ + i, plane)
                                   : PixelsFrom(row, begin_ + words_ + i, plane);
      pack.low = low.first;
      pack.high = high.first;
      pack.dst = to + i;
      pack.count = Min(stride_ - i, Min(low.count, high.count));
      PixelPairsPack(&pack);
    }
  }
}

// From output column `column`'s first tap of a plane on.
PixelPairsInputs::Pixels PixelPairsInputs::PixelsFrom(uint32_t row, uint32_t column, uint32_t plane) const {
  const uint32_t x = column * c_.stride_w + plane - c_.pad_left;  // beyond the row if negative
  if (c_.rows[row] == nullptr || x >= c_.in_width) return {padding_, 1};
  const uint32_t more = c_.stride_w - 1u;
  return {c_.rows[row] + x * c_.in_channels, (c_.in_width - x + more) >> more};
}

void PixelPairsInputs::MakeTable() {
  uint16_t* to = table_;
  const uint32_t planes = PairsPlanes(shape_);
  const uint32_t channel_bytes = 4 * stride_ * planes;
  uint32_t row = 0;
  for (uint32_t ky = c_.kernel_h; ky > 0; --ky, row += 4 * row_words_) {
    uint32_t column = row;  // of the first plane
    for (uint32_t kx = 0, plane = 0; kx < c_.kernel_w; ++kx) {
      uint32_t at = column + plane * 4 * stride_;
      for (uint32_t k = c_.in_channels; k > 0; --k, at += channel_bytes) *to++ = static_cast<uint16_t>(at);
      if (++plane == c_.stride_w) {
        plane = 0;
        column += 4;
      }
    }
  }
}

}  // namespace squeeze
