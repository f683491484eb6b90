#include "engine/huffman_bytes.h"

namespace squeeze {

void HuffmanToBytes(HuffmanMode mode, HuffmanRun* run, int8_t* to) { DecodeToBytes(mode, run, to); }

}  // namespace squeeze
