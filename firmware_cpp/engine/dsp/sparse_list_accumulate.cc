// The inner loop of ConvSparseListRows. Three words (six outputs) at a time: 5.5 instructions and 10.5 cycles
// an entry of the list, 1.75 a MAC, and 34 cycles more a block; what is left over, two words or one.
//
// r0 weight, r1 offset, r2 weight, r3 offset of two entries, r10 the words, r11 the list, r4-r9 accumulators;
// r1 or r3, r12 and lr words. Eight pairs of entries are unrolled; the first round is entered in the middle,
// all pairs having the same number of bytes. The end of the list has an offset that no address can have:
// adding it sets the carry.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/sparse_list.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// clang-format off
#define SQUEEZE_LIST_PAIR "ldmia.w r11!, {r0-r3}\n"
// Ways into the unrolled loop that ends at `label`: `first` pairs (r5 or r0) before it.
#define SQUEEZE_LIST_ENTRY(label, first, pair_bytes) \
  "adr.w r6, " label " + 1\n" /* Thumb bit */        \
  "movs r7, #" pair_bytes "\n"                       \
  "mls r6, " first ", r7, r6\n"
// Both addresses first: a load right behind the ADD that makes its address waits a cycle.
#define SQUEEZE_LIST_THREE      \
  "add.w r3, r10, r3, lsl #2\n" \
  "ldm.w r1, {r1, r12, lr}\n"   \
  "smlal r4, r5, r1, r0\n"      \
  "smlal r6, r7, r12, r0\n"     \
  "smlal r8, r9, lr, r0\n"      \
  "ldm.w r3, {r3, r12, lr}\n"   \
  "smlal r4, r5, r3, r2\n"      \
  "smlal r6, r7, r12, r2\n"     \
  "smlal r8, r9, lr, r2\n"
// r9: r10 + 4, so that words come without an ADD.
#define SQUEEZE_LIST_TWO           \
  "ldr.w r12, [r10, r1, lsl #2]\n" \
  "ldr.w lr, [r9, r1, lsl #2]\n"   \
  "smlal r4, r5, r12, r0\n"        \
  "smlal r6, r7, lr, r0\n"         \
  "ldr.w r12, [r10, r3, lsl #2]\n" \
  "ldr.w lr, [r9, r3, lsl #2]\n"   \
  "smlal r4, r5, r12, r2\n"        \
  "smlal r6, r7, lr, r2\n"
#define SQUEEZE_LIST_ONE           \
  "ldr.w r12, [r10, r1, lsl #2]\n" \
  "ldr.w lr, [r10, r3, lsl #2]\n"  \
  "smlal r4, r5, r12, r0\n"        \
  "smlal r4, r5, lr, r2\n"
#define SQUEEZE_LIST_LEAVE \
  "9: add sp, #52\n"       \
  "pop {r4-r11, pc}\n"
// clang-format on

