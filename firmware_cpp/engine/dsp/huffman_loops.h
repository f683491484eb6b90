// What the decoder's loops in assembler have in common.
//
// r0 bits of the stream from the next one on, r1 its position, r2 the stream, r3 the table of values, r4 an
// entry, then a weight times 2^8, r7 passing. Instructions: 4 for at least 25 bits, enough for a gap or mask
// and a weight, or for two weights; 4 or 5 a weight, and one where more bits of the same are wanted.
#ifndef SQUEEZE_ENGINE_DSP_HUFFMAN_LOOPS_H_
#define SQUEEZE_ENGINE_DSP_HUFFMAN_LOOPS_H_

#include "engine/huffman.h"
#include "engine/struct_offset.h"

namespace squeeze {

SQUEEZE_OFFSET(HuffmanRun, position, 0);
SQUEEZE_OFFSET(HuffmanRun, bits, 4);
SQUEEZE_OFFSET(HuffmanRun, values, 8);
SQUEEZE_OFFSET(HuffmanRun, positions, 12);
SQUEEZE_OFFSET(HuffmanRun, taps, 16);
SQUEEZE_OFFSET(HuffmanRun, in_channels, 20);
SQUEEZE_OFFSET(HuffmanRun, at, 24);
SQUEEZE_OFFSET(HuffmanRun, pending, 28);
SQUEEZE_OFFSET(HuffmanRun, sum, 32);
SQUEEZE_OFFSET(HuffmanRun, raw, 36);

// What else the loops have as literals.
static_assert(kHuffmanShortBits == 8 && kHuffmanUnit == 1 << 8, "UBFX and LDRSH of a value, ASR of a weight");
static_assert(kHuffmanGaps == 16, "what a gap without a weight adds");
static_assert(kHuffmanQuickBits == 9 && kMaskLong == 1 << 9 && kQuickEntries * sizeof(uint16_t) == 1024,
              "UBFX of a mask, the carry of LSLS, LDRH of a long one");
static_assert(kHuffmanTaps == 9, "MLA and ADD of an input channel's taps");

}  // namespace squeeze

// clang-format off
#define SQUEEZE_HUFFMAN_PEEK  \
  "lsr.w r7, r1, #3\n"      \
  "and.w r4, r1, #7\n" /* the load would wait for its address */ \
  "ldr.w r0, [r2, r7]\n"    \
  "lsr.w r0, r0, r4\n"
// The entry's low byte, the bits used, is what LSR and UXTAB see; it is still there.
#define SQUEEZE_HUFFMAN_VALUE(raw)    \
  "ubfx r7, r0, #" #raw ", #8\n"    \
  "ldrsh.w r4, [r3, r7, lsl #1]\n"  \
  "uxtab r1, r1, r4\n" SQUEEZE_HUFFMAN_RAW_##raw
#define SQUEEZE_HUFFMAN_RAW_0 ""
#define SQUEEZE_HUFFMAN_RAW_1 "bfi r4, r0, #8, #1\n"
#define SQUEEZE_HUFFMAN_RAW_2 "bfi r4, r0, #8, #2\n"
#define SQUEEZE_HUFFMAN_RAW_3 "bfi r4, r0, #8, #3\n"
#define SQUEEZE_HUFFMAN_SKIP "lsr.w r0, r0, r4\n"
// The same for any number of bits that are not coded: it is in `count`, their mask in r10. Two instructions more.
#define SQUEEZE_HUFFMAN_VALUE_ANY(count)  \
  "lsr.w r7, r0, " count "\n"           \
  "uxtb.w r7, r7\n"                     \
  "ldrsh.w r4, [r3, r7, lsl #1]\n"      \
  "and.w r7, r0, r10\n"                 \
  "uxtab r1, r1, r4\n"                  \
  "orr.w r4, r4, r7, lsl #8\n"
#define SQUEEZE_HUFFMAN_ANY_ENTER(count)  \
  "ldr.w " count ", [r0, #36]\n"        \
  "mov.w r10, #1\n"                     \
  "lsl.w r10, r10, " count "\n"         \
  "sub.w r10, r10, #1\n"

