// 3 x 3 convolution of stride 1 by Winograd's F(2 x 4): see winograd.h for arithmetic and layout,
// winograd_blocks.cc for the registers of the inner loop. What was measured:
// docs/kernels/winograd.md.
#include "engine/channel_weights.h"
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/requantize.h"
#include "engine/dsp/winograd.h"

namespace squeeze {
namespace {

// |acc| < 2^27 (winograd.h), so that twice acc + bias fits 32 bits, and R with it.
constexpr uint32_t kBiasLimit = 1u << 29;

constexpr uint32_t kTileRows = kWinogradRows + 2;  // of inputs

class Winograd {
 public:
  explicit Winograd(const ConvRows& conv)
      : conv_(conv),
        channels_(conv.in_channels),
        padded_(WinogradPaddedChannels(conv.in_channels)),
        across_((uint32_t{conv.out_width} + kWinogradColumns - 1) / kWinogradColumns),
        stored_(conv.encoding == WeightEncoding::kWinograd),
        weights_(reinterpret_cast<uint32_t*>(conv.scratch)),
        plain_(reinterpret_cast<int8_t*>(conv.scratch + 4 * kWinogradPositions * padded_)) {}

  void Run() {
    const uint32_t tiles = WinogradTiles(conv_.out_width, conv_.out_rows);
    uint32_t chunk = tiles;
    while (chunk > 3 && WinogradBytes(padded_, chunk, stored_) > conv_.scratch_bytes) --chunk;
    if (chunk < tiles) {  // chunks of about the same size, of whole groups of three
      const uint32_t chunks = (tiles + chunk - 1) / chunk;
      const uint32_t even = ((tiles + chunks - 1) / chunks + 2) / 3 * 3;
      chunk = even <= chunk ? even : chunk / 3 * 3;
    }
    for (uint32_t begin = 0; begin < tiles; begin += chunk) {
      Chunk(begin, begin + chunk < tiles ? chunk : tiles - begin);
    }
  }

 private:
  // Where things of a chunk of `count` tiles are.
  struct Area {
    uint32_t threes, twos;
    uint32_t *inputs, *threes_end, *inputs_end;
    int32_t* accumulators;  // behind the table of tiles, which is at inputs_end; kWinograd: at the start
  };
  Area AreaOf(uint32_t count) const {
    Area area;
    area.twos = count < 3 ? 1 : (3 - count % 3) % 3;
    area.threes = count < 3 ? 0 : (count - 2 * area.twos) / 3;
    const uint32_t tile_words = kWinogradPositions / 2 * padded_;
    area.inputs = weights_ + WinogradFrontBytes(padded_, count, stored_) / 4;
    area.threes_end = area.inputs + 3 * area.threes * tile_words;
    area.inputs_end = area.threes_end + 2 * area.twos * tile_words;
    const uint32_t table = (count < 2 ? 2 : count) * kWinogradTileWords;
    area.accumulators = reinterpret_cast<int32_t*>(stored_ ? weights_ : area.inputs_end + table);
    return area;
  }

  // Functions of their own keep the stack small: 480 bytes at most with what they call.
  void Chunk(uint32_t first, uint32_t count) {
    Transform(first, count);
    Multiply(first, count);
  }

  __attribute__((noinline)) void Multiply(uint32_t first, uint32_t count) const {
    if (conv_.huffman != nullptr) HuffmanRewind(conv_.huffman);
    const Area area = AreaOf(count);
    int32_t* const accumulators = area.accumulators;
    Pass pass = {
        WinogradStoreRunOf(conv_, area.inputs_end, first, count, accumulators),
        {weights_, weights_ + kWinogradPositions * padded_, accumulators, padded_ / 2, area.threes_end},
        accumulators,
        accumulators + area.threes * kWinogradGroupAccumulators,
        area.threes_end,
        area.inputs_end,
        area.threes > 0 ? area.inputs : nullptr,
        area.twos > 0 ? area.threes_end : nullptr,
        padded_ <= 32 ? WinogradShortThrees : WinogradThrees};
    const bool full = conv_.act_min == -128 && conv_.act_max == 127;
    if (full && UsualScales(conv_, kBiasLimit)) {
      Usual(pass);
    } else {
      Any(pass);
    }
  }

  struct Pass {
    WinogradStoreRun store;
    WinogradRun run;
    int32_t *threes_start, *twos_start;  // of the accumulators
    const uint32_t *threes_end, *inputs_end;
    const uint32_t* threes_inputs;  // null: none
    const uint32_t* twos_inputs;
    void (*threes_accumulators)(const uint32_t*, const WinogradRun*);
  };

