#include "bench/scribbler.h"

#include <string.h>

#include "board_config.h"
#include "cortex_m/cortex_m.h"

extern "C" const uint32_t vector_table[];

namespace bench {
namespace {

using cortex_m::Register;

constexpr uint32_t kVectors = 16 + board::kInterrupts;
constexpr uint32_t kSysTickVector = 15;
// VTOR wants the table on a multiple of its size, rounded up to a power of two (DDI 0403E B3.2.5).
alignas(512) uint32_t g_vectors[kVectors];
static_assert(sizeof(g_vectors) <= 512);

volatile uint32_t g_ticks;

// In the timer's ticks, some 40 instructions each: primes, so that no loop keeps step with them.
constexpr uint8_t kPeriods[] = {13, 29, 17, 53, 19, 61, 23, 37};
// Without CYCCNT SysTick has been started with the core's clock (cpu.h).
constexpr uint32_t kPeriodScale = __ARM_ARCH_ISA_THUMB >= 2 ? 1 : 40;

void ScribbleOnRegisters(uint32_t word) {
  asm volatile(
      "mov r0, %0\n mov r1, %0\n mov r2, %0\n mov r3, %0\n mov r12, %0\n"
#if __ARM_FP
      "vmov s0, %0\n vmov s1, %0\n vmov s2, %0\n vmov s3, %0\n"
      "vmov s4, %0\n vmov s5, %0\n vmov s6, %0\n vmov s7, %0\n"
      "vmov s8, %0\n vmov s9, %0\n vmov s10, %0\n vmov s11, %0\n"
      "vmov s12, %0\n vmov s13, %0\n vmov s14, %0\n vmov s15, %0\n"
#endif
#if defined(__ARM_FEATURE_MVE)
      "vmsr p0, %0\n"
#endif
#if __ARM_ARCH_ISA_THUMB >= 2
      "msr APSR_nzcvqg, %0\n"
#else
      "msr APSR_nzcvq, %0\n"
#endif
      ::"r"(word)
      : "r0", "r1", "r2", "r3", "r12",
#if __ARM_FP
        "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15",
#endif
        "cc");
}

void TickHandler() {
  const uint32_t tick = g_ticks + 1;
  const uint32_t word = tick * 2654435761u;
  volatile uint32_t frame[64];
#pragma GCC unroll 64
  for (volatile uint32_t& place : frame) place = word;
  ScribbleOnRegisters(word);
  Register(cortex_m::kSysTickReload) = kPeriodScale * kPeriods[tick % sizeof(kPeriods)];
  g_ticks = tick;
}

}  // namespace

void StartScribbling() {
  const cortex_m::InterruptsOff off;
  memcpy(g_vectors, vector_table, sizeof(g_vectors));
  g_vectors[kSysTickVector] = reinterpret_cast<uint32_t>(TickHandler);
  Register(cortex_m::kVtor) = reinterpret_cast<uint32_t>(g_vectors);
  g_ticks = 0;
  Register(cortex_m::kSysTickReload) = kPeriodScale * kPeriods[0];
  Register(cortex_m::kSysTickValue) = 0;
}

uint32_t StopScribbling() {
  Register(cortex_m::kSysTickCtrl) = 0;
  return g_ticks;
}

}  // namespace bench
