// Sparse convolution of stride 1: each non-zero weight of a channel is applied to many pixels, two a SMLAL.
// Layout and bounds are in sparse_list.h, the registers of the inner loop and its cost in
// sparse_list_accumulate.cc.
//
// Pixels are packed once per call (or, with little scratch, per chunk of columns); each channel's stream is
// decoded into a list once per chunk, and read again for every three words of every row. Instructions per
// dense MAC, all included: 3x3 0.33 (density 0.30 to 0.31, two or four rows of 27 or 55), 1x1 of 512 channels
// 0.24 (density 0.20, four rows of 13). A row of 13 on its own costs 0.14 more, mostly for decoding.
#include "engine/channel_weights.h"
#include "engine/dsp/sparse_list_inputs.h"
#include "engine/kernels.h"

namespace squeeze {
namespace {

// Whether a list's weights, multiplied by kLaneUnit, may be too large for the lanes.
bool IsWide(const SparseListEntry* list, uint32_t count) {
  if (count <= kSparseListMaxTaps) return false;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const int32_t weight = list[i].weight;
    sum += static_cast<uint32_t>(weight < 0 ? -weight : weight);
  }
  return sum > kSparseListMaxWeights * static_cast<uint32_t>(kLaneUnit);
}

// All output channels over the chunk packed in `inputs`.
void Channels(const ConvRows& conv, const SparseListInputs& inputs) {
  SparseListEntry* const list = inputs.list();
  LaneAccumulator* const accumulators = inputs.accumulators();
  const uint32_t words = inputs.words();
  const uint32_t left = words % 3;
  const uint8_t* stream = conv.weights;
  if (conv.huffman != nullptr) HuffmanRewind(conv.huffman);
  SparseListRun run = {list, nullptr, nullptr, accumulators, 0, left};
  for (uint32_t o = 0; o < conv.out_channels; ++o) {
    const uint32_t count = inputs.Decode(stream);
    stream += 2 + 2 * count;
    const uint32_t pairs = count == 0 ? 1 : (count + 1) / 2;
    const bool wide = IsWide(list, count);
    const LaneScale scale = MakeLaneScale(conv, o, wide);
    run.first = ((pairs - 1) & 7) + 1;
    for (const SparseListPass& pass : inputs) {
      if (wide) {
        SparseListAccumulateWide(list, pairs, pass.base, words, accumulators);
      } else {
        run.base = pass.base;
        run.end = pass.base + (words - left);
        SparseListAccumulate(&run);
      }
      for (uint32_t i = pass.first_output; i < pass.end_output; ++i) {
        const SparseListOutput& to = inputs.output(i);
        StoreLanes(conv, scale, to.lane, accumulators + to.first, to.count, to.out + o);
      }
    }
    if (inputs.has_padding()) inputs.FillPadding(inputs.PaddingValue(scale), o);
  }
}

}  // namespace

void ConvSparseListRows(const ConvRows& conv) {
  SparseListInputs inputs(conv);
  while (inputs.Next()) Channels(conv, inputs);
}

}  // namespace squeeze
