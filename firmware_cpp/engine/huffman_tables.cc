#include "engine/huffman_tables.h"

#include <string.h>

namespace squeeze {
namespace {

uint32_t Half(const uint8_t* bytes) { return bytes[0] | uint32_t{bytes[1]} << 8; }

// One code of a model's: `symbols` lengths of 4 bits.
struct Code {
  uint32_t symbols;
  const uint8_t* nibbles;
  uint32_t Bits(uint32_t symbol) const { return nibbles[symbol / 2] >> (symbol % 2 * 4) & 15; }
};

Code CodeOf(const uint8_t* codes, uint32_t i) {
  const uint8_t* const code = codes + Half(codes + 2 + 2 * i);
  return {Half(code), code + 2};
}

// The other end first.
inline uint32_t Reversed(uint32_t word) {
#if defined(__ARM_FEATURE_DSP)
  uint32_t reversed;
  __asm__("rbit %0, %1" : "=r"(reversed) : "r"(word));
  return reversed;
#else
  uint32_t reversed = 0;
  for (uint32_t i = 0; i < 32; ++i, word >>= 1) reversed = reversed << 1 | (word & 1);
  return reversed;
#endif
}

// Canonical codes in order, their first bit the highest of a word, are this far apart: all is one code's of
// no bits.
inline uint32_t Step(uint32_t bits) { return 0x80000000u >> (bits - 1); }

inline uint32_t LowestBit(uint32_t set) { return static_cast<uint32_t>(__builtin_ctz(set)); }

struct Block {
  uint32_t words[4];
};

// Twice the `half` entries that are there, in a table of words.
inline void Double(int16_t* table, uint32_t half) {
  if (half < 8) {
    for (uint32_t i = 0; i < half; ++i) table[half + i] = table[i];
    return;
  }
  const Block* from = reinterpret_cast<const Block*>(table);
  Block* to = reinterpret_cast<Block*>(table + half);
  for (const Block* const end = to; from != end;) *to++ = *from++;
}

// The table of a code of up to 32 symbols: for each number of bits the codes that have so many, and a copy of
// everything for the next bit. entry(symbol): an entry but for its own bits.
template <class Entry>
inline void MakeShort(const Code& code, int16_t* table, Entry entry) {
  uint32_t sets[16] = {};  // of each number of bits, the symbols
  for (uint32_t i = 0; i < code.symbols / 2; ++i) {
    const uint32_t pair = code.nibbles[i];
    sets[pair & 15] |= 1u << (2 * i);
    sets[pair >> 4] |= 2u << (2 * i);
  }
  uint32_t next = 0;
  for (uint32_t bits = 1; bits <= kHuffmanShortBits; ++bits) {
    Double(table, 1u << (bits - 1));
    const uint32_t step = Step(bits);
    for (uint32_t set = sets[bits]; set != 0; set &= set - 1, next += step)
      table[Reversed(next)] = static_cast<int16_t>(entry(LowestBit(set)) + static_cast<int32_t>(bits));
  }
}

// To the prefixes of long codes, from `code` on, where their tables are: each has one for the longest code
// that begins with it, which canonical order makes its last. count: codes of each number of bits.
void MakeLongTables(const uint16_t* count, uint32_t code, uint16_t* table) {
  constexpr uint32_t kPrefix = 0x80000000u >> (kHuffmanQuickBits - 1);
  uint32_t last = code - 1;  // told by codes of up to `bits` bits
  uint32_t bits = kHuffmanQuickBits;
  uint32_t at = 0;
  for (uint32_t prefix = code; prefix != 0; prefix += kPrefix) {  // to 2^32
    while (last < prefix + (kPrefix - 1) && bits < kHuffmanMaskBits) {
      ++bits;
      last += count[bits] * Step(bits);
    }
    const uint32_t entries = 1u << (bits - kHuffmanQuickBits);
    table[Reversed(prefix)] = static_cast<uint16_t>(kMaskLong | at / 2 | (entries - 1) << 10);
    at += entries;
  }
}

// One code in all places of a table, which ends at `last`, that begin with it: at `at` and further on.
inline void Fill(uint16_t* at, const uint16_t* last, uint32_t bits, uint32_t entry) {
  do {
    *at = static_cast<uint16_t>(entry);
    at += 1u << bits;
  } while (at <= last);
}

// Eight symbols' bits, and whether there are more.
class Nibbles {
 public:
  explicit Nibbles(const Code& code) : at_(code.nibbles), end_(at_ + code.symbols / 2) {}
  bool Next(uint32_t* eight) {
    if (at_ == end_) return false;
    memcpy(eight, at_, sizeof(*eight));
    at_ += sizeof(*eight);
    return true;
  }