  // Sums of the next pair of channels.
  const uint8_t* Accumulators(Pass* pass, const uint8_t* stream, bool two) const {
    if (stored_) {
      const uint32_t* const weights = reinterpret_cast<const uint32_t*>(stream);
      stream += 96 * padded_;
      pass->run.weights = weights;
      pass->run.weights_end = reinterpret_cast<const uint32_t*>(stream);
    } else {
      const uint8_t* const again = stream;
      stream = Unpack(stream, 0, true);
      stream = Unpack(two ? stream : again, 1, two);
    }
    if (pass->threes_inputs != nullptr) {
      pass->run.accumulators = pass->threes_start;
      pass->run.inputs_end = pass->threes_end;
      pass->threes_accumulators(pass->threes_inputs, &pass->run);
    }
    if (pass->twos_inputs != nullptr) {
      pass->run.accumulators = pass->twos_start;
      pass->run.inputs_end = pass->inputs_end;
      WinogradTwos(pass->twos_inputs, &pass->run);
    }
    return stream;
  }

  __attribute__((noinline)) void Any(Pass& pass) const {
    const PairScales scales(conv_, 9 * channels_);
    const uint8_t* stream = conv_.weights;
    for (uint32_t o = 0; o < conv_.out_channels; o += 2) {
      stream = Accumulators(&pass, stream, o + 1 < conv_.out_channels);
      WinogradStore(&pass.store, scales.At(o), o);
    }
  }

  // All channels round alike: little to do for each.
  __attribute__((noinline)) void Usual(Pass& pass) const {
    const int32_t zero_point = conv_.out_zero_point;
    const WinogradStorer store = WinogradStorerOf(zero_point == -128 ? Rounding::kRelu : Rounding::kLinear);
    const uint32_t channels = conv_.out_channels;
    const int32_t* bias = conv_.bias;
    const int32_t* multipliers = conv_.multipliers;
    const int8_t* shifts = conv_.shifts;
    const uint8_t* stream = conv_.weights;
    for (uint32_t o = 0; o < channels; ++o) {
      if (o % 2 == 0) stream = Accumulators(&pass, stream, o + 1 < channels);
      const int32_t shift = -*shifts++;
      pass.store.start = 2 * *bias++;
      pass.store.multiplier = *multipliers++;
      pass.store.rounding = (2 * zero_point + 1) * (1 << (shift - 1));
      pass.store.shift = shift;
      pass.store.sum_offset = o % 2 * 4;
      pass.store.o = o;
      store(&pass.store);
    }
  }

  // The transformed inputs of a chunk, and its table of tiles.
  __attribute__((noinline)) void Transform(uint32_t first, uint32_t count) const {
    const Area area = AreaOf(count);
    const uint32_t threes = area.threes;
    const int32_t* const accumulators = area.accumulators;
    uint32_t* inputs = area.inputs;
    uint32_t* tiles = area.inputs_end;
    uint32_t y = first / across_ * kWinogradRows;
    uint32_t x = first % across_ * kWinogradColumns;
    uint32_t in_group = 0, group_start = 0, sum = 0;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t group = group_start < 3 * threes ? 3 : 2;
      Tile(x, y, group, inputs + in_group);
      if (count == 1) Tile(x, y, group, inputs + 1);
      tiles[0] = TileAccumulatorsOf(accumulators, sum + 2 * in_group);
      Place(x, y, tiles + 1);
      tiles += kWinogradTileWords;
      if (++in_group == group) {
        inputs += group * (kWinogradPositions / 2) * padded_;
        sum += kWinogradGroupAccumulators;
        group_start += group;
        in_group = 0;
      }
      x += kWinogradColumns;
      if (x >= conv_.out_width) {
        x = 0;
        y += kWinogradRows;
      }
    }
  }

  void Place(uint32_t x, uint32_t y, uint32_t* to) const {
    uint32_t columns[kWinogradColumns];
    for (uint32_t i = 0; i < kWinogradColumns; ++i) {
      const uint32_t column = x + i < conv_.out_width ? x + i : conv_.out_width - 1u;
      columns[i] = column * conv_.out_pixel_stride;
    }
    for (uint32_t row = y + kWinogradRows; row-- > y; to += kWinogradColumns) {
      const int8_t* const pixels = conv_.out[row < conv_.out_rows ? row : conv_.out_rows - 1u];
      for (uint32_t i = 0; i < kWinogradColumns; ++i)
        to[i] = TilePixelOf(pixels, columns[kWinogradColumns - 1 - i]);
    }
  }

