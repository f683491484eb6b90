// Dense convolution of few input channels (the first layer), of stride 2 or 1, up to four MACs a SMLAL.
// Layout, lanes and bounds are in lanes.h, the registers of the inner loop in lanes_accumulate.cc.
//
// Inputs are packed once per call, or per chunk of columns; a channel's weights once per chunk. A channel
// with too large weights for the lanes is summed in several parts, each of some kernel rows.
//
// Instructions per MAC, all included: 7x7/2 of 3 channels, rows of 111 outputs, 96 channels: 0.49, with two
// rows a call 0.46, with four 0.44. 3x3/2 of 3 channels, 64 channels: 1.08, with two rows 1.03.
#include <string.h>

#include "engine/channel_weights.h"
#include "engine/dsp/lanes.h"
#include "engine/kernels.h"

namespace squeeze {
namespace {

class Lanes {
 public:
  explicit Lanes(const ConvRows& c)
      : c_(c),
        lanes_(LanesShapeOf(c.kernel_h, c.kernel_w, c.stride_w, c.in_channels)),
        input_rows_((c.out_rows - 1u) * c.stride_h + c.kernel_h),
        row_words_(3 * c.in_channels * lanes_.phases) {
    // As many tiles a chunk as fit, in chunks of like size.
    const ConvShape shape = {c.in_width, c.in_channels, c.out_width, c.out_channels, c.kernel_h,
                             c.kernel_w, c.stride_h,    c.stride_w,  c.pad_left,     c.out_rows};
    uint32_t tiles = LanesTiles(lanes_, c.out_width);
    while (tiles > 3 && LanesScratchBytes(shape, tiles) > c.scratch_bytes) --tiles;
    if (tiles % 3 == 2) --tiles;
    const uint32_t chunks = (c.out_width + LanesOutputs(lanes_, tiles) - 1) / LanesOutputs(lanes_, tiles);
    chunk_ = (c.out_width + chunks - 1) / chunks;
    tiles = LanesTiles(lanes_, chunk_);

    uint8_t* at = c.scratch;
    const auto take = [&at](uint32_t bytes) {
      uint8_t* const here = at;
      at += (bytes + 7) & ~uint32_t{7};
      return here;
    };
    planes_ = reinterpret_cast<LanesAccumulator*>(take(8 * lanes_.planes * tiles));
    accumulators_ = lanes_.planes == 1 ? planes_ : reinterpret_cast<LanesAccumulator*>(take(24 * tiles));
    acc_ = reinterpret_cast<int32_t*>(take(8 * tiles * lanes_.tile_accumulators * c.out_rows));
    line_ = reinterpret_cast<int8_t*>(take(c.in_channels * LanesColumns(lanes_, c.stride_w, tiles)));
    weights_ = reinterpret_cast<uint32_t*>(take(4 * lanes_.planes * lanes_.padded_units));
    inputs_ = reinterpret_cast<uint32_t*>(at);
  }

  void Run() {
    for (first_ = 0; first_ < c_.out_width; first_ += chunk_) {
      const uint32_t left = c_.out_width - first_;
      count_ = left < chunk_ ? left : chunk_;
      tiles_ = LanesTiles(lanes_, count_);
      blocks_ = tiles_ / 3;
      has_last_ = tiles_ % 3 == 1;
      PackInputs();
      ChannelWeights weights(c_, uint32_t{c_.kernel_h} * c_.kernel_w * c_.in_channels);
      for (uint32_t o = 0; o < c_.out_channels; ++o) {
        Channel(o, reinterpret_cast<const uint8_t*>(weights.Next(c_.huffman_rows)));
      }
    }
  }

 private:
  void PackInputs() {
    const uint32_t block_words = row_words_ * input_rows_;
    last_ = inputs_ + block_words * blocks_;
    plane_words_ = block_words * blocks_ + (has_last_ ? block_words / 3 : 0);
    const uint32_t columns = LanesColumns(lanes_, c_.stride_w, tiles_);
    for (uint32_t r = 0; r < input_rows_; ++r) {
      FillLine(c_.rows[r], columns);
      LanesPackRow(c_, lanes_,
                   {line_, inputs_ + r * row_words_, block_words, plane_words_, blocks_,
                    has_last_ ? last_ + r * row_words_ / 3 : nullptr});
    }
  }

