#include "engine/coded_tables.h"

#include <cstring>

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

// The code after `code`, which has the bit `top` last: both with their first bit the lowest.
inline uint32_t Following(uint32_t code, uint32_t top) {
  while (code & top) {
    code ^= top;
    top >>= 1;
  }
  return code | top;
}

// The other end first.
uint32_t Reversed(uint32_t code, uint32_t bits) {
  uint32_t reversed = 0;
  for (; bits > 0; --bits, code >>= 1) reversed = reversed << 1 | (code & 1);
  return reversed;
}

inline uint32_t LowestBit(uint32_t set) { return static_cast<uint32_t>(__builtin_ctz(set)); }

// The table of a code of up to 32 symbols: for `bits` bits, again and again, the codes that have so many, and
// a copy of all for one bit more. Entry(symbol) makes an entry, its own bits apart.
template <class Entry>
inline void MakeShort(const Code& code, int16_t* table, Entry entry) {
  uint32_t sets[16] = {};  // of each number of bits, the symbols
  for (uint32_t i = 0; i < code.symbols / 2; ++i) {
    const uint32_t pair = code.nibbles[i];
    sets[pair & 15] |= 1u << (2 * i);
    sets[pair >> 4] |= 2u << (2 * i);
  }
  struct Four {
    uint32_t words[4];
  };
  uint32_t next = 0;
  for (uint32_t bits = 1; bits <= kCodedShortBits; ++bits) {
    const uint32_t half = 1u << (bits - 1);
    if (half >= 8) {
      const Four* from = reinterpret_cast<const Four*>(table);
      Four* to = reinterpret_cast<Four*>(table + half);
      for (const Four* const end = to; from != end;) *to++ = *from++;
    } else {
      for (uint32_t i = 0; i < half; ++i) table[half + i] = table[i];
    }
    for (uint32_t set = sets[bits]; set != 0; set &= set - 1) {
      table[next] = static_cast<int16_t>(entry(LowestBit(set)) + static_cast<int32_t>(bits));
      next = Following(next, half);
    }
  }
}

uint16_t* LongTable(uint16_t* table, uint32_t prefix) {
  return table + kQuickEntries + 2 * (prefix & (kMaskLong - 1));
}

// To the prefixes of long codes, where their tables are. count: codes of each number of bits; covered: what
// the short ones take of 2^13.
void MakeLongTables(const uint16_t* count, uint32_t covered, uint16_t* table) {
  constexpr uint32_t kLongBits = kCodedMaskBits - kCodedQuickBits;
  const uint32_t short_prefixes = covered >> kLongBits;
  uint32_t prefix = Reversed(short_prefixes, kCodedQuickBits);
  uint32_t longest = 0;
  uint32_t at = 0;
  for (uint32_t k = short_prefixes; k < kQuickEntries; ++k) {
    for (; covered < (k + 1) << kLongBits && longest < kLongBits;) {
      ++longest;
      covered += uint32_t{count[kCodedQuickBits + longest]} << (kLongBits - longest);
    }
    const uint32_t entries = 1u << longest;
    table[prefix] = static_cast<uint16_t>(kMaskLong | at / 2 | (entries - 1) << 10);
    prefix = Following(prefix, kQuickEntries / 2);
    at += entries;
  }
}

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
    return (symbol == kCodedGaps - 1 ? -1 : static_cast<int32_t>(symbol) + 1) * 256;
  });
}

void MakeMaskTable(const uint8_t* codes, uint32_t i, uint16_t* table) {
  const Code code = CodeOf(codes, i);
  uint16_t count[16] = {};
  for (uint32_t k = 0; k < kCodedMasks / 2; ++k) {
    ++count[code.nibbles[k] & 15];
    ++count[code.nibbles[k] >> 4];
  }
  // The first code of each number of bits; the prefixes of long ones, each with a table for the longest code
  // it has, which canonical order makes its last.
  uint32_t next[16];
  uint32_t covered = 0;  // of 2^13
  for (uint32_t bits = 1; bits <= kCodedMaskBits; ++bits) {
    next[bits] = Reversed(covered >> (kCodedMaskBits - bits), bits);
    covered += uint32_t{count[bits]} << (kCodedMaskBits - bits);
    if (bits == kCodedQuickBits) MakeLongTables(count, covered, table);
  }
  const uint8_t* pair = code.nibbles;
  for (uint32_t symbol = 0; symbol < kCodedMasks; ++pair) {
    for (uint32_t bits = *pair & 15, end = symbol + 2; symbol < end; ++symbol, bits = *pair >> 4) {
      if (bits == 0) continue;
      const uint32_t first = next[bits];
      next[bits] = Following(first, 1u << (bits - 1));
      const uint16_t entry = static_cast<uint16_t>(symbol | bits << 10);
      if (bits <= kCodedQuickBits) {
        for (uint32_t k = first; k < kQuickEntries; k += 1u << bits) table[k] = entry;
      } else {
        const uint32_t prefix = table[first & (kQuickEntries - 1)];
        uint16_t* const rest = LongTable(table, prefix);
        for (uint32_t k = first >> kCodedQuickBits; k <= prefix >> 10; k += 1u << (bits - kCodedQuickBits))
          rest[k] = entry;
      }
    }
  }
}

}  // namespace squeeze
