// Any convolution as a matrix product: the windows of the output pixels, widened to int16, in scratch
// (gemm.h), and against them the weights, two channels at a time, widened once for all pixels that the
// scratch holds.
//
// Registers of the inner loop: gemm_blocks.cc. Cycles per MAC, P pixels at once: 1.0 (in groups of two 1.125)
// and 1.5 / P for the weights; the rest and what was measured: docs/kernels/gemm.md. Up to 64 taps with a
// fused ReLU go to GemmSmallRows.
#include "engine/channel_weights.h"
#include "engine/dsp/gemm.h"
#include "engine/dsp/gemm_small.h"
#include "engine/dsp/im2col.h"
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/requantize.h"

namespace squeeze {
namespace {

// Bytes from a pair's first word (of the channel) to the half of tap `k`.
uint32_t TapOffset(uint32_t k) { return (k & ~uint32_t{3}) * 4 + (k & 1) * 8 + (k & 2); }

void StoreHalf(uint8_t* to, int16_t value) { memcpy(to, &value, sizeof(value)); }

class Gemm {
 public:
  explicit Gemm(const ConvRows& conv)
      : conv_(conv),
        taps_(uint32_t{conv.kernel_h} * conv.kernel_w * conv.in_channels),
        padded_(GemmPaddedTaps(taps_)),
        weights_(reinterpret_cast<uint32_t*>(conv.scratch)) {}

  __attribute__((noinline)) void Run() {
    const uint32_t pixels = uint32_t{conv_.out_width} * conv_.out_rows;
    const uint32_t fitting = (conv_.scratch_bytes - GemmWeightBytes(padded_)) / GemmPixelBytes(padded_);
    const uint32_t chunk = GemmChunk(pixels, fitting);
    for (uint32_t begin = 0; begin < pixels; begin += chunk) {
      Chunk(begin, begin + chunk < pixels ? begin + chunk : pixels);
    }
  }

 private:
  void Chunk(uint32_t begin, uint32_t end) {
    const GemmGroups groups = GemmGroupsOf(end - begin);
    double_inputs_ = conv_.out_channels > end - begin;
    const PairScales scales(conv_, taps_);
    const uint32_t group_words = 3 * padded_ / 2;
    uint32_t* const inputs = weights_ + padded_;
    uint32_t* const threes_end = inputs + groups.threes * group_words;
    uint32_t* const inputs_end = threes_end + groups.twos * padded_;
    int32_t* const accumulators = reinterpret_cast<int32_t*>(inputs_end);
    Im2Col(conv_, begin, end, {groups, padded_, double_inputs_, false}, reinterpret_cast<int8_t*>(weights_),
           inputs);
    stream_ = conv_.weights;
    if (conv_.huffman != nullptr) HuffmanRewind(conv_.huffman);
    if (conv_.encoding != WeightEncoding::kSparse && padded_ > taps_) {
      memset(weights_, 0, GemmWeightBytes(padded_));
    }
    for (uint32_t o = 0; o < conv_.out_channels; o += 2) {
      Unpack(o + 1 < conv_.out_channels);
      const PairScale scale = scales.At(o);
      GemmRun run = {{scale.start0, scale.start1}, weights_, padded_ / 2, accumulators, threes_end};
      if (groups.threes > 0) GemmThrees(inputs, &run);
      if (groups.twos > 0) {
        run.accumulators = accumulators + groups.threes * 6;
        run.inputs_end = inputs_end;
        GemmTwos(threes_end, &run);
      }
      Store(begin, end, scale, o, accumulators);
    }
  }

  // Four weights of one channel of a pair.
  void Widen(uint32_t word, uint32_t* to) const {
    const uint32_t even = Sxtb16(word), odd = Sxtb16Ror8(word);
    to[0] = double_inputs_ ? even : Sadd16(even, even);
    to[2] = double_inputs_ ? odd : Sadd16(odd, odd);
  }