// A gap, from bits just peeked: r8 where the last weight stands, less the channel's taps, from there to the
// next one's; r9 gaps, r12 the entry. To 3 where that is the end or tells no weight: both set the carry, as
// r8 is negative.
#define SQUEEZE_HUFFMAN_GAP           \
  "uxtb.w r7, r0\n"                 \
  "ldrsh.w r12, [r9, r7, lsl #1]\n" \
  "uxtab r1, r1, r12\n"             \
  "adds.w r8, r8, r12, asr #8\n"    \
  "bcs.w 3f\n"                      \
  "lsr.w r0, r0, r12\n"

// From a function's arguments: r0 the run, which stays on the stack, r6 and r10 the others. r8 as above, but
// of the next weight; r4 whether it is known that it stands there; r11 taps, lr 0.
#define SQUEEZE_HUFFMAN_GAPS_ENTER \
  "push {r0, r4-r11, lr}\n"      \
  "mov r6, r1\n"                 \
  "mov r10, r2\n"                \
  "ldr.w r11, [r0, #16]\n"       \
  "ldrd r8, r4, [r0, #24]\n"     \
  "sub.w r8, r8, r11\n"          \
  "ldr.w r9, [r0, #12]\n"        \
  "ldm.w r0, {r1-r3}\n"          \
  "mov.w lr, #0\n"

// Label 3: 15 zeros, and on at 1; or the end. r1 to r8 as they are then.
#define SQUEEZE_HUFFMAN_GAPS_SPECIAL                        \
  "3: cmp.w r12, #0\n"                                    \
  "ite ge\n"                                              \
  "movge.w r12, #1\n" /* the next channel's weight */     \
  "addlt.w r8, r8, #16\n" /* what the entry took, too */  \
  "bge.n 4f\n"                                            \
  "cmn.w r8, #1\n"                                        \
  "blt.w 1b\n"                                            \
  "add.w r8, r8, #1\n"                                    \
  "mov.w r12, #0\n"                                       \
  "4: ldr.w r7, [sp]\n"                                   \
  "strd r8, r12, [r7, #24]\n"

// A mask to r8, its first tap the highest bit, and the bits behind it. r10 masks; to 6 if it is 0. `meanwhile`: any
// instruction, while the load waits for its address.
#define SQUEEZE_HUFFMAN_MASK(meanwhile)                   \
  "ubfx r7, r0, #0, #9\n" meanwhile                     \
  "ldrh.w r4, [r10, r7, lsl #1]\n"                      \
  "lsls.w r8, r4, #23\n"                                \
  "bcs.w 5f\n" /* kMaskLong */                          \
  "2: lsr.w r4, r4, #10\n"                              \
  "add.w r1, r1, r4\n"                                  \
  "beq.w 6f\n"                                          \
  "lsr.w r0, r0, r4\n"
// Label 5: half the index of what follows 9 bits is in r8, from bit 23 on.
#define SQUEEZE_HUFFMAN_MASK_LONG                         \
  "5: lsr.w r5, r4, #10\n"                              \
  "and.w r5, r5, r0, lsr #9\n"                          \
  "add.w r5, r5, r8, lsr #22\n"                         \
  "add.w r5, r10, r5, lsl #1\n"                         \
  "ldrh.w r4, [r5, #1024]\n"                            \
  "lsls.w r8, r4, #23\n"                                \
  "b.w 2b\n"
// The next tap to r7, and r8 without it; Z if it was the last. r12: 2^31.
#define SQUEEZE_HUFFMAN_TAP(where)                        \
  "clz r7, r8\n" where                                  \
  "lsr.w r7, r12, r7\n"                                 \
  "bics.w r8, r8, r7\n"

// The position and the sum of weights, lr, to the run.
#define SQUEEZE_HUFFMAN_LEAVE                             \
  "ldr.w r7, [sp]\n"                                    \
  "str.w r1, [r7]\n"                                    \
  "str.w lr, [r7, #32]\n"                               \
  "mov r0, r6\n"                                        \
  "add.w sp, sp, #4\n"                                  \
  "pop.w {r4-r11, pc}\n"
// clang-format on

#endif  // SQUEEZE_ENGINE_DSP_HUFFMAN_LOOPS_H_
