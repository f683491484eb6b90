// A channel's weights to a list of chunks in RAM, once for all rows of a call.
#include "engine/huffman_decode.h"
#include "engine/v6m/pixel_pairs.h"

namespace squeeze {
namespace {

constexpr uint32_t kMost = 127;  // of |weight| in the sums, so that a chunk has two entries or more

// Takes entries and cuts them into chunks.
class ListWriter {
 public:
  ListWriter(const uint16_t* table, uint32_t* list) : table_(table), header_(list), at_(list + 1) {}

  void Put(uint32_t position, int32_t weight) {
    uint32_t size = static_cast<uint32_t>(weight < 0 ? -weight : weight);
    sum_ += size;
    if (size > kMost) {
      wide_ = true;
      size = kMost;
    }
    if (size > room_ || skip_ == 0) {
      *header_ = skip_;
      header_ = at_++;
      room_ = kPairsChunkWeights;
      skip_ = PairsHeader(0);
    }
    room_ -= size;
    skip_ -= kPairsEntryBytes;
    at_[0] = static_cast<uint32_t>(weight);
    at_[1] = 4u * table_[position];
    at_ += 2;
  }

  PairsListInfo End() {
    if (skip_ != PairsHeader(0)) {
      *header_ = skip_;
      header_ = at_++;
    }
    *header_ = kPairsEnd;
    at_[0] = 0;  // loaded, and used for nothing
    at_[1] = 0;
    return {sum_, wide_};
  }

 private:
  const uint16_t* const table_;
  uint32_t* header_;
  uint32_t* at_;
  uint32_t skip_ = PairsHeader(0);
  uint32_t room_ = kPairsChunkWeights;
  uint32_t sum_ = 0;
  bool wide_ = false;
};

struct HuffmanSink {
  ListWriter* writer;
  uint32_t in_channels;
  void Put(uint32_t position, int32_t weight) {
    if (weight != 0) writer->Put(position, weight / kHuffmanUnit);
  }
  uint32_t Mask(uint32_t channel, uint32_t tap) const { return tap * in_channels + channel; }
  static bool More(uint32_t) { return true; }
};

void DecodeHuffman([[maybe_unused]] const ConvRows& conv, [[maybe_unused]] ListWriter* writer) {
#if SQUEEZE_KERNEL_HUFFMAN
  HuffmanSink sink = {writer, conv.in_channels};
  DecodeChannel(conv.huffman->mode(), conv.huffman->Begin(), &sink);
  conv.huffman->End();
#endif
}

}  // namespace

PairsListInfo PixelPairsDecode(const ConvRows& conv, const uint8_t** weights, const uint16_t* table,
                               uint32_t* list) {
  ListWriter writer(table, list);
  if (conv.encoding == WeightEncoding::kSparse) {
    const uint16_t* entry = reinterpret_cast<const uint16_t*>(*weights);
    uint32_t count = *entry++;
    uint32_t position = 0xFFFFFFFF;
    for (; count > 0; --count) {
      const uint32_t word = *entry++;
      position += 1 + (word & 0xFF);
      const int32_t weight = static_cast<int8_t>(word >> 8);
      if (weight != 0) writer.Put(position, weight);  // 0: bridges a gap
    }
    *weights = reinterpret_cast<const uint8_t*>(entry);
  } else if (conv.huffman != nullptr) {
    DecodeHuffman(conv, &writer);
  } else {
    const int8_t* dense = reinterpret_cast<const int8_t*>(*weights);
    const uint32_t taps = uint32_t{conv.kernel_h} * conv.kernel_w * conv.in_channels;
    for (uint32_t i = 0; i < taps; ++i) {
      if (dense[i] != 0) writer.Put(i, dense[i]);
    }
    *weights += taps;
  }
  return writer.End();
}

}  // namespace squeeze
