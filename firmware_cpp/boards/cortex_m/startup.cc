// From reset to main(): stack painted, coprocessors on, memory as C++ expects it.
#include <stdint.h>

#include "board_config.h"
#include "common/fault_record.h"
#include "common/linker_symbols.h"
#include "common/memory.h"
#include "common/stack.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/handlers.h"

extern "C" {

// Naked, because the compiler may use the FPU or MVE in any other function, and both are off at reset: CPACR
// gives full access to CP10 and CP11 (DDI 0403E B3.2.20). The paint goes on here, where the stack is empty.
// The stack pointer, CONTROL and VTOR are set for those that come by a boot loader and not from reset: an
// operating system in it may have left the core on the process stack.
__attribute__((naked, noreturn)) void ResetHandler() {
  asm volatile(
      "cpsid i\n"
#if __ARM_ARCH_ISA_THUMB >= 2
      "ldr r0, =%c[cpacr]\n"
      "ldr r1, [r0]\n"
      "orr r1, r1, #0x00F00000\n"
      "str r1, [r0]\n"
      "dsb\n"
      "isb\n"
#endif
      "ldr r0, =%c[vtor]\n"
      "ldr r1, =vector_table\n"
      "str r1, [r0]\n"
      "movs r0, #0\n"
      "msr control, r0\n"
      "isb\n"
      "ldr r0, =linker_stack_limit + %c[kept]\n"
      "ldr r1, =linker_stack_top\n"
      "mov sp, r1\n"
      "ldr r2, =%c[paint]\n"
      "1: stmia r0!, {r2}\n"
      "cmp r0, r1\n"
      "blo 1b\n"
      "bl StartProgram\n"
      ".ltorg\n" ::[cpacr] "i"(cortex_m::kCpacr),
      [vtor] "i"(cortex_m::kVtor), [paint] "i"(board::kStackPaint), [kept] "i"(board::kKeptBytes));
}

// As from reset, whatever a boot loader has left on: an interrupt that nobody asked for is a fault.
void SilenceInterrupts() {
  using cortex_m::Register;
  for (uint32_t word = 0; word < (board::kInterrupts + 31) / 32; ++word) {
    Register(cortex_m::kNvicClearEnable + word * 4) = ~0u;
    Register(cortex_m::kNvicClearPending + word * 4) = ~0u;
  }
  Register(cortex_m::kSysTickCtrl) = 0;
  Register(cortex_m::kIcsr) = cortex_m::kIcsrClearSysTick | cortex_m::kIcsrClearPendSv;
}

// A stack that grows beyond its reserve faults at once, before it overwrites anything.
void GuardStack() {
#if __ARM_ARCH >= 8
  asm volatile("msr msplim, %0" ::"r"(linker_stack_limit));
#else
  // No access to the 4 KB below the stack, which is first in its memory.
  constexpr uint32_t kGuardBytes = 4096;
  const uint32_t guard = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(linker_stack_limit)) - kGuardBytes;
  cortex_m::Register(cortex_m::kMpuCtrl) = 0;
  const uint32_t regions = cortex_m::Register(cortex_m::kMpuType) >> 8 & 0xFF;
  for (uint32_t region = 1; region < regions; ++region) {  // a boot loader's
    cortex_m::Register(cortex_m::kMpuRnr) = region;
    cortex_m::Register(cortex_m::kMpuRasr) = 0;
  }
  cortex_m::Register(cortex_m::kMpuRbar) = guard | cortex_m::kMpuRbarValid;
  cortex_m::Register(cortex_m::kMpuRasr) = cortex_m::kMpuRasr4K | cortex_m::kMpuRasrEnable;
  cortex_m::Register(cortex_m::kMpuCtrl) = cortex_m::kMpuCtrlEnable | cortex_m::kMpuCtrlDefaultMap;
  asm volatile("dsb\n isb" ::: "memory");
#endif
}

[[noreturn]] void StartProgram();

__attribute__((used)) void StartProgram() {
  SilenceInterrupts();
  GuardStack();
  board::MemoryInit();
  main();
  for (;;) asm volatile("wfi");
}

}  // extern "C"