  // Columns from the chunk's first on, padded.
  void FillLine(const int8_t* row, uint32_t columns) {
    const uint32_t channels = c_.in_channels;
    const uint32_t start = first_ * c_.stride_w;  // of the padded row
    const uint32_t begin = start < c_.pad_left ? c_.pad_left - start : 0;
    const uint32_t from = start + begin - c_.pad_left;
    uint32_t inside = from < c_.in_width ? c_.in_width - from : 0;
    if (row == nullptr || begin >= columns) inside = 0;
    if (inside > columns - begin) inside = columns - begin;
    memset(line_, c_.in_zero_point, columns * channels);
    if (inside > 0) memcpy(line_ + begin * channels, row + from * channels, inside * channels);
  }

  void Channel(uint32_t o, const uint8_t* weights) {
    const uint32_t row_weights = uint32_t{c_.kernel_w} * c_.in_channels;
    int8_t* const* out = c_.out;
    const uint32_t offset = first_ * c_.out_pixel_stride + o;
    if (LanesWeightSum(weights, c_.kernel_h * row_weights) <= kLanesMaxWeights) {
      const uint32_t units = LanesPackWeights(c_, lanes_, weights, 0, c_.kernel_h, weights_);
      for (uint32_t y = 0; y < c_.out_rows; ++y) {
        Sum(y * c_.stride_h, units);
        LanesStore(c_, o, accumulators_, count_, out[y] + offset);
      }
      return;
    }
    for (uint32_t begin = 0; begin < c_.kernel_h;) {
      uint32_t end = begin;
      uint32_t sum = 0;
      for (; end < c_.kernel_h; ++end) {
        const uint32_t more = LanesWeightSum(weights + end * row_weights, row_weights);
        if (sum + more > kLanesMaxWeights && end > begin) break;
        sum += more;
      }
      const uint32_t units = LanesPackWeights(c_, lanes_, weights, begin, end, weights_);
      for (uint32_t y = 0; y < c_.out_rows; ++y) {
        Sum(y * c_.stride_h + begin, units);
        LanesAdd(accumulators_, count_, begin == 0, acc_ + y * count_);
      }
      begin = end;
    }
    for (uint32_t y = 0; y < c_.out_rows; ++y)
      LanesStoreWide(c_, o, acc_ + y * count_, count_, out[y] + offset);
  }

  // Sums of the units in weights_, from input row `row` on.
  void Sum(uint32_t row, uint32_t units) {
    constexpr uint32_t kBottom = 1u << (kLanesBits - 1), kTop = 1u << (2 * kLanesBits - 1 - 32);
    const int32_t skip =
        4 * (static_cast<int32_t>(row_words_ * input_rows_) - static_cast<int32_t>(3 * units));
    const uint32_t first = (units / 3 - 1) % 8 + 1;
    for (uint32_t p = 0; p < lanes_.planes; ++p) {
      // All accumulators of a tile have half of plane 1.
      const uint32_t starts = lanes_.planes == 1 ? 1 : (p == 1 ? 2 : 0);
      const LanesRun run = {weights_ + p * units,
                            inputs_ + p * plane_words_ + row * row_words_,
                            planes_ + p * tiles_,
                            planes_ + p * tiles_ + 3 * blocks_,
                            first,
                            weights_ + (p + 1) * units,
                            skip,
                            starts * kBottom,
                            starts * kTop,
                            has_last_ ? last_ + p * plane_words_ + row * row_words_ / 3 : nullptr};
      LanesAccumulate(&run);
    }
    if (lanes_.planes > 1) LanesJoin(planes_, tiles_, accumulators_);
  }

  const ConvRows& c_;
  const LanesShape lanes_;
  const uint32_t input_rows_;
  const uint32_t row_words_;
  LanesAccumulator* planes_;
  LanesAccumulator* accumulators_;
  int32_t* acc_;
  int8_t* line_;
  uint32_t* weights_;
  uint32_t* inputs_;
  uint32_t chunk_;       // outputs a chunk at most
  uint32_t tiles_ = 0;   // of this chunk
  uint32_t blocks_ = 0;  // threes of them; has_last_: and one more
  bool has_last_ = false;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  uint32_t plane_words_ = 0;
  uint32_t* last_ = nullptr;  // inputs of that one
};

}  // namespace

void ConvLanesRows(const ConvRows& conv) { Lanes(conv).Run(); }

}  // namespace squeeze