 private:
  const uint8_t* at_;
  const uint8_t* const end_;
};

}  // namespace

bool CodesOk(const uint8_t* codes, uint32_t bytes) {
  if (bytes < 2) return false;
  const uint32_t count = Half(codes);
  if (count > 256 || bytes < 2 + 2 * count) return false;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t offset = Half(codes + 2 + 2 * i);
    if (offset + 2 > bytes || offset + 2 + (Half(codes + offset) + 1) / 2 > bytes) return false;
    const Code code = CodeOf(codes, i);
    uint32_t share = 0;  // of 2^15
    for (uint32_t symbol = 0; symbol < code.symbols && share <= 1u << 15; ++symbol) {
      if (code.Bits(symbol) > 0) share += (1u << 15) >> code.Bits(symbol);
    }
    if (share != 1u << 15) return false;
  }
  return true;
}

bool CodeFits(const uint8_t* codes, uint32_t i, uint32_t symbols, uint32_t limit) {
  if (i >= Half(codes)) return false;
  const Code code = CodeOf(codes, i);
  if (code.symbols != symbols) return false;
  for (uint32_t symbol = 0; symbol < symbols; ++symbol) {
    if (code.Bits(symbol) > limit) return false;
  }
  return true;
}

void MakeValueTable(const uint8_t* codes, uint32_t i, uint32_t value_bits, uint32_t raw, int16_t* table) {
  const int32_t half = 1 << (value_bits - 1);
  const int32_t bits = static_cast<int32_t>(raw);
  MakeShort(CodeOf(codes, i), table,
            [=](uint32_t symbol) { return (static_cast<int32_t>(symbol << raw) - half) * 256 + bits; });
}

void MakeGapTable(const uint8_t* codes, uint32_t i, int16_t* table) {
  MakeShort(CodeOf(codes, i), table, [](uint32_t symbol) {
    return (symbol == kHuffmanGaps - 1 ? -1 : static_cast<int32_t>(symbol) + 1) * 256;
  });
}

void MakeMaskTable(const uint8_t* codes, uint32_t i, uint16_t* table) {
  const Code code = CodeOf(codes, i);
  uint16_t count[16] = {};
  uint32_t eight;
  for (Nibbles nibbles(code); nibbles.Next(&eight);) {
    for (int one = 0; one < 8; ++one, eight >>= 4) ++count[eight & 15];
  }
  uint32_t next[16];  // code of each number of bits
  uint32_t first = 0;
  for (uint32_t bits = 1; bits <= kHuffmanMaskBits; ++bits) {
    next[bits] = first;
    first += count[bits] * Step(bits);
    if (bits == kHuffmanQuickBits && first != 0) MakeLongTables(count, first, table);
  }
  uint16_t* const quick_last = table + kQuickEntries - 1;
  uint16_t* const long_tables = table + kQuickEntries;
  uint32_t symbol = 0;
  for (Nibbles nibbles(code); nibbles.Next(&eight); symbol += 8) {
    for (uint32_t entry = symbol; eight != 0; eight >>= 4, ++entry) {
      const uint32_t bits = eight & 15;
      if (bits == 0) continue;
      const uint32_t reversed = Reversed(next[bits]);
      next[bits] += Step(bits);
      if (bits <= kHuffmanQuickBits) {
        Fill(table + reversed, quick_last, bits, entry | bits << 10);
      } else {
        const uint32_t prefix = table[reversed & (kQuickEntries - 1)];
        uint16_t* const rest = long_tables + 2 * (prefix & (kMaskLong - 1));
        Fill(rest + (reversed >> kHuffmanQuickBits), rest + (prefix >> 10), bits - kHuffmanQuickBits,
             entry | bits << 10);
      }
    }
  }
}

}  // namespace squeeze
