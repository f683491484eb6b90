// A channel's weights to a list of chunks in RAM, once for all rows of a call.
#include "engine/portable/pixel_pairs_decode.h"

#include "engine/huffman_decode.h"

namespace squeeze {
namespace {

struct HuffmanSink {
  PairsListWriter* writer;
  const uint16_t* table;
  uint32_t in_channels;
  void Put(uint32_t position, int32_t weight) {
    if (weight != 0) writer->Put(weight / kHuffmanUnit, table[position]);
  }
  uint32_t Mask(uint32_t channel, uint32_t tap) const { return tap * in_channels + channel; }
  static bool More(uint32_t) { return true; }
};

}  // namespace

PairsDecoder::PairsDecoder(const ConvRows& conv, const uint16_t* table, uint32_t* list)
    : c_(conv),
      table_(table),
      list_(list),
      weights_(conv.weights),
      sparse_(conv.encoding == WeightEncoding::kSparse) {
  if (conv.huffman != nullptr) HuffmanRewind(conv.huffman);
}

void PairsDecoder::Begin() {
  sum_ = 0;
  at_ = table_;
  left_ = uint32_t{c_.kernel_h} * c_.kernel_w * c_.in_channels;
  if (!sparse_) return;
  left_ = *reinterpret_cast<const uint16_t*>(weights_);
  weights_ += 2;
}

bool PairsDecoder::Part() {
  PairsListWriter writer(list_);
  if (c_.huffman != nullptr) {
    Huffman(&writer);
    left_ = 0;
  } else {
    const uint32_t count = left_ < kPairsPart ? left_ : kPairsPart;
    left_ -= count;
    if (sparse_) {
      const uint16_t* const entries = reinterpret_cast<const uint16_t*>(weights_);
      at_ = PairsSparseToList(&writer, entries, entries + count, at_);
      weights_ += 2 * count;
    } else {
      const int8_t* const dense = reinterpret_cast<const int8_t*>(weights_);
      at_ = PairsDenseToList(&writer, dense, dense + count, at_);
      weights_ += count;
    }
  }
  sum_ += writer.End();
  return left_ == 0;
}

void PairsDecoder::Huffman([[maybe_unused]] PairsListWriter* writer) const {
#if SQUEEZE_KERNEL_HUFFMAN
  HuffmanSink sink = {writer, table_, c_.in_channels};
  DecodeChannel(c_.huffman->mode(), c_.huffman->Begin(), &sink);
  c_.huffman->End();
#endif
}

}  // namespace squeeze
