// Instructions a weight, all included: 20 by gaps; by masks 13.5 and, an input channel, 19 and 2 for each of
// its weights but the first. Where a load's address would come from the instruction right before, another one
// stands between. Registers: huffman_loops.h; here r6 the list, lr the sum of weights times 2^8.
#include "engine/dsp/huffman_sparse_list.h"

#include "engine/dsp/huffman_loops.h"
#include "engine/huffman_decode.h"

namespace squeeze {
namespace {

static_assert(kLaneUnit == 2 * kHuffmanUnit, "as the loops double weights");

struct ListSink {
  const uint16_t* table;
  uint32_t step;
  SparseListEntry* list;
  void Put(uint32_t position, int32_t weight) {
    *list++ = {2 * weight, table != nullptr ? table[position] : position * step};
  }
  static uint32_t Mask(uint32_t channel, uint32_t tap) { return channel * kHuffmanTaps + tap; }
  static bool More(uint32_t) { return true; }
};

#if defined(__ARM_FEATURE_DSP)

using GapsLoop = SparseListEntry*(HuffmanRun*, SparseListEntry*, uint32_t step);
using MasksLoop = SparseListEntry*(HuffmanRun*, SparseListEntry*, const uint16_t* table);

// clang-format off
// r10 step, r11 taps times step: the offset of what has r8 0.
#define SQUEEZE_GAPS_ENTRY(raw)                                    \
  "ubfx r4, r0, #" #raw ", #8\n"                                   \
  "mla r5, r8, r10, r11\n"                                         \
  "ldrsh.w r4, [r3, r4, lsl #1]\n"                                 \
  "uxtab r1, r1, r4\n" SQUEEZE_HUFFMAN_RAW_##raw                   \
  "bic.w r4, r4, #0xFF\n"                                          \
  "add.w lr, lr, r4\n"                                             \
  "lsl.w r4, r4, #1\n"                                             \
  "strd r4, r5, [r6], #8\n"
#define SQUEEZE_LIST_GAPS(name, raw)                                                            \
  __attribute__((naked, noinline)) SparseListEntry* name([[maybe_unused]] HuffmanRun* run,              \
                                                   [[maybe_unused]] SparseListEntry* list,            \
                                                   [[maybe_unused]] uint32_t step) {            \
    __asm__(SQUEEZE_HUFFMAN_GAPS_ENTER                                                            \
            "mul r11, r11, r10\n"                                                               \
            "cmp.w r4, #0\n"                                                                    \
            "bne.n 2f\n"                                                                        \
            "sub.w r8, r8, #1\n"                                                                \
            "1:\n" SQUEEZE_HUFFMAN_PEEK SQUEEZE_HUFFMAN_GAP SQUEEZE_GAPS_ENTRY(raw)                 \
            SQUEEZE_HUFFMAN_PEEK SQUEEZE_HUFFMAN_GAP SQUEEZE_GAPS_ENTRY(raw)                        \
            "b.n 1b\n"                                                                          \
            "2:\n" SQUEEZE_HUFFMAN_PEEK SQUEEZE_GAPS_ENTRY(raw)                                   \
            "b.n 1b\n" SQUEEZE_HUFFMAN_GAPS_SPECIAL "asr.w lr, lr, #8\n" SQUEEZE_HUFFMAN_LEAVE);                         \
  }

// The next weight and where it goes; Z if it was this input channel's last. r9 offsets of its taps, r11 those of
// the last one, r12 2^31. Its two loads follow each other, and neither waits for its address.
#define SQUEEZE_MASKS_ENTRY(raw, skip)                             \
  "ubfx r4, r0, #" #raw ", #8\n"                                   \
  "clz r7, r8\n"                                                   \
  "ldrsh.w r4, [r3, r4, lsl #1]\n"                                 \
  "ldrh.w r5, [r9, r7, lsl #1]\n"                                  \
  "lsr.w r7, r12, r7\n"                                            \
  "uxtab r1, r1, r4\n" SQUEEZE_HUFFMAN_RAW_##raw skip              \
  "bic.w r4, r4, #0xFF\n"                                          \
  "str.w r5, [r6, #4]\n"                                           \
  "bics.w r8, r8, r7\n"                                            \
  "add.w lr, lr, r4\n"                                             \
  "lsl.w r4, r4, #1\n"                                             \
  "str.w r4, [r6], #8\n"
#define SQUEEZE_LIST_MASKS(name, raw)                                                           \
  __attribute__((naked, noinline)) SparseListEntry* name([[maybe_unused]] HuffmanRun* run,              \
                                                   [[maybe_unused]] SparseListEntry* list,            \
                                                   [[maybe_unused]] const uint16_t* table) {    \
    __asm__("push {r0, r4-r11, lr}\n"                                                           \
            "mov r6, r1\n"                                                                      \
            "sub.w r9, r2, #18\n"                                                               \
            "ldr.w r11, [r0, #20]\n"                                                            \
            "add.w r11, r11, r11, lsl #3\n"                                                     \
            "add.w r11, r9, r11, lsl #1\n"                                                      \
            "ldr.w r10, [r0, #12]\n"                                                            \
            "ldm.w r0, {r1-r3}\n"                                                               \
            "mov.w r12, #0x80000000\n"                                                          \
            "mov.w lr, #0\n"                                                                    \
            "1:\n" SQUEEZE_HUFFMAN_PEEK SQUEEZE_HUFFMAN_MASK("add.w r9, r9, #18\n")              \
            SQUEEZE_MASKS_ENTRY(raw, "")                                                        \
            "beq.n 6f\n"                                                                        \
            "3:\n" SQUEEZE_HUFFMAN_PEEK SQUEEZE_MASKS_ENTRY(raw, SQUEEZE_HUFFMAN_SKIP)           \
            "beq.n 6f\n" SQUEEZE_MASKS_ENTRY(raw, "")                                           \
            "bne.w 3b\n"                                                                        \
            "6: cmp.w r9, r11\n"                                                                \
            "bne.w 1b\n"                                                                        \
            "asr.w lr, lr, #8\n" SQUEEZE_HUFFMAN_LEAVE SQUEEZE_HUFFMAN_MASK_LONG);                          \
  }
// clang-format on

// Weights of 6 to 8 bits; those of 5 go the plain way.
SQUEEZE_LIST_GAPS(ListGaps1, 1)
SQUEEZE_LIST_GAPS(ListGaps2, 2)
SQUEEZE_LIST_GAPS(ListGaps3, 3)
SQUEEZE_LIST_MASKS(ListMasks1, 1)
SQUEEZE_LIST_MASKS(ListMasks2, 2)
SQUEEZE_LIST_MASKS(ListMasks3, 3)

GapsLoop* const kListGaps[] = {ListGaps1, ListGaps2, ListGaps3};
MasksLoop* const kListMasks[] = {ListMasks1, ListMasks2, ListMasks3};

#endif

}  // namespace

SparseListEntry* HuffmanToSparseList(HuffmanMode mode, HuffmanRun* run, const uint16_t* table, uint32_t step,
                                     SparseListEntry* list) {
#if defined(__ARM_FEATURE_DSP)
  if (run->raw > 0) {
    if (mode == HuffmanMode::kMasks) return kListMasks[run->raw - 1](run, list, table);
    if (mode == HuffmanMode::kGaps && table == nullptr && run->at < run->taps) {
      return kListGaps[run->raw - 1](run, list, step);
    }
  }
#endif
  ListSink sink = {table, step, list};
  DecodeChannel(mode, run, &sink);
  return sink.list;
}

}  // namespace squeeze