// Stack: 0 what accumulators start at, three times; 24 list, 28 way into the threes, 32 end, 36 accumulators,
// 40 first, 44 left. Aligned: ADR counts from a multiple of 4.
__attribute__((naked, noinline, aligned(4))) void SparseListAccumulate(
    [[maybe_unused]] const SparseListRun* run) {
  __asm__(
      "push {r4-r11, lr}\n"
      "sub sp, #52\n"
      "ldm r0, {r1-r5, r8}\n"
      "mov r10, r2\n"
      "mov.w r6, #0x80000000\n"
      "movs r7, #0\n"
      "strd r6, r7, [sp]\n"
      "strd r6, r7, [sp, #8]\n"
      "strd r6, r7, [sp, #16]\n" SQUEEZE_LIST_ENTRY("3f", "r5", "44")
      "strd r1, r6, [sp, #24]\n"
      "strd r3, r4, [sp, #32]\n"
      "strd r5, r8, [sp, #40]\n"
      "cmp r3, r2\n"
      "beq.w 4f\n"

      "1: ldm sp, {r4-r9}\n"
      "ldr.w r11, [sp, #24]\n"
      "ldr.w pc, [sp, #28]\n" SQUEEZE_LIST_PAIR
      "add.w r1, r10, r1, lsl #2\n"
      "2:\n" SQUEEZE_LIST_THREE
      ".rept 7\n" SQUEEZE_LIST_PAIR
      "add.w r1, r10, r1, lsl #2\n" SQUEEZE_LIST_THREE
      ".endr\n"
      "3:\n" SQUEEZE_LIST_PAIR
      "adds.w r1, r10, r1, lsl #2\n"
      "bcc.w 2b\n"
      "ldrd r0, r1, [sp, #32]\n"
      "add.w r10, r10, #12\n"
      "stmia r1!, {r4-r9}\n"
      "str r1, [sp, #36]\n"
      "cmp r10, r0\n"
      "bne.w 1b\n"

      "4: ldrd r0, r1, [sp, #40]\n"
      "ldr.w r11, [sp, #24]\n"
      "add.w r9, r10, #4\n"
      "cmp r1, #1\n"
      "blt.w 9f\n"
      "beq.w 6f\n" SQUEEZE_LIST_ENTRY("3f", "r0", "36")
      "mov r12, r6\n"
      "ldm sp, {r4-r7}\n"
      "bx r12\n" SQUEEZE_LIST_PAIR
      "2:\n" SQUEEZE_LIST_TWO
      ".rept 7\n" SQUEEZE_LIST_PAIR SQUEEZE_LIST_TWO
      ".endr\n"
      "3:\n" SQUEEZE_LIST_PAIR
      "cmp.w r1, #0\n"
      "bge.w 2b\n"
      "ldr r0, [sp, #36]\n"
      "stmia r0!, {r4-r7}\n"
      "b.w 9f\n"

      "6:\n" SQUEEZE_LIST_ENTRY("3f", "r0", "20")
      "ldrd r4, r5, [sp]\n"
      "bx r6\n" SQUEEZE_LIST_PAIR
      "2:\n" SQUEEZE_LIST_ONE
      ".rept 7\n" SQUEEZE_LIST_PAIR SQUEEZE_LIST_ONE
      ".endr\n"
      "3:\n" SQUEEZE_LIST_PAIR
      "cmp.w r1, #0\n"
      "bge.w 2b\n"
      "ldr r0, [sp, #36]\n"
      "strd r4, r5, [r0]\n" SQUEEZE_LIST_LEAVE);
}

#else

void SparseListAccumulate(const SparseListRun* run) {
  LaneAccumulator* accumulators = run->accumulators;
  for (const uint32_t* base = run->base; base != run->end + run->left; ++base) {
    int64_t sum = kLaneStart;
    for (const SparseListEntry* entry = run->list; entry->word != kSparseListEnd; ++entry) {
      sum = Smlal(sum, static_cast<int32_t>(base[entry->word]), entry->weight);
    }
    const uint64_t bits = static_cast<uint64_t>(sum);
    *accumulators++ = {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)};
  }
}

#endif

void SparseListAccumulateWide(const SparseListEntry* list, uint32_t pairs, const uint32_t* base,
                              uint32_t words, LaneAccumulator* accumulators) {
  for (uint32_t i = 0; i < words; ++i) {
    uint32_t low_sum = 0, high_sum = 0;
    for (uint32_t k = 0; k < 2 * pairs; ++k) {
      const uint32_t word = base[list[k].word + i];
      const uint32_t low = static_cast<uint32_t>(int32_t{static_cast<int8_t>(word & 0xFF)});
      const uint32_t high = static_cast<uint32_t>(static_cast<int32_t>(word - low) >> kLaneBits);
      const uint32_t weight = static_cast<uint32_t>(list[k].weight / kLaneUnit);
      low_sum += weight * low;
      high_sum += weight * high;
    }
    accumulators[i] = {low_sum, high_sum};
  }
}

}  // namespace squeeze
