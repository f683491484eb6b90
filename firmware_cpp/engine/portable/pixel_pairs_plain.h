// The inner loops of ConvPixelPairsRows in plain C++. These are definitions: one file of a build includes
// them.
//
// Nothing here depends on the order of bytes: words are made and read by arithmetic, modulo 2^32.
#ifndef SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_PLAIN_H_
#define SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_PLAIN_H_

#include "engine/portable/pixel_pairs_list.h"

namespace squeeze {

static_assert(-3 >> 1 == -2, "the high half of a word needs a shift that keeps the sign");
static_assert(static_cast<int32_t>(0xFFFF8000u) == -0x8000, "and int32 the values of uint32 modulo 2^32");

// A header is the number of entries.
const PairsHeaders kPairsHeaders = {kPairsChunkEntries, ~uint32_t{0}, 0};

// So many words share an entry's weight and offset. Each needs three registers: sums of the chunk, of chunks,
// and of their high halves.
#if (defined(__riscv) && !defined(__riscv_e)) || defined(__aarch64__)
constexpr uint32_t kPairsBlock = 6;
#else
constexpr uint32_t kPairsBlock = 3;
#endif

// The sums of kWords words, by name and not in an array: so they are in registers with -O2, too.
template <uint32_t kWords>
struct PairsBlock {
  uint32_t chunk, all, high;
  PairsBlock<kWords - 1> rest;

  void Begin(const PairsRun& run, const PairsSums* sums) {
    const uint32_t start = static_cast<uint32_t>(run.start);
    high = run.more != 0 ? static_cast<uint32_t>(sums->high) : start;
    all = (run.more != 0 ? static_cast<uint32_t>(sums->low) : start) + (high << 16);
    rest.Begin(run, sums + 1);
  }
  void First(uint32_t weight, const uint32_t* words) {
    chunk = weight * words[0];
    rest.First(weight, words + 1);
  }
  void Add(uint32_t weight, const uint32_t* words) {
    chunk += weight * words[0];
    rest.Add(weight, words + 1);
  }
  // The low half is a number with sign: half of its range more, and the shift rounds to the high one.
  void Close() {
    all += chunk;
    high += static_cast<uint32_t>(static_cast<int32_t>(chunk + 0x8000) >> 16);
    rest.Close();
  }
  void End(PairsSums* sums) const {
    *sums = {static_cast<int32_t>(all - (high << 16)), static_cast<int32_t>(high)};
    rest.End(sums + 1);
  }
};
template <>
struct PairsBlock<0> {
  void Begin(const PairsRun& /*run*/, const PairsSums* /*sums*/) {}
  void First(uint32_t /*weight*/, const uint32_t* /*words*/) {}
  void Add(uint32_t /*weight*/, const uint32_t* /*words*/) {}
  void Close() {}
  void End(PairsSums* /*sums*/) const {}
};

template <uint32_t kWords>
void PairsAccumulateBlock(const PairsRun& run, const uint32_t* base, PairsSums* sums) {
  PairsBlock<kWords> block;
  block.Begin(run, sums);
  const auto words = [base](uint32_t offset) {
    return reinterpret_cast<const uint32_t*>(reinterpret_cast<const uint8_t*>(base) + offset);
  };
  const uint32_t* chunk = run.list;
  for (uint32_t entries = *chunk; entries != kPairsEnd; entries = *chunk) {
    const uint32_t* at = chunk + 3;
    const uint32_t weight = chunk[1], offset = chunk[2];
    chunk += 1 + 2 * entries;
    block.First(weight, words(offset));
    for (; at != chunk; at += 2) block.Add(at[0], words(at[1]));
    block.Close();
  }
  block.End(sums);
}

// What is left after the last block.
template <uint32_t kWords>
void PairsAccumulateRest(const PairsRun& run, uint32_t left, const uint32_t* base, PairsSums* sums) {
  if (left == kWords) {
    PairsAccumulateBlock<kWords>(run, base, sums);
  } else {
    PairsAccumulateRest<kWords - 1>(run, left, base, sums);
  }
}
template <>
inline void PairsAccumulateRest<0>(const PairsRun& /*run*/, uint32_t /*left*/, const uint32_t* /*base*/,
                                   PairsSums* /*sums*/) {}

void PixelPairsAccumulate(const PairsRun* run) {
  const uint32_t* base = run->base;
  PairsSums* sums = run->sums;
  uint32_t left = static_cast<uint32_t>(run->end - base) + run->left;
  for (; left >= kPairsBlock; left -= kPairsBlock, base += kPairsBlock, sums += kPairsBlock) {
    PairsAccumulateBlock<kPairsBlock>(*run, base, sums);
  }
  PairsAccumulateRest<kPairsBlock - 1>(*run, left, base, sums);
}

const uint16_t* PairsSparseToList(PairsListWriter* writer, const uint16_t* entries, const uint16_t* end,
                                  const uint16_t* table) {
  PairsListWriter local = *writer;  // in registers
  for (; entries != end; ++entries, ++table) {
    const int32_t entry = static_cast<int16_t>(*entries), weight = entry >> 8;
    table += entry & 0xFF;
    if (weight != 0) local.Put(weight, *table);  // 0: bridges a gap
  }
  *writer = local;
  return table;
}

const uint16_t* PairsDenseToList(PairsListWriter* writer, const int8_t* weights, const int8_t* end,
                                 const uint16_t* table) {
  PairsListWriter local = *writer;
  for (; weights != end; ++weights, ++table) {
    if (*weights != 0) local.Put(*weights, *table);
  }
  *writer = local;
  return table;
}

void PixelPairsPack(const PairsPack* pack) {
  const uint32_t channels = pack->channels, stride = pack->stride, step = pack->step;
  const int8_t* low = pack->low;
  const int8_t* high = pack->high;
  for (uint32_t i = 0; i < pack->count; ++i, low += step, high += step) {
    uint32_t* to = pack->dst + i;
    for (uint32_t c = 0; c < channels; ++c, to += stride) {
      *to = static_cast<uint32_t>(int32_t{low[c]}) + (static_cast<uint32_t>(int32_t{high[c]}) << 16);
    }
  }
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_PORTABLE_PIXEL_PAIRS_PLAIN_H_
