// The sparse stream of a channel (format.h) to a list in RAM: 5 instructions an entry, for a 1x1 kernel 4.
//
// Two entries a word. r0 weight, r1 offset, r2 weight, r3 offset: STM wants them in this order. UXTAB16 makes
// two gaps + 1 at once, which are then summed one after the other. A 1x1 sums them times the step.
#include "engine/dsp/huffman_sparse_list.h"
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/sparse_list.h"

namespace squeeze {
namespace {

inline int32_t Weight(uint8_t byte) { return static_cast<int8_t>(byte) * kLaneUnit; }

// How a gap moves `at`, and the offset there.
struct ByTable {
  const uint16_t* table;
  static uint32_t Start() { return 0xFFFFFFFF; }
  static uint32_t Next(uint32_t at, uint32_t gap) { return at + gap + 1; }
  uint32_t Offset(uint32_t at) const { return table[at]; }
};
struct ByStep {
  uint32_t step;
  uint32_t Start() const { return 0 - step; }
  uint32_t Next(uint32_t at, uint32_t gap) const { return at + (gap + 1) * step; }
  static uint32_t Offset(uint32_t at) { return at; }
};

#if defined(__ARM_FEATURE_DSP)

#define SQUEEZE_LIST_PAIRS(n, OFFSETS)    \
  ".rept " n                              \
  "\n"                                    \
  "ldr r1, [%[stream]], #4\n"             \
  "uxtab16 r12, %[ones], r1\n"            \
  "bic r1, r1, #0x00FF00FF\n"             \
  "smulbb r0, r1, %[two]\n" /* w * 2^8 */ \
  "smultb r2, r1, %[two]\n" OFFSETS       \
  "stmia %[list]!, {r0-r3}\n"             \
  ".endr\n"
#define SQUEEZE_LIST_BY_TABLE(n)                                                 \
  __asm__ volatile(SQUEEZE_LIST_PAIRS(n,                                         \
                                      "uxtah r1, %[at], r12\n"                   \
                                      "add %[at], r1, r12, lsr #16\n"            \
                                      "ldrh r1, [%[table], r1, lsl #1]\n"        \
                                      "ldrh r3, [%[table], %[at], lsl #1]\n")    \
                   : [stream] "+r"(stream), [at] "+r"(at), [list] "+r"(list)     \
                   : [table] "r"(by.table), [ones] "r"(0x00010001), [two] "r"(2) \
                   : "r0", "r1", "r2", "r3", "r12", "memory")
#define SQUEEZE_LIST_BY_STEP(n)                                                                            \
  __asm__ volatile("mov r3, %[at]\n" SQUEEZE_LIST_PAIRS(n,                                                 \
                                                        "smlabb r1, r12, %[step], r3\n"                    \
                                                        "smlatb r3, r12, %[step], r1\n") "mov %[at], r3\n" \
                   : [stream] "+r"(stream), [at] "+r"(at), [list] "+r"(list)                               \
                   : [step] "r"(by.step), [ones] "r"(0x00010001), [two] "r"(2)                             \
                   : "r0", "r1", "r2", "r3", "r12", "memory")

inline void DecodePairs(const ByTable& by, uint32_t pairs, const uint8_t*& stream, uint32_t& at,
                        SparseListEntry*& list) {
  for (; pairs >= 4; pairs -= 4) SQUEEZE_LIST_BY_TABLE("4");
  for (; pairs > 0; --pairs) SQUEEZE_LIST_BY_TABLE("1");
}
inline void DecodePairs(const ByStep& by, uint32_t pairs, const uint8_t*& stream, uint32_t& at,
                        SparseListEntry*& list) {
  for (; pairs >= 4; pairs -= 4) SQUEEZE_LIST_BY_STEP("4");
  for (; pairs > 0; --pairs) SQUEEZE_LIST_BY_STEP("1");
}

#else

template <class By>
inline void DecodePairs(const By& by, uint32_t pairs, const uint8_t*& stream, uint32_t& at,
                        SparseListEntry*& list) {
  for (uint32_t i = 0; i < 2 * pairs; ++i, stream += 2) {
    at = by.Next(at, stream[0]);
    *list++ = {Weight(stream[1]), by.Offset(at)};
  }
}

#endif

// Behind `count` entries: to an even number, two at least, and two that end the list.
void End(SparseListEntry* list, uint32_t count) {
  if ((count & 1) != 0) {
    *list++ = {0, 0};
  } else if (count == 0) {
    *list++ = {0, 0};
    *list++ = {0, 0};
  }
  list[0] = {0, kSparseListEnd};
  list[1] = {0, 0};  // loaded with it
}

template <class By>
inline uint32_t Decode(const uint8_t* stream, const By& by, SparseListEntry* list) {
  const uint32_t count = stream[0] | (uint32_t{stream[1]} << 8);
  stream += 2;
  uint32_t at = by.Start();
  DecodePairs(by, count / 2, stream, at, list);
  if (count & 1) *list++ = {Weight(stream[1]), by.Offset(by.Next(at, stream[0]))};
  End(list, count);
  return count;
}

#if SQUEEZE_KERNEL_HUFFMAN

uint32_t DecodeHuffman(HuffmanWeights* weights, const uint16_t* table, uint32_t step, SparseListEntry* list) {
  SparseListEntry* const end = HuffmanToSparseList(weights->mode(), weights->Begin(), table, step, list);
  weights->End();
  const uint32_t count = static_cast<uint32_t>(end - list);
  End(end, count);
  return count;
}

#else

uint32_t DecodeHuffman(HuffmanWeights*, const uint16_t*, uint32_t, SparseListEntry*) { return 0; }

#endif

}  // namespace

uint32_t SparseListDecode(const uint8_t* stream, const uint16_t* table, SparseListEntry* list) {
  return Decode(stream, ByTable{table}, list);
}

uint32_t SparseListDecode(const uint8_t* stream, uint32_t step, SparseListEntry* list) {
  return Decode(stream, ByStep{step}, list);
}

uint32_t SparseListDecode(HuffmanWeights* weights, const uint16_t* table, SparseListEntry* list) {
  return DecodeHuffman(weights, table, 0, list);
}

uint32_t SparseListDecode(HuffmanWeights* weights, uint32_t step, SparseListEntry* list) {
  return DecodeHuffman(weights, nullptr, step, list);
}

}  // namespace squeeze
