#include "cpu.h"

namespace cpu {

using cortex_m::Register;

__attribute__((naked, noinline)) void Spin(uint32_t /*iterations*/) {
  asm volatile(
      "1: subs r0, r0, #1\n"
      "bne 1b\n"
      "bx lr\n" ::
          : "r0", "cc");
}

// The moved stack pointer is what alloca would do, without a limit the compiler could see through.
__attribute__((naked, noinline)) void UseStack(uint32_t /*bytes*/) {
  asm volatile(
      "mov r1, sp\n"
      "movs r2, #7\n"
      "bics r0, r0, r2\n"
      "subs r2, r1, r0\n"
      "mov sp, r2\n"
      "str r0, [r2]\n"
      "mov sp, r1\n"
      "bx lr\n" ::
          : "r0", "r1", "r2");
}

bool StartCycleCounter() {
#if __ARM_ARCH_ISA_THUMB >= 2
  Register(cortex_m::kDemcr) = Register(cortex_m::kDemcr) | cortex_m::kDemcrTraceEnable;
  Register(cortex_m::kDwtLockAccess) = cortex_m::kDwtUnlock;
  Register(cortex_m::kDwtCtrl) = Register(cortex_m::kDwtCtrl) | cortex_m::kDwtCtrlCycleCounter;
#else
  Register(cortex_m::kSysTickReload) = cortex_m::kSysTickMax;
  Register(cortex_m::kSysTickValue) = 0;
  Register(cortex_m::kSysTickCtrl) = cortex_m::kSysTickEnable | cortex_m::kSysTickCoreClock;
#endif
  const uint32_t start = CycleCount();
  Spin(100);
  return CycleCount() != start;
}

void StartWrapTimer() {
#if __ARM_ARCH_ISA_THUMB >= 2
  Register(cortex_m::kSysTickReload) = cortex_m::kSysTickMax;
  Register(cortex_m::kSysTickValue) = 0;
#endif
  Register(cortex_m::kSysTickCtrl) =
      cortex_m::kSysTickEnable | cortex_m::kSysTickInterrupt | cortex_m::kSysTickCoreClock;
}

}  // namespace cpu
