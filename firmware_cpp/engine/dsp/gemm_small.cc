#include "engine/dsp/gemm_small.h"

#include "engine/channel_weights.h"
#include "engine/dsp/gemm.h"
#include "engine/dsp/im2col.h"
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/requantize.h"

namespace squeeze {
namespace {

constexpr uint32_t kBiasLimit = 1u << 22;
constexpr int kFactor = 256;  // of the weights

class Small {
 public:
  Small(const ConvRows& conv, uint32_t taps)
      : conv_(conv),
        taps_(taps),
        padded_(GemmPaddedTaps(taps)),
        weights_(reinterpret_cast<uint32_t*>(conv.scratch)) {
    run_.weights = weights_;
    run_.conv = &conv;
    run_.words = conv.encoding == WeightEncoding::kSparse ? 0 : taps / 4;
    GemmSmallPair(nullptr, &run_, padded_ / 2);
  }

  void Run() {
    const uint32_t pixels = uint32_t{conv_.out_width} * conv_.out_rows;
    const uint32_t fitting = (conv_.scratch_bytes - GemmWeightBytes(padded_)) / GemmSmallPixelBytes(padded_);
    const uint32_t chunk = GemmChunk(pixels, fitting);
    for (uint32_t begin = 0; begin < pixels; begin += chunk) {
      Chunk(begin, begin + chunk < pixels ? begin + chunk : pixels);
    }
  }

 private:
  void Chunk(uint32_t begin, uint32_t end) {
    const GemmGroups groups = GemmGroupsOf(end - begin);
    uint32_t* const inputs = weights_ + padded_;
    run_.threes_end = inputs + groups.threes * 3 * (padded_ / 2 + 1);
    run_.inputs_end = run_.threes_end + groups.twos * 2 * (padded_ / 2 + 1);
    Im2Col(conv_, begin, end, {groups, padded_, false, true}, reinterpret_cast<int8_t*>(weights_), inputs);
    Place(begin, end, groups, inputs);
    run_.bias = conv_.bias;
    run_.multipliers = conv_.multipliers;
    run_.shifts = conv_.shifts;
    const uint8_t* stream = conv_.weights;
    if (conv_.huffman != nullptr) HuffmanRewind(conv_.huffman);
    const uint32_t channels = conv_.out_channels;
    const bool sparse = conv_.encoding == WeightEncoding::kSparse;
    for (uint32_t o = 0; o < channels; o += 2) {
      stream = sparse ? Decode(stream) : Prepare(stream);
      run_.o = o;
      GemmSmallPair(inputs, &run_, 0);
    }
  }

  // Where the pixels [begin, end) go, behind their groups.
  void Place(uint32_t begin, uint32_t end, const GemmGroups& groups, uint32_t* to) const {
    uint32_t y = begin / conv_.out_width;
    uint32_t x = begin % conv_.out_width;
    for (uint32_t group = 0; group < groups.threes + groups.twos; ++group) {
      const uint32_t count = group < groups.threes ? 3 : 2;
      to += count * (padded_ / 2);
      for (uint32_t i = 0; i < count; ++i) {
        *to++ = GemmSmallPixel(conv_, x, y);
        if (begin + 1 == end) continue;  // the last pixel: again, if it is alone
        ++begin;
        if (++x == conv_.out_width) {
          x = 0;
          ++y;
        }
      }
    }
  }

  // The next two channels' weights: GemmSmallPair widens them, but for what is left of words. Returns where
  // the ones after stand.
  const uint8_t* Prepare(const uint8_t* stream) {
    const uint32_t taps = taps_;
    run_.first = reinterpret_cast<const int8_t*>(stream);
    run_.second = run_.first + taps;
    if (conv_.huffman != nullptr) {
      run_.first = HuffmanNext(conv_.huffman, conv_.huffman_rows);
      run_.second = HuffmanNext(conv_.huffman, conv_.huffman_rows + padded_);
    }
    const uint32_t rest = taps % 4;
    if (rest > 0) {  // the last four, shifted until only the rest is left
      const uint32_t gone = 32 - 8 * rest;
      GemmSmallWiden(weights_ + taps - rest, LoadWord(run_.first + taps - 4) >> gone,
                     LoadWord(run_.second + taps - 4) >> gone);
    }
    return stream + 2 * taps;
  }

  const uint8_t* Decode(const uint8_t* stream) const {
    memset(weights_, 0, GemmWeightBytes(padded_));
    stream = DecodeGemmSparse(stream, taps_, kFactor, 0, weights_);
    return DecodeGemmSparse(stream, taps_, kFactor, 1, weights_);
  }

  const ConvRows& conv_;
  const uint32_t taps_;
  const uint32_t padded_;
  uint32_t* const weights_;
  GemmSmallRun run_;
};

}  // namespace

bool GemmSmallFits(const ConvRows& conv, uint32_t taps) {
  if (taps < 4 || taps > kGemmSmallMaxTaps || conv.out_channels % 2 != 0) return false;
  if (conv.out_zero_point != -128 || conv.act_min != -128 || conv.act_max != 127) return false;
  return UsualScales(conv, kBiasLimit);
}

void GemmSmallRows(const ConvRows& conv, uint32_t taps) { Small(conv, taps).Run(); }

}  // namespace squeeze
