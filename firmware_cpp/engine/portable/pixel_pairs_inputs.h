// The packed inputs of ConvPixelPairsRows, chunk of columns by chunk, and where the sums over them go.
#ifndef SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_INPUTS_H_
#define SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_INPUTS_H_

#include "engine/portable/pixel_pairs.h"

namespace squeeze {

// An output row or pair of rows: its words, and the outputs of their low and high halves (of channel 0).
struct PairsPass {
  const uint32_t* base;
  int8_t* low;
  int8_t* high;
  uint32_t high_count;  // the last halves may reach beyond the row
};

class PixelPairsInputs {
 public:
  explicit PixelPairsInputs(const ConvRows& conv);

  // Packs the next columns; false after the last ones.
  bool Next();

  uint32_t* list() const { return list_; }
  const uint16_t* table() const { return table_; }
  PairsSums* sums() const { return sums_; }
  bool has_parts() const { return PairsHasParts(shape_, c_.huffman != nullptr); }
  uint32_t words() const { return words_; }
  const PairsPass* begin() const { return passes_; }
  const PairsPass* end() const { return passes_ + pass_count_; }

 private:
  struct Pixels {  // one every step_ bytes
    const int8_t* first;
    uint32_t count;
  };

  void SetChunk();
  void PackRow(uint32_t row, uint32_t* to) const;
  Pixels PixelsFrom(uint32_t row, uint32_t column, uint32_t plane) const;
  void MakeTable();

  const ConvRows& c_;
  const ConvShape shape_;
  const bool of_rows_;
  int8_t* padding_;  // a pixel of it
  uint16_t* table_;  // offsets of the taps
  uint32_t* list_;
  PairsSums* sums_;
  uint32_t* packed_ = nullptr;
  uint32_t chunk_ = 0;   // words at most
  uint32_t first_ = 0;   // column of the next chunk
  uint32_t begin_ = 0;   // of this one
  uint32_t words_ = 0;   // of this one
  uint32_t stride_ = 0;  // words of a plane
  uint32_t row_words_ = 0;
  uint8_t pass_count_ = 0;
  PairsPass passes_[kMaxBatch];
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_INPUTS_H_
