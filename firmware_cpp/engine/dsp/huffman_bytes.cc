// Instructions a weight, all included: 9 where all are stored, 18 by gaps; by masks 12.5 and, an input
// channel, 19 and 2 for each of its weights but the first. Registers: huffman_loops.h; here r6 bytes, lr the
// sum of weights.
#include "engine/huffman_bytes.h"

#include "engine/dsp/huffman_loops.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

namespace {

using BytesLoop = void(HuffmanRun*, int8_t* to);

// clang-format off
#define SQUEEZE_BYTES_FUNCTION(name)                                                            \
  __attribute__((naked, noinline)) void name([[maybe_unused]] HuffmanRun* run, [[maybe_unused]] int8_t* to)

// From the last weight to the first. Each is stored with the byte before it, the number of its bits, which the
// next one overwrites. lr has these numbers, too: as many as r1 has moved from r8. r5: the last four to one
// weights.
#define SQUEEZE_ALL_BYTE(value, skip)   \
  value skip                            \
  "strh.w r4, [r6, #-1]!\n"             \
  "add.w lr, lr, r4\n"
#define SQUEEZE_ALL_TWO(value) \
  SQUEEZE_HUFFMAN_PEEK SQUEEZE_ALL_BYTE(value, SQUEEZE_HUFFMAN_SKIP) SQUEEZE_ALL_BYTE(value, "")
#define SQUEEZE_BYTES_ALL(name, enter, value)                                                   \
  SQUEEZE_BYTES_FUNCTION(name) {                                                                \
    __asm__("push {r0, r4-r11, lr}\n"                                                           \
            "mov r12, r1\n"                                                                     \
            "ldr.w r6, [r0, #16]\n"                                                             \
            "sub.w r6, r6, #1\n"                                                                \
            "and.w r5, r6, #3\n"                                                                \
            "add.w r5, r5, r12\n"                                                               \
            "add.w r6, r6, r12\n"                                                               \
            "ldm.w r0, {r1-r3}\n"                                                               \
            "mov r8, r1\n"                                                                      \
            "mov.w lr, #0\n" enter                                                              \
            "cmp r6, r5\n"                                                                      \
            "beq.n 2f\n"                                                                        \
            "1:\n" SQUEEZE_ALL_TWO(value) SQUEEZE_ALL_TWO(value)                                \
            "cmp r6, r5\n"                                                                      \
            "bne.n 1b\n"                                                                        \
            "2:\n" SQUEEZE_HUFFMAN_PEEK value                                                   \
            "lsr.w r7, r4, #8\n"                                                                \
            "strb.w r7, [r6], #-1\n"                                                            \
            "add.w lr, lr, r4\n"                                                                \
            "cmp r6, r12\n"                                                                     \
            "bhs.n 2b\n"                                                                        \
            "sub.w r7, r1, r8\n"                                                                \
            "sub.w lr, lr, r7\n"                                                                \
            "asr.w lr, lr, #8\n" SQUEEZE_HUFFMAN_LEAVE);                                          \
  }

// r11 the bytes' end.
#define SQUEEZE_GAPS_BYTE(value)   \
  value                            \
  "asr.w r4, r4, #8\n"             \
  "add.w lr, lr, r4\n"             \
  "strb.w r4, [r11, r8]\n"
#define SQUEEZE_BYTES_GAPS(name, enter, value)                                                  \
  SQUEEZE_BYTES_FUNCTION(name) {                                                                \
    __asm__(SQUEEZE_HUFFMAN_GAPS_ENTER enter                                                      \
            "add.w r11, r11, r6\n"                                                              \
            "cmp.w r4, #0\n"                                                                    \
            "bne.n 2f\n"                                                                        \
            "sub.w r8, r8, #1\n"                                                                \
            "1:\n" SQUEEZE_HUFFMAN_PEEK SQUEEZE_HUFFMAN_GAP SQUEEZE_GAPS_BYTE(value)                  \
            SQUEEZE_HUFFMAN_PEEK SQUEEZE_HUFFMAN_GAP SQUEEZE_GAPS_BYTE(value)                         \
            "b.n 1b\n"                                                                          \
            "2:\n" SQUEEZE_HUFFMAN_PEEK SQUEEZE_GAPS_BYTE(value)                                    \
            "b.n 1b\n" SQUEEZE_HUFFMAN_GAPS_SPECIAL SQUEEZE_HUFFMAN_LEAVE);                         \
  }

// r9 the input channel, r11 how many there are.
#define SQUEEZE_MASKS_BYTE                                         \
  "asr.w r4, r4, #8\n"                                             \
  "add.w lr, lr, r4\n"                                             \
  SQUEEZE_HUFFMAN_TAP("mla r5, r7, r11, r9\n")                       \
  "strb.w r4, [r6, r5]\n"
#define SQUEEZE_BYTES_MASKS(name, raw)                                                          \
  SQUEEZE_BYTES_FUNCTION(name) {                                                                \
    __asm__("push {r0, r4-r11, lr}\n"                                                           \
            "mov r6, r1\n"                                                                      \
            "mov.w r9, #0\n"                                                                    \
            "ldr.w r11, [r0, #20]\n"                                                            \
            "ldr.w r10, [r0, #12]\n"                                                            \
            "ldm.w r0, {r1-r3}\n"                                                               \
            "mov.w r12, #0x80000000\n"                                                          \
            "mov.w lr, #0\n"                                                                    \
            "1:\n" SQUEEZE_HUFFMAN_PEEK SQUEEZE_HUFFMAN_MASK("")                                        \
            SQUEEZE_HUFFMAN_VALUE(raw) SQUEEZE_MASKS_BYTE                                         \
            "beq.n 6f\n"                                                                        \
            "3:\n" SQUEEZE_HUFFMAN_PEEK SQUEEZE_HUFFMAN_VALUE(raw) SQUEEZE_HUFFMAN_SKIP               \
            SQUEEZE_MASKS_BYTE                                                                  \
            "beq.n 6f\n" SQUEEZE_HUFFMAN_VALUE(raw) SQUEEZE_MASKS_BYTE                            \
            "bne.w 3b\n"                                                                        \
            "6: add.w r9, r9, #1\n"                                                             \
            "cmp.w r9, r11\n"                                                                   \
            "bne.w 1b\n" SQUEEZE_HUFFMAN_LEAVE SQUEEZE_HUFFMAN_MASK_LONG);                          \
  }
// clang-format on

// Weights of 8 bits, and those of fewer: a loop for each number of bits would take 1 KB more.
SQUEEZE_BYTES_ALL(BytesAll3, "", SQUEEZE_HUFFMAN_VALUE(3))
SQUEEZE_BYTES_ALL(BytesAll, SQUEEZE_HUFFMAN_ANY_ENTER("r9"), SQUEEZE_HUFFMAN_VALUE_ANY("r9"))
SQUEEZE_BYTES_GAPS(BytesGaps3, "", SQUEEZE_HUFFMAN_VALUE(3))
SQUEEZE_BYTES_GAPS(BytesGaps, SQUEEZE_HUFFMAN_ANY_ENTER("r5"), SQUEEZE_HUFFMAN_VALUE_ANY("r5"))
SQUEEZE_BYTES_MASKS(BytesMasks0, 0)
SQUEEZE_BYTES_MASKS(BytesMasks1, 1)
SQUEEZE_BYTES_MASKS(BytesMasks2, 2)
SQUEEZE_BYTES_MASKS(BytesMasks3, 3)

BytesLoop* const kLoops[][4] = {{BytesAll, BytesAll, BytesAll, BytesAll3},
                                {BytesGaps, BytesGaps, BytesGaps, BytesGaps3},
                                {BytesMasks0, BytesMasks1, BytesMasks2, BytesMasks3}};

}  // namespace

void HuffmanToBytes(HuffmanMode mode, HuffmanRun* run, int8_t* to) {
  if (mode == HuffmanMode::kGaps && run->at >= run->taps) {
    run->at -= run->taps;
    return;
  }
  kLoops[static_cast<uint32_t>(mode)][run->raw](run, to);
}

#else

void HuffmanToBytes(HuffmanMode mode, HuffmanRun* run, int8_t* to) { DecodeToBytes(mode, run, to); }

#endif

}  // namespace squeeze
