// Convolution for CPUs without instructions for 16 bits: each non-zero weight of a channel is applied to many
// pixels, two a multiplication. Layout and bounds are in pixel_pairs.h, the inner loops in
// pixel_pairs_plain.inc and, in assembler, in v6m/.
//
// Pixels are packed once per call (or, with little scratch, per chunk of columns); each channel's weights are
// decoded into a list once per chunk, long ones in parts, and the list is read again for every few words of
// every pair of rows.
#include "engine/huffman.h"
#include "engine/portable/pair_store.h"
#include "engine/portable/pixel_pairs_decode.h"
#include "engine/portable/pixel_pairs_inputs.h"

namespace squeeze {
namespace {

// All output channels over the columns packed in `inputs`.
void Channels(const ConvRows& conv, const PixelPairsInputs& inputs) {
  const uint32_t words = inputs.words();
  const uint32_t left = words % 3;
  const uint32_t between = inputs.has_parts() ? words : 0;  // else the sums of one pass at a time are enough
  PairsDecoder decoder(conv, inputs.table(), inputs.list());
  PairScale scale(conv);
  PairsRun run = {inputs.list(), nullptr, nullptr, nullptr, 0, left, 0};
  for (uint32_t o = 0; o < conv.out_channels; ++o) {
    decoder.Begin();
    run.more = 0;
    bool last = false;
    do {
      last = decoder.Part();
      run.start = conv.bias[o];  // of Huffman-coded channels complete now
      if (last) scale.Set(conv, o, decoder.sum());
      PairsSums* sums = inputs.sums();
      for (const PairsPass& pass : inputs) {
        run.base = pass.base;
        run.end = pass.base + (words - left);
        run.sums = sums;
        PixelPairsAccumulate(&run);
        if (last) {
          scale.store(&scale, &sums->low, words, pass.low + o);
          if (pass.high_count > 0) scale.store(&scale, &sums->high, pass.high_count, pass.high + o);
        }
        sums += between;
      }
      run.more = 1;
    } while (!last);
  }
}

}  // namespace

void ConvPixelPairsRows(const ConvRows& conv) {
  PixelPairsInputs inputs(conv);
  while (inputs.Next()) Channels(conv, inputs);
}

}  // namespace squeeze
