// The inner loop of ConvLanesRows: 13 instructions for 9 SMLAL, each up to 4 MACs, with tiles 6.
//
// r0-r2 weights of three units, r3 r12 lr inputs of one, r4-r9 accumulators, r10 weights, r11 inputs. Eight
// groups of three units are unrolled; the first round is entered in the middle, all groups having the same
// number of bytes.
#include "engine/dsp/intrinsics.h"
#include "engine/dsp/lanes.h"

namespace squeeze {

#if defined(__ARM_FEATURE_DSP)

// clang-format off
#define SQUEEZE_LANES_UNIT(weight)  \
  "ldmia.w r11!, {r3, r12, lr}\n"   \
  "smlal r4, r5, r3, " weight "\n"  \
  "smlal r6, r7, r12, " weight "\n" \
  "smlal r8, r9, lr, " weight "\n"
// clang-format on

// Stack: 0 where accumulators start, three times; 24 weights, 28 way into the loop, 32 weights' end, 36
// accumulators, 40 their end, 44 skip, 48 run. Aligned: ADR counts from a multiple of 4.
__attribute__((naked, noinline, aligned(4))) void LanesAccumulate([[maybe_unused]] const LanesRun* run) {
  __asm__(
      "push {r4-r11, lr}\n"
      "sub sp, #52\n"
      "str r0, [sp, #48]\n"
      "ldm r0, {r1-r9}\n"
      "mov r11, r2\n"
      "strd r8, r9, [sp]\n"
      "strd r8, r9, [sp, #8]\n"
      "strd r8, r9, [sp, #16]\n"
      "adr.w r0, 3f + 1\n"  // Thumb bit
      "movs r2, #52\n"
      "mls r0, r5, r2, r0\n"
      "strd r1, r0, [sp, #24]\n"
      "strd r6, r3, [sp, #32]\n"
      "strd r4, r7, [sp, #40]\n"
      "cmp r3, r4\n"
      "beq.w 4f\n"
      "1: ldm sp, {r4-r9}\n"
      "ldr.w r10, [sp, #24]\n"
      "ldr.w pc, [sp, #28]\n"
      "2:\n"
      ".rept 8\n"
      "ldmia.w r10!, {r0-r2}\n" SQUEEZE_LANES_UNIT("r0") SQUEEZE_LANES_UNIT("r1") SQUEEZE_LANES_UNIT("r2")
      ".endr\n"
      "3: ldrd r0, r1, [sp, #32]\n"
      "cmp r10, r0\n"
      "bne.w 2b\n"
      "ldrd r2, r3, [sp, #40]\n"
      "stmia r1!, {r4-r9}\n"
      "str r1, [sp, #36]\n"
      "add r11, r3\n"
      "cmp r1, r2\n"
      "bne.w 1b\n"
      "4: ldr.w r9, [sp, #48]\n"
      "ldr.w r11, [r9, #36]\n"
      "cmp r11, #0\n"
      "beq.n 6f\n"
      "ldr r7, [sp, #40]\n"
      "ldr r6, [sp, #32]\n"
      "ldr.w r10, [sp, #24]\n"
      "ldrd r4, r5, [sp]\n"
      "5: ldmia.w r10!, {r0-r2}\n"
      "ldmia.w r11!, {r3, r12, lr}\n"
      "smlal r4, r5, r3, r0\n"
      "smlal r4, r5, r12, r1\n"
      "smlal r4, r5, lr, r2\n"
      "cmp r10, r6\n"
      "bne.n 5b\n"
      "strd r4, r5, [r7]\n"
      "6: add sp, #52\n"
      "pop {r4-r11, pc}\n");
}

#else

namespace {

inline uint64_t Bits(const LanesAccumulator& sum) { return sum.bottom | (uint64_t{sum.top} << 32); }
inline LanesAccumulator SumOf(uint64_t bits) {
  return {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)};
}

void Tiles(const LanesRun& run, const uint32_t* inputs, uint32_t tiles, LanesAccumulator* accumulators) {
  for (uint32_t i = 0; i < tiles; ++i) {
    int64_t sum = static_cast<int64_t>(run.start_bottom | (uint64_t{run.start_top} << 32));
    const uint32_t* from = inputs + i;
    for (const uint32_t* weight = run.weights; weight != run.weights_end; ++weight, from += tiles) {
      sum = Smlal(sum, static_cast<int32_t>(*from), static_cast<int32_t>(*weight));
    }
    accumulators[i] = SumOf(static_cast<uint64_t>(sum));
  }
}

}  // namespace

void LanesAccumulate(const LanesRun* run) {
  const uint32_t* inputs = run->inputs;
  const int32_t step = 3 * static_cast<int32_t>(run->weights_end - run->weights) + run->skip / 4;
  for (LanesAccumulator* accumulators = run->accumulators; accumulators != run->accumulators_end;
       accumulators += 3, inputs += step)
    Tiles(*run, inputs, 3, accumulators);
  if (run->last != nullptr) Tiles(*run, run->last, 1, run->accumulators_end);
}

#endif

void LanesJoin(const LanesAccumulator* planes, uint32_t tiles, LanesAccumulator* accumulators) {
  const LanesAccumulator *m0 = planes, *m1 = planes + tiles, *m2 = planes + 2 * tiles,
                         *m3 = planes + 3 * tiles;
  for (uint32_t i = tiles; i > 0; --i) {
#if defined(__ARM_FEATURE_DSP)
    __asm__ volatile(
        "ldrd r0, r1, [%[m1]], #8\n"
        "ldrd r12, lr, [%[m2]], #8\n"
        "subs r2, r0, r12\n"
        "sbc r3, r1, lr\n"
        "adds r0, r0, r12\n"
        "adc r1, r1, lr\n"
        "asrs r3, r3, #1\n"
        "rrx r2, r2\n"
        "strd r2, r3, [%[accumulators], #8]\n"
        "asrs r1, r1, #1\n"
        "rrx r0, r0\n"
        "ldrd r2, r3, [%[m0]], #8\n"
        "ldrd r12, lr, [%[m3]], #8\n"
        "adds r2, r2, r0\n"
        "adc r3, r3, r1\n"
        "adds r12, r12, r0\n"
        "adc lr, lr, r1\n"
        "strd r12, lr, [%[accumulators], #16]\n"
        "strd r2, r3, [%[accumulators]], #24\n"
        : [m0] "+r"(m0), [m1] "+r"(m1), [m2] "+r"(m2), [m3] "+r"(m3), [accumulators] "+r"(accumulators)
        :
        : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");
#else
    const uint64_t a = Bits(*m0++), b = Bits(*m1++), c = Bits(*m2++), d = Bits(*m3++);
    const uint64_t half = static_cast<uint64_t>(static_cast<int64_t>(b + c) >> 1);
    *accumulators++ = SumOf(a + half);
    *accumulators++ = SumOf(static_cast<uint64_t>(static_cast<int64_t>(b - c) >> 1));
    *accumulators++ = SumOf(d + half);
#endif
  }
}

}  // namespace squeeze
