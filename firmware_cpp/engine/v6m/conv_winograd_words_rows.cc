// 3x3 convolution of stride 1 by Winograd's method in words (winograd_words.h).
#include <string.h>

#include "engine/channel_weights.h"
#include "engine/portable/pair_store.h"
#include "engine/v6m/winograd_words.h"

namespace squeeze {
namespace {

class WinogradWords {
 public:
  explicit WinogradWords(const ConvRows& c)
      : c_(c),
        shape_{c.in_width, c.in_channels, c.out_width, c.out_channels, c.kernel_h,
               c.kernel_w, c.stride_h,    c.stride_w,  c.pad_left,     c.out_rows},
        sparse_(c.encoding == WeightEncoding::kSparse),
        padded_(WordsPaddedChannels(c.in_channels)),
        across_(WordsAcross(c.out_width)),
        inputs_(reinterpret_cast<uint32_t*>(c.scratch + WordsFrontBytes(shape_, sparse_))) {}

  // Functions of their own keep the stack small.
  __attribute__((noinline)) void Inputs() const {
    uint32_t* const columns = reinterpret_cast<uint32_t*>(c_.scratch);
    int8_t* const padding = reinterpret_cast<int8_t*>(c_.scratch + WordsColumnBytes(shape_));
    memset(padding, c_.in_zero_point, uint32_t{c_.in_width} * c_.in_channels);
    const uint32_t count = kWordsColumns * across_ + 2;
    const uint32_t begin = c_.pad_left < count ? c_.pad_left : count;
    const uint32_t inside = count - begin < c_.in_width ? count - begin : c_.in_width;
    for (uint32_t x = 0; x < count; ++x) {  // beyond the row: the same for all channels
      uint32_t* const to = columns + 4 * x;
      to[0] = static_cast<uint32_t>(2 * c_.in_zero_point);
      to[1] = to[2] = to[3] = 0;
    }
    WordsDownRun down = {{}, c_.in_channels, inside};
    const uint32_t pitch = 4 * kWordsGroup * padded_;
    uint32_t* group = inputs_;
    uint32_t in_group = 0;
    const uint32_t in_rows = shape_.InputRows();
    for (uint32_t y = 0; y < c_.out_rows; y += kWordsRows) {
      for (uint32_t k = 0; k < 4; ++k) {
        const int8_t* const row = y + k < in_rows ? c_.rows[y + k] : nullptr;
        down.rows[k] = row != nullptr ? row : padding;
      }
      uint32_t* channel = group;
      uint32_t next = 0;  // tile in its group behind this row's last one
      for (uint32_t c = 0; c < c_.in_channels; ++c, channel += kWordsGroup) {
        if (inside > 0) WordsDown(&down, c, columns + 4 * begin);
        uint32_t* to = channel;
        next = in_group;
        const uint32_t* from = columns;
        for (uint32_t tile = across_; tile > 0; --tile, from += 4 * kWordsColumns) {
          WordsAlong(from, pitch, to + next);
          if (++next == kWordsGroup) {
            next = 0;
            to += kWordsGroup * kWordsPositions * padded_;
          }
        }
      }
      group += (in_group + across_) / kWordsGroup * (kWordsGroup * kWordsPositions * padded_);
      in_group = next;
    }
  }

  __attribute__((noinline)) void Outputs() const {
    uint8_t* at = c_.scratch;
    uint32_t* const weights = reinterpret_cast<uint32_t*>(at);
    at += WordsWeightBytes(shape_);
    uint32_t* const products = reinterpret_cast<uint32_t*>(at);
    at += kWordsProductBytes;
    PairsSums* const sums = reinterpret_cast<PairsSums*>(at);
    at += WordsSumBytes(shape_);
    int8_t* const buffer = c_.huffman != nullptr ? c_.huffman_rows : reinterpret_cast<int8_t*>(at);
    const uint32_t taps = shape_.Taps();
    ChannelWeights stored(c_, taps);
    PairScale scale(c_);
    const uint32_t* const end = inputs_ + kWordsPositions * WordsTiles(shape_) * padded_;
    for (uint32_t o = 0; o < c_.out_channels; ++o) {
      WordsWeights(stored.Next(buffer), c_.in_channels, weights, 2 * padded_);
      PairsSums* to = sums;
      for (const uint32_t* from = inputs_; from != end; from += kWordsGroup * kWordsPositions * padded_) {
        WordsProducts(weights, from, padded_ / 2, products);
        WordsOutputs(products, c_.bias[o], to);
        to += kWordsGroup * kWordsColumns;
      }
      SetScale(&scale, o, &sums->low);
      const PairsSums* row = sums;
      for (uint32_t y = 0; y < c_.out_rows; y += kWordsRows, row += kWordsColumns * across_) {
        scale.store(&scale, &row->low, c_.out_width, c_.out[y] + o);
        if (y + 1 < c_.out_rows) scale.store(&scale, &row->high, c_.out_width, c_.out[y + 1] + o);
      }
    }
  }

 private:
  // Where the largest sums that there could be would take the slowest way, those that there are decide.
  void SetScale(PairScale* scale, uint32_t o, const int32_t* sums) const {
    scale->Set(c_, o, 128 * shape_.Taps());
    if (!scale->Slow()) return;
    const uint32_t tiles = across_ * ((c_.out_rows + kWordsRows - 1) / kWordsRows);
    const int32_t* const end = sums + kWordsRows * kWordsColumns * tiles;
    for (; sums != end; ++sums) {
      if (*sums > kPairSumLimit || *sums < -kPairSumLimit) return;
    }
    scale->Set(c_, o, 0);
  }

  const ConvRows& c_;
  const ConvShape shape_;
  const bool sparse_;
  const uint32_t padded_;
  const uint32_t across_;
  uint32_t* const inputs_;
};

}  // namespace

void ConvWinogradWordsRows(const ConvRows& conv) {
  const WinogradWords winograd(conv);
  winograd.Inputs();
  winograd.Outputs();
}

}  // namespace squeeze
