// The core, as common/ wants it of an architecture: interrupts, sleep, a cycle counter. cortex_m/cpu.h is its
// counterpart. For a hart with a CLINT; a board's board_config.h gives kClint (its base) and
// kCyclesAreInstructions: of an emulator, whose mcycle is no cycle counter.
// riscv/plic.cc defines EnableUartInterrupt().
#ifndef FIRMWARE_CPP_BOARDS_RISCV_CPU_H_
#define FIRMWARE_CPP_BOARDS_RISCV_CPU_H_

#include <stdint.h>

#include "board_config.h"
#include "riscv/csr.h"

namespace cpu {

// Holds interrupts off while it lives. mstatus.MIE is bit 3.
class InterruptsOff {
 public:
  InterruptsOff() { asm volatile("csrrci %0, mstatus, 8" : "=r"(before_)::"memory"); }
  ~InterruptsOff() { asm volatile("csrs mstatus, %0" ::"r"(before_ & 8) : "memory"); }
  InterruptsOff(const InterruptsOff&) = delete;
  InterruptsOff& operator=(const InterruptsOff&) = delete;

 private:
  uint32_t before_;
};

inline void EnableInterrupts() { asm volatile("csrsi mstatus, 8" ::: "memory"); }

void EnableUartInterrupt();

// With interrupts off: sleeps until one is pending. Its handler runs when they are on again (3.3.3), so that
// none slips in between a look at its work and the sleep.
inline void Sleep() { asm volatile("fence\n wfi" ::: "memory"); }

// An interrupt whose handler finds nothing to do, as a measure of what entry and exit cost; with `really`
// false the same instructions without an interrupt.
inline void ProbeInterrupt(bool really) {
  riscv::Register(board::kClint + riscv::kClintSoftware) = really ? 1 : 0;
  asm volatile("fence" ::: "memory");
}

// The architecture has no request for it: a board that has one says so (BOARD_RESTART, common/hooks.h).
inline void SystemReset() {}

// 2 * iterations + 1 instructions.
void Spin(uint32_t iterations);

// Writes one word `bytes` below the stack pointer.
void UseStack(uint32_t bytes);

// All zeros: illegal by the definition of the instruction set (volume I, 1.5).
inline void UndefinedInstruction() { asm volatile(".half 0"); }

// Cycles, modulo kCycleCountMask + 1.
constexpr uint32_t kCycleCountMask = ~0u;
inline uint32_t CycleCount() { return RISCV_READ_CSR(mcycle); }
// Whether it wrapped since it was `last`; `now`: read just before.
inline bool CycleCountWrapped(uint32_t* now, uint32_t last) { return *now < last; }

// True if it counts.
bool StartCycleCounter();

// From then on the timer calls common/counter.cc's WrapBody() before any counter has wrapped twice.
void StartWrapTimer();

}  // namespace cpu

#endif  // FIRMWARE_CPP_BOARDS_RISCV_CPU_H_
