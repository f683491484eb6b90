#include "engine/huffman.h"

#include <string.h>

#include "engine/fixed_point.h"
#include "engine/huffman_decode.h"

namespace squeeze {
namespace {

uint32_t RawBits(uint32_t value_bits) {
  return value_bits > kHuffmanTopBits ? value_bits - kHuffmanTopBits : 0;
}

// Reads what there is, and stops where the stream ends.
struct Checking {
  uint32_t end;  // in bits
  bool ok;
  void Put(uint32_t, int32_t) {}
  static uint32_t Mask(uint32_t, uint32_t) { return 0; }
  bool More(uint32_t position) {
    ok = ok && position <= end;
    return ok;
  }
};

}  // namespace

HuffmanWeights::HuffmanWeights(const HuffmanSource& source, HuffmanTables* tables, int32_t* bias,
                               int32_t zero_point)
    : tables_(tables), bias_(bias), zero_point_(zero_point), run_() {
  const uint8_t* const header = source.stream;
  mode_ = static_cast<HuffmanMode>(header[0]);
  class_bits_ = header[2] >> 1;
  run_.bits = source.stream + kHuffmanHeaderBytes;
  run_.positions = tables->masks;
  run_.taps = source.taps;
  run_.in_channels = source.in_channels;
  run_.raw = RawBits(header[1]);
  for (uint32_t k = 0; k < header[2]; ++k) {
    MakeValueTable(source.codes, header[4 + k], header[1], run_.raw, tables->values[k]);
    if (mode_ == HuffmanMode::kGaps) MakeGapTable(source.codes, header[8 + k], tables->gaps[k]);
  }
  if (mode_ == HuffmanMode::kMasks) MakeMaskTable(source.codes, header[8], tables->masks);
}

void HuffmanWeights::Rewind() {
  run_.position = 0;
  run_.at = 0;
  run_.pending = 0;
  first_pass_ = first_pass_ && channel_ == 0;
  channel_ = 0;
}

HuffmanRun* HuffmanWeights::Begin() {
  const uint32_t k = PeekBits(run_.bits, run_.position) & ((1u << class_bits_) - 1);
  run_.position += class_bits_;
  run_.values = tables_->values[k];
  if (mode_ == HuffmanMode::kGaps) run_.positions = tables_->gaps[k];
  run_.sum = 0;
  return &run_;
}

void HuffmanWeights::End() {
  if (bias_ != nullptr && first_pass_)
    bias_[channel_] = WrappingAdd(bias_[channel_], -zero_point_ * run_.sum);
  ++channel_;
}

void HuffmanWeights::Next(int8_t* to) {
  if (mode_ != HuffmanMode::kAll) memset(to, 0, run_.taps);
  HuffmanToBytes(mode_, Begin(), to);
  End();
}

bool HuffmanStreamOk(const HuffmanSource& source, uint32_t bytes, uint32_t channels, uint32_t kernel_area,
                     HuffmanTables* tables) {
  if (bytes < kHuffmanHeaderBytes || bytes > 1u << 28) return false;
  const uint8_t* const header = source.stream;
  const uint32_t mode = header[0], value_bits = header[1], classes = header[2];
  if (mode > 2 || value_bits < 4 || value_bits > 8) return false;
  if (classes != 1 && classes != 2 && classes != 4) return false;
  const bool gaps = mode == static_cast<uint32_t>(HuffmanMode::kGaps);
  const bool masks = mode == static_cast<uint32_t>(HuffmanMode::kMasks);
  if (masks && kernel_area != kHuffmanTaps) return false;
  const uint32_t value_symbols = 1u << (value_bits - RawBits(value_bits));
  for (uint32_t k = 0; k < classes; ++k) {
    if (!CodeFits(source.codes, header[4 + k], value_symbols, kHuffmanShortBits)) return false;
    if (gaps && !CodeFits(source.codes, header[8 + k], kHuffmanGaps, kHuffmanShortBits)) return false;
  }
  if (masks && !CodeFits(source.codes, header[8], kHuffmanMasks, kHuffmanMaskBits)) return false;
  HuffmanWeights weights(source, tables, nullptr, 0);
  Checking sink = {8 * (bytes - kHuffmanHeaderBytes), true};
  for (uint32_t o = 0; o < channels && sink.More(weights.position()); ++o) {
    DecodeChannel(weights.mode(), weights.Begin(), &sink);
    weights.End();
  }
  // Nothing may be left but the rest of the last byte.
  return sink.More(weights.position()) && sink.end - weights.position() < 8;
}

}  // namespace squeeze
