// What a Huffman-coded layer needs before its kernel runs: its parameters unpacked, its decoder ready, in
// scratch.
#ifndef SQUEEZE_ENGINE_HUFFMAN_LAYER_H_
#define SQUEEZE_ENGINE_HUFFMAN_LAYER_H_

#include <stdint.h>

#include "engine/huffman.h"
#include "engine/model.h"

namespace squeeze {

// The front of a Huffman-coded layer's scratch: biases, multipliers and shifts, the decoder's tables, and two
// channels' weights (but for kernels with a place of their own for them); then comes the kernel's own.
struct HuffmanScratch {
  HuffmanScratch(ConvKernel kernel, uint32_t out_channels, uint32_t taps)
      : multipliers(4 * out_channels),
        shifts(8 * out_channels),
        tables((9 * out_channels + 3) & ~uint32_t{3}),
        rows(tables + uint32_t{sizeof(HuffmanTables)}),
        bytes((rows + (HasOwnRows(kernel) ? 0 : 2 * ((taps + 3) & ~uint32_t{3})) + 7) & ~uint32_t{7}) {}
  static bool HasOwnRows(ConvKernel kernel) {
    return kernel == ConvKernel::kSparseList || kernel == ConvKernel::kReference ||
           kernel == ConvKernel::kPixelPairs;
  }
  uint32_t multipliers, shifts, tables, rows, bytes;
};

// Whether the codes and all Huffman-coded layers of a parsed model decode within what they have. Needs their
// scratch.
bool HuffmanLayersOk(const Model& model, uint8_t* arena);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_HUFFMAN_LAYER_H_