  // The tile of output pixel (x, y): its input rows of 6 pixels, in place if they are all there.
  __attribute__((noinline)) void Tile(uint32_t x, uint32_t y, uint32_t group, uint32_t* to) const {
    const int32_t left = static_cast<int32_t>(x) - conv_.pad_left;
    const uint32_t in_rows = conv_.out_rows + 2u;
    bool whole = left >= 0 && left + 6 <= conv_.in_width && padded_ == channels_;
    const int8_t* rows[kTileRows];
    for (uint32_t k = 0; k < kTileRows; ++k) {
      rows[k] = y + k < in_rows ? conv_.rows[y + k] : nullptr;
      whole = whole && rows[k] != nullptr;
    }
    // The collected rows and the work area stand where the weights come later.
    uint32_t* const work = weights_ + kTileRows * 6 * padded_ / 4;
    for (uint32_t k = 0; k < kTileRows; ++k) {
      if (whole) {
        rows[k] += left * static_cast<int32_t>(channels_);
      } else {
        rows[k] = Collect(rows[k], left, reinterpret_cast<int8_t*>(conv_.scratch) + k * 6 * padded_);
      }
    }
    WinogradInputs(rows, padded_, group, to, work);
  }

  const int8_t* Collect(const int8_t* row, int32_t left, int8_t* to) const {
    const int32_t begin = left < 0 ? -left : 0;
    const int32_t end = left + 6 < conv_.in_width ? 6 : conv_.in_width - left;
    if (row == nullptr || begin > 0 || end < 6) memset(to, conv_.in_zero_point, 6 * padded_);
    if (row == nullptr || begin >= end) return to;
    const int8_t* from = row + static_cast<uint32_t>(left + begin) * channels_;
    int8_t* first = to + static_cast<uint32_t>(begin) * padded_;
    if (padded_ == channels_) {
      memcpy(first, from, static_cast<uint32_t>(end - begin) * channels_);
      return to;
    }
    for (int32_t i = begin; i < end; ++i, from += channels_, first += padded_) {
      memcpy(first, from, channels_);
    }
    return to;
  }

  // One channel's weights (not `fresh`: again the one's before), transformed, to half `c` of the pair.
  // Returns where the next channel's start.
  const uint8_t* Unpack(const uint8_t* stream, uint32_t c, bool fresh) const {
    const int8_t* bytes = reinterpret_cast<const int8_t*>(stream);
    if (conv_.huffman != nullptr && fresh) bytes = HuffmanNext(conv_.huffman, conv_.huffman_rows);
    if (conv_.huffman != nullptr && !fresh) bytes = conv_.huffman_rows;
    if (conv_.encoding == WeightEncoding::kSparse) {
      stream = Decode(stream);
      bytes = plain_;
    } else {
      stream += 9 * channels_;
      if (padded_ != channels_) {
        for (uint32_t tap = 0; tap < 9; ++tap) {
          memcpy(plain_ + tap * padded_, bytes + tap * channels_, channels_);
          memset(plain_ + tap * padded_ + channels_, 0, padded_ - channels_);
        }
        bytes = plain_;
      }
    }
    WinogradWeights(bytes, padded_, padded_, weights_ + c);
    return stream;
  }

  // A sparse channel to `plain_`.
  const uint8_t* Decode(const uint8_t* stream) const {
    uint32_t count = stream[0] | (static_cast<uint32_t>(stream[1]) << 8);
    stream += 2;
    memset(plain_, 0, 9 * padded_);
    for (uint32_t at = 0; count > 0; --count, stream += 2, ++at) {
      at += stream[0];
      if (at >= 9 * channels_) continue;  // a broken model must not write elsewhere
      const uint32_t to = padded_ == channels_ ? at : at / channels_ * padded_ + at % channels_;
      plain_[to] = static_cast<int8_t>(stream[1]);
    }
    return stream;
  }

  const ConvRows& conv_;
  const uint32_t channels_;
  const uint32_t padded_;
  const uint32_t across_;
  const bool stored_;
  uint32_t* const weights_;
  int8_t* const plain_;
};

}  // namespace

void ConvWinogradRows(const ConvRows& conv) { Winograd(conv).Run(); }

}  // namespace squeeze
