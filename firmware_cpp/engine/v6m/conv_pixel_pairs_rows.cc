// Convolution for CPUs without instructions for 16 bits: each non-zero weight of a channel is applied to many
// pixels, two a MULS. Layout and bounds are in pixel_pairs.h, the inner loop in pixel_pairs_accumulate.cc.
//
// Pixels are packed once per call (or, with little scratch, per chunk of columns); each channel's weights are
// decoded into a list once per chunk, and read again for every three words of every pair of rows.
#include "engine/v6m/pair_store.h"
#include "engine/v6m/pixel_pairs_inputs.h"
#include "engine/huffman.h"

namespace squeeze {
namespace {

// All output channels over the columns packed in `inputs`.
void Channels(const ConvRows& conv, const PixelPairsInputs& inputs) {
  const uint32_t words = inputs.words();
  const uint32_t left = words % 3;
  const uint8_t* weights = conv.weights;
  if (conv.huffman != nullptr) HuffmanRewind(conv.huffman);
  PairsRun run = {inputs.list(), nullptr, nullptr, inputs.sums(), 0, left};
  for (uint32_t o = 0; o < conv.out_channels; ++o) {
    const uint32_t sum = PixelPairsDecode(conv, &weights, inputs.table(), inputs.list());
    const PairScale scale = MakePairScale(conv, o, sum);
    run.start = conv.bias[o];
    for (const PairsPass& pass : inputs) {
      run.base = pass.base;
      run.end = pass.base + (words - left);
      PixelPairsAccumulate(&run);
      StorePairs(conv, scale, &inputs.sums()->low, words, pass.low + o);
      StorePairs(conv, scale, &inputs.sums()->high, pass.high_count, pass.high + o);
    }
  }
}

}  // namespace

void ConvPixelPairsRows(const ConvRows& conv) {
  PixelPairsInputs inputs(conv);
  while (inputs.Next()) Channels(conv, inputs);
}

}  // namespace squeeze
