// Huffman-coded channels to the lists of ConvSparseListRows.
#ifndef SQUEEZE_ENGINE_DSP_HUFFMAN_SPARSE_LIST_H_
#define SQUEEZE_ENGINE_DSP_HUFFMAN_SPARSE_LIST_H_

#include "engine/dsp/sparse_list.h"
#include "engine/huffman.h"

namespace squeeze {

// One channel's entries to `list`; returns where the next one would stand. Offsets: of kMasks
// table[channel * 9 + tap], else table[position], or, of a 1x1 (table null), position * step.
SparseListEntry* HuffmanToSparseList(HuffmanMode mode, HuffmanRun* run, const uint16_t* table, uint32_t step,
                                     SparseListEntry* list);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_DSP_HUFFMAN_SPARSE_LIST_H_
