#include "engine/coded.h"

#include <cstring>

#include "engine/coded_decode.h"
#include "engine/fixed_point.h"

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

// The codes in canonical order: by bits, then by symbol.
template <class Take>
void ForEach(const Code& code, Take take) {
  uint32_t next = 0;
  for (uint32_t bits = 1; bits < 16; ++bits, next <<= 1) {
    for (uint32_t symbol = 0; symbol < code.symbols; ++symbol) {
      if (code.Bits(symbol) == bits) take(symbol, bits, next++);
    }
  }
}

uint32_t Reversed(uint32_t code, uint32_t bits) {
  uint32_t reversed = 0;
  for (; bits > 0; --bits, code >>= 1) reversed = reversed << 1 | (code & 1);
  return reversed;
}

void MakeShort(const Code& code, uint8_t* table) {
  ForEach(code, [=](uint32_t symbol, uint32_t bits, uint32_t value) {
    for (uint32_t i = Reversed(value, bits); i < sizeof(ShortTable); i += 1u << bits)
      table[i] = static_cast<uint8_t>(symbol << 3 | (bits - 1));
  });
}

void MakeMasks(const Code& code, MaskTable* table) {
  std::memset(table, 0, sizeof(*table));
  uint16_t at = 0;
  ForEach(code, [&](uint32_t symbol, uint32_t bits, uint32_t value) {
    if (table->count[bits]++ == 0) {
      table->first[bits] = static_cast<uint16_t>(value);
      table->offset[bits] = at;
    }
    table->symbols[at++] = static_cast<uint16_t>(symbol);
    if (bits > 8) return;
    for (uint32_t i = Reversed(value, bits); i < 256; i += 1u << bits)
      table->quick[i] = static_cast<uint16_t>(symbol | bits << 9);
  });
}

struct ToBytes {
  int8_t* to;
  void Put(uint32_t position, int32_t weight) { to[position] = static_cast<int8_t>(weight); }
  static bool More(const BitStream&) { return true; }
};

// Reads what there is, and stops where the stream ends.
struct Checking {
  uint32_t end;  // in bits
  bool ok = true;
  void Put(uint32_t, int32_t) {}
  bool More(const BitStream& bits) {
    ok = ok && bits.position() <= end;
    return ok;
  }
};

}  // namespace

CodedWeights::CodedWeights(const CodedSource& source, CodedTables* tables, int32_t* bias, int32_t zero_point)
    : source_(source), tables_(tables), bias_(bias), zero_point_(zero_point) {
  const uint8_t* const header = source.stream;
  mode_ = static_cast<CodedMode>(header[0]);
  value_bits_ = header[1];
  class_bits_ = header[2] >> 1;
  for (uint32_t k = 0; k < header[2]; ++k) {
    MakeShort(CodeOf(source.codes, header[4 + k]), tables->values[k]);
    if (mode_ == CodedMode::kGaps) MakeShort(CodeOf(source.codes, header[8 + k]), tables->gaps[k]);
  }
  if (mode_ == CodedMode::kMasks) MakeMasks(CodeOf(source.codes, header[8]), &tables->masks);
  Rewind();
  first_pass_ = true;
}

void CodedWeights::Rewind() {
  bits_ = BitStream(source_.stream + kCodedHeaderBytes);
  pending_ = false;
  at_ = 0;
  first_pass_ = first_pass_ && channel_ == 0;
  channel_ = 0;
}

void CodedWeights::Next(int8_t* to) {
  if (mode_ != CodedMode::kAll) std::memset(to, 0, source_.taps);
  ToBytes sink = {to};
  Decode(&sink);
}

void CodedWeights::Folded(int32_t sum) {
  if (bias_ != nullptr && first_pass_) bias_[channel_] = WrappingAdd(bias_[channel_], -zero_point_ * sum);
  ++channel_;
}

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

namespace {

bool CodeFits(const uint8_t* codes, uint32_t i, uint32_t symbols, uint32_t limit) {
  if (i >= Half(codes)) return false;
  const Code code = CodeOf(codes, i);
  if (code.symbols != symbols) return false;
  for (uint32_t symbol = 0; symbol < symbols; ++symbol) {
    if (code.Bits(symbol) > limit) return false;
  }
  return true;
}

}  // namespace

bool CodedStreamOk(const CodedSource& source, uint32_t bytes, uint32_t channels, uint32_t kernel_area,
                   CodedTables* tables) {
  if (bytes < kCodedHeaderBytes || bytes > 1u << 28) return false;
  const uint8_t* const header = source.stream;
  const uint32_t mode = header[0], value_bits = header[1], classes = header[2];
  if (mode > 2 || value_bits < 4 || value_bits > 8) return false;
  if (classes != 1 && classes != 2 && classes != 4) return false;
  if (mode == static_cast<uint32_t>(CodedMode::kMasks) && kernel_area != 9) return false;
  const uint32_t value_symbols = 1u << (value_bits < kCodedTopBits ? value_bits : kCodedTopBits);
  for (uint32_t k = 0; k < classes; ++k) {
    if (!CodeFits(source.codes, header[4 + k], value_symbols, kCodedShortBits)) return false;
    if (mode == static_cast<uint32_t>(CodedMode::kGaps) &&
        !CodeFits(source.codes, header[8 + k], kCodedGaps, kCodedShortBits)) {
      return false;
    }
  }
  if (mode == static_cast<uint32_t>(CodedMode::kMasks) &&
      !CodeFits(source.codes, header[8], kCodedMasks, kCodedMaskBits)) {
    return false;
  }
  CodedWeights weights(source, tables, nullptr, 0);
  Checking sink = {8 * (bytes - kCodedHeaderBytes)};
  for (uint32_t o = 0; o < channels && sink.ok; ++o) {
    if (!sink.More(weights.bits_)) break;
    weights.Decode(&sink);
  }
  // Nothing may be left but the rest of the last byte.
  return sink.More(weights.bits_) && sink.end - weights.bits_.position() < 8;
}

}  // namespace squeeze
