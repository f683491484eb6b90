// The packed inputs of ConvSparseListRows, chunk by chunk, and where the accumulators over them go.
#ifndef SQUEEZE_ENGINE_DSP_SPARSE_LIST_INPUTS_H_
#define SQUEEZE_ENGINE_DSP_SPARSE_LIST_INPUTS_H_

#include <stdint.h>

#include "engine/conv_shape.h"
#include "engine/dsp/sparse_list.h"
#include "engine/kernels.h"

namespace squeeze {

// Lanes of consecutive accumulators of a pass that are consecutive outputs.
struct SparseListOutput {
  int8_t* out;  // channel 0
  uint16_t first;
  uint16_t count;
  Lane lane;
};

// An output row, pair of rows, or (1x1) everything: its words, and what becomes of the accumulators.
struct SparseListPass {
  const uint32_t* base;
  uint8_t first_output;
  uint8_t end_output;
};

class SparseListInputs {
 public:
  explicit SparseListInputs(const ConvRows& conv);

  // Packs the next chunk; false after the last one.
  bool Next() { return pointwise_ ? NextPixels() : NextColumns(); }

  SparseListEntry* list() const { return list_; }
  LaneAccumulator* accumulators() const { return accumulators_; }
  uint32_t words() const { return words_; }

  const SparseListPass* begin() const { return passes_; }
  const SparseListPass* end() const { return passes_ + pass_count_; }
  const SparseListOutput& output(uint32_t i) const { return outputs_[i]; }

  // The next channel's list, from `stream` if it is not coded. Returns its entries.
  uint32_t Decode(const uint8_t* stream) const {
    if (c_.huffman != nullptr) {
      return pointwise_ ? SparseListDecode(c_.huffman, stride_, list_)
                        : SparseListDecode(c_.huffman, table_, list_);
    }
    return pointwise_ ? SparseListDecode(stream, stride_, list_) : SparseListDecode(stream, table_, list_);
  }

  // 1x1 kernels have one more pixel, of padding, if any output lies outside of the rows: all these are the
  // same.
  bool has_padding() const { return has_padding_; }
  // Its value, of a channel, from the chunk's accumulators; and to all outputs that want it.
  int8_t PaddingValue(const LaneScale& scale) const;
  void FillPadding(int8_t value, uint32_t o) const;

 private:
  struct Pixels {  // that stand one after the other
    const int8_t* first;
    uint32_t count;
  };

  void SetChunk(uint32_t all);
  bool NextPixels();
  bool NextColumns();
  Pixels PixelsFrom(uint32_t index) const;
  Pixels TapsFrom(uint32_t row, uint32_t column) const;
  uint32_t Pack(const Pixels& low, const Pixels& high, uint32_t count, uint32_t* to) const;
  void AddPixels(uint32_t first, uint32_t end, Lane lane);
  void AddOutput(uint32_t row, uint32_t column, uint32_t first, uint32_t count, Lane lane);
  void MakeTable(uint32_t row_words);
  void Fill(int8_t value, uint32_t begin, uint32_t end, int8_t* out) const;

  const ConvRows& c_;
  const ConvShape shape_;
  const bool pointwise_;
  int8_t* padding_;  // a pixel of it
  uint16_t* table_;  // offsets of the taps
  SparseListEntry* list_;
  LaneAccumulator* accumulators_;
  uint32_t* packed_ = nullptr;
  uint32_t chunk_ = 0;   // words a chunk at most
  uint32_t first_ = 0;   // first column or pixel of the next chunk
  uint32_t words_ = 0;   // of the chunk packed
  uint32_t stride_ = 0;  // words of a packed row's channel
  // 1x1: output columns inside the rows, pixels there, with padding, and where that is in the chunk
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
  uint32_t real_pixels_ = 0;
  uint32_t pixels_ = 0;
  uint32_t padding_lane_ = 0;
  uint8_t real_rows_ = 0;
  uint8_t output_count_ = 0;
  uint8_t pass_count_ = 0;
  bool has_padding_ = false;
  uint8_t real_[kMaxBatch] = {};  // rows that are not null
  SparseListPass passes_[kMaxBatch];
  SparseListOutput outputs_[2 * kMaxBatch];
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_SPARSE_LIST_INPUTS_H_
