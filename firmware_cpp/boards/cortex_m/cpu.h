// The core, as common/ wants it of an architecture: interrupts, sleep, a cycle counter. riscv/cpu.h is its
// counterpart.
#ifndef FIRMWARE_CPP_BOARDS_CORTEX_M_CPU_H_
#define FIRMWARE_CPP_BOARDS_CORTEX_M_CPU_H_

#include <stdint.h>

#include "board_config.h"
#include "cortex_m/cortex_m.h"

namespace cpu {

using cortex_m::InterruptsOff;

inline void EnableInterrupts() { asm volatile("cpsie i" ::: "memory"); }

inline void EnableUartInterrupt() {
  cortex_m::Register(cortex_m::kNvicSetEnable + board::kUartInterrupt / 32 * 4) =
      1u << (board::kUartInterrupt % 32);
#ifdef BOARD_USB_VENDOR
  cortex_m::Register(cortex_m::kNvicSetEnable + board::kUsbInterrupt / 32 * 4) =
      1u << (board::kUsbInterrupt % 32);
#endif
}

// As if a byte had been received: the handler looks.
inline void RaiseUartInterrupt() {
  cortex_m::Register(cortex_m::kNvicSetPending + board::kUartInterrupt / 32 * 4) =
      1u << (board::kUartInterrupt % 32);
}

// With interrupts off: sleeps until one is pending. Its handler runs when they are on again (ARMv7-M
// reference manual, B1.5.19), so that none slips in between a look at its work and the sleep.
inline void Sleep() { asm volatile("dsb\n wfi" ::: "memory"); }

// An interrupt whose handler finds nothing to do, as a measure of what entry and exit cost; with `really`
// false the same instructions without an interrupt.
inline void ProbeInterrupt(bool really) {
  cortex_m::Register(cortex_m::kNvicSetPending + board::kUartInterrupt / 32 * 4) =
      really ? 1u << (board::kUartInterrupt % 32) : 0;
  asm volatile("dsb\n isb" ::: "memory");
}

// Of the whole chip. Returns where the chip takes no such request.
inline void SystemReset() {
  asm volatile("dsb" ::: "memory");
  cortex_m::Register(cortex_m::kAircr) = cortex_m::kAircrSystemReset;
  asm volatile("dsb" ::: "memory");
}

// 2 * iterations + 1 instructions.
void Spin(uint32_t iterations);

// Writes one word `bytes` below the stack pointer.
void UseStack(uint32_t bytes);

inline void UndefinedInstruction() { asm volatile("udf #0"); }

// Cycles, modulo kCycleCountMask + 1. ARMv6-M and the baseline of v8-M have no CYCCNT: SysTick stands in.
// CycleCountWrapped() tells whether it wrapped since the call before, which had `last`; `now`: read just
// before, and again if a wrap may have come in between.
#if __ARM_ARCH_ISA_THUMB >= 2
constexpr uint32_t kCycleCountMask = ~0u;
inline uint32_t CycleCount() { return cortex_m::Register(cortex_m::kDwtCycleCount); }
inline bool CycleCountWrapped(uint32_t* now, uint32_t last) { return *now < last; }
#else
constexpr uint32_t kCycleCountMask = cortex_m::kSysTickMax;
inline uint32_t CycleCount() { return -cortex_m::Register(cortex_m::kSysTickValue) & cortex_m::kSysTickMax; }
// Its interrupt comes once a wrap, at about the same count each time: only the flag tells a whole wrap from
// none. It rises when the count becomes 0.
inline bool CycleCountWrapped(uint32_t* now, uint32_t /*last*/) {
  if ((cortex_m::Register(cortex_m::kSysTickCtrl) & cortex_m::kSysTickCountFlag) == 0) return false;
  *now = CycleCount();
  return true;
}
#endif

// True if it counts; in QEMU CYCCNT stands still.
bool StartCycleCounter();

// From then on SysTick calls common/counter.cc's WrapBody() once in 2^24 cycles, before any counter has
// wrapped twice.
void StartWrapTimer();

}  // namespace cpu

#endif  // FIRMWARE_CPP_BOARDS_CORTEX_M_CPU_H_