  // The next two channels' weights (or the last one's) to scratch.
  void Unpack(bool two) {
    const int factor = double_inputs_ ? 1 : 2;
    if (conv_.encoding == WeightEncoding::kSparse) {
      memset(weights_, 0, GemmWeightBytes(padded_));
      stream_ = DecodeGemmSparse(stream_, taps_, factor, 0, weights_);
      if (two) stream_ = DecodeGemmSparse(stream_, taps_, factor, 1, weights_);
      return;
    }
    const int8_t* first = reinterpret_cast<const int8_t*>(stream_);
    const int8_t* second = two ? first + taps_ : first;
    if (conv_.huffman != nullptr) {
      first = HuffmanNext(conv_.huffman, conv_.huffman_rows);
      second = two ? HuffmanNext(conv_.huffman, conv_.huffman_rows + padded_) : first;
    }
    uint32_t done = 0;
    if (((reinterpret_cast<uintptr_t>(first) | reinterpret_cast<uintptr_t>(second)) & 3) == 0) {
      const int8_t* const from[2] = {first, second};
      Interleave(weights_, from, 2, taps_ / 4, !double_inputs_);
      done = taps_ & ~uint32_t{3};
    }
    for (; done + 4 <= taps_; done += 4) {
      Widen(LoadWord(first + done), weights_ + done);
      Widen(LoadWord(second + done), weights_ + done + 1);
    }
    for (; done < taps_; ++done) {
      uint8_t* const to = reinterpret_cast<uint8_t*>(weights_) + TapOffset(done);
      StoreHalf(to, static_cast<int16_t>(first[done] * factor));
      StoreHalf(to + 4, static_cast<int16_t>(second[done] * factor));
    }
    stream_ += two ? 2 * taps_ : taps_;
  }

  void Store(uint32_t begin, uint32_t end, const PairScale& scale, uint32_t o,
             const int32_t* accumulators) const {
    uint32_t y = begin / conv_.out_width;
    uint32_t x = begin % conv_.out_width;
    while (begin < end) {
      int8_t* const out = conv_.out[y] + x * conv_.out_pixel_stride + o;
      uint32_t count = conv_.out_width - x;
      // A row that goes on where the one before ends is stored with it.
      const uint32_t row_bytes = conv_.out_width * conv_.out_pixel_stride;
      for (++y; count < end - begin && conv_.out[y] == conv_.out[y - 1] + row_bytes; ++y)
        count += conv_.out_width;
      if (count > end - begin) count = end - begin;
      StorePair(conv_, scale, o, accumulators, out, count);
      accumulators += 2 * count;
      begin += count;
      x = 0;
    }
  }

  const ConvRows& conv_;
  const uint32_t taps_;
  const uint32_t padded_;
  uint32_t* const weights_;
  const uint8_t* stream_ = nullptr;
  bool double_inputs_ = false;  // or the weights, whatever is less
};

}  // namespace

const uint8_t* DecodeGemmSparse(const uint8_t* stream, uint32_t taps, int factor, uint32_t channel,
                                uint32_t* weights) {
  uint32_t count = stream[0] | (static_cast<uint32_t>(stream[1]) << 8);
  stream += 2;
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(weights + channel);
  uint32_t at = 0;
  for (; count > 0; --count, stream += 2, ++at) {
    at += stream[0];
    if (at >= taps) continue;  // a broken model must not write elsewhere
    StoreHalf(bytes + TapOffset(at), static_cast<int16_t>(static_cast<int8_t>(stream[1]) * factor));
  }
  return stream;
}

void ConvGemmRows(const ConvRows& conv) {
  const uint32_t taps = uint32_t{conv.kernel_h} * conv.kernel_w * conv.in_channels;
  if (GemmSmallFits(conv, taps)) {
    GemmSmallRows(conv, taps);
  } else {
    Gemm(conv).Run();
  }
}

}  // namespace squeeze
