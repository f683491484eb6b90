// The codes of a model's Huffman-coded layers, and the decoder's tables of them; written by
// convert/encode/entropy.py.
//
// uint16 count, uint16 offset of each code; of a code, uint16 symbols, then 4 bits a symbol: its bits, 0 if
// it has no code. Canonical Huffman codes, complete, their first bit the least significant.
#ifndef SQUEEZE_ENGINE_HUFFMAN_TABLES_H_
#define SQUEEZE_ENGINE_HUFFMAN_TABLES_H_

#include <stdint.h>

namespace squeeze {

constexpr uint32_t kHuffmanClasses = 4;    // at most
constexpr uint32_t kHuffmanTopBits = 5;    // of a weight, coded
constexpr uint32_t kHuffmanShortBits = 8;  // of a code of values or gaps at most
constexpr uint32_t kHuffmanMaskBits = 13;  // of a mask's at most
constexpr uint32_t kHuffmanQuickBits = 9;  // of a mask's that one look decodes
constexpr uint32_t kHuffmanGaps = 16;      // symbols; the last one: that many less one, and no weight
constexpr uint32_t kHuffmanMasks = 512;    // symbols

constexpr uint32_t kShortEntries = 1 << kHuffmanShortBits;
constexpr uint32_t kQuickEntries = 1 << kHuffmanQuickBits;

// Of masks: the first 9 bits of the stream tell a mask + bits << 10. If the code is longer: kMaskLong + half
// the index, behind these, of a table of what follows; from bit 10 on that table's entries less one.
//
// These tables have as many entries as there are long codes, but for up to four prefixes whose codes differ
// in length: 11, 4, 1 and 0 more at most. Not all of 512 codes are long: 2^9 prefixes would have 1,024.
constexpr uint32_t kMaskLong = 1 << 9;
constexpr uint32_t kMaskEntries = kQuickEntries + 528;

// The decoder's tables, in scratch. An entry of a short one: the bits that what it tells takes (of a weight:
// those that are not coded, too), below 2^8; in units of 2^8 the weight, its uncoded bits 0, or the gap + 1,
// -1 for a gap without a weight.
struct HuffmanTables {
  int16_t values[kHuffmanClasses][kShortEntries];
  union {
    int16_t gaps[kHuffmanClasses][kShortEntries];
    uint16_t masks[kMaskEntries];
  };
};

// Whether a model's codes are `bytes` of what they should be.
bool CodesOk(const uint8_t* codes, uint32_t bytes);

// Whether code `i` has so many symbols, of so many bits at most.
bool CodeFits(const uint8_t* codes, uint32_t i, uint32_t symbols, uint32_t limit);

// Makes the table of code `i`. `raw`: bits of a weight that are not coded; it has value_bits in all.
void MakeValueTable(const uint8_t* codes, uint32_t i, uint32_t value_bits, uint32_t raw, int16_t* table);
void MakeGapTable(const uint8_t* codes, uint32_t i, int16_t* table);
void MakeMaskTable(const uint8_t* codes, uint32_t i, uint16_t* table);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_HUFFMAN_TABLES_H_
