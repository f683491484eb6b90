// The second core: from its start on it waits for a function and its argument, runs it, says so, and waits.
#if SQUEEZE_CORES == 2
#include "second_core.h"

#include <stdint.h>

#include "common/linker_symbols.h"
#include "common/second_core_hooks.h"
#include "cortex_m/cortex_m.h"

namespace {

using cortex_m::Register;

// As much as the other core's, which has interrupts on it, too. sections.ld says where it lies.
constexpr uint32_t kStackBytes = 2048;
// ARMv6-M and v7-M have no limit of the stack pointer: nobody may touch the lowest bytes.
constexpr uint32_t kGuardBytes = 256;
constexpr uint32_t kMpuRasr256 = 7u << 1;  // 2^(7 + 1) bytes; access permission 0: none

alignas(kGuardBytes) __attribute__((section(".second_stack"))) uint32_t g_stack[kStackBytes / 4];

constexpr uint32_t kDone = 0;

uint32_t Word(uintptr_t value) { return static_cast<uint32_t>(value); }

void GuardStack() {
#if __ARM_ARCH >= 8
  asm volatile("msr msplim, %0" ::"r"(g_stack));
#else
  // This core's own MPU, in which nothing is set from its reset on.
  const uint32_t guard = Word(reinterpret_cast<uintptr_t>(g_stack));
  Register(cortex_m::kMpuRbar) = guard | cortex_m::kMpuRbarValid;
  Register(cortex_m::kMpuRasr) = kMpuRasr256 | cortex_m::kMpuRasrEnable;
  Register(cortex_m::kMpuCtrl) = cortex_m::kMpuCtrlEnable | cortex_m::kMpuCtrlDefaultMap;
  asm volatile("dsb\n isb" ::: "memory");
#endif
}

}  // namespace

extern "C" {

// What Entry() goes to; a name for the assembler.
[[noreturn]] __attribute__((used)) void SecondCoreMain() {
  GuardStack();
  for (;;) {
    const auto run = reinterpret_cast<void (*)(void*)>(uintptr_t{second_core::Receive()});
    void* half = reinterpret_cast<void*>(uintptr_t{second_core::Receive()});
    run(half);
    second_core::Send(kDone);
  }
}
}

namespace {

// Naked, because the compiler may use the FPU in any other function, and each core's own is off at its reset.
__attribute__((naked)) void Entry() {
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
      "bl SecondCoreMain\n"
      ".ltorg\n" ::[cpacr] "i"(cortex_m::kCpacr));
}

}  // namespace

namespace second_core {

// Its stack is painted since reset (common/memory.cc).
bool Launch() { return Hold() && Release(Entry, linker_second_stack_top); }

void Start(void* /*context*/, void (*run)(void* half), void* half) {
  Send(Word(reinterpret_cast<uintptr_t>(run)));
  Send(Word(reinterpret_cast<uintptr_t>(half)));
}

void Wait(void* /*context*/) { Receive(); }

}  // namespace second_core

#endif  // SQUEEZE_CORES == 2
