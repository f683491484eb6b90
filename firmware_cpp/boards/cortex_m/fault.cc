// Faults and stray interrupts: say what happened over the UART, and again to whoever asks.
#include <stddef.h>
#include <stdint.h>

#include "common/fault_text.h"
#include "common/linker_symbols.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/handlers.h"

namespace {

using cortex_m::Register;

using fault_text::Print;

// What the core pushed on entry: r0-r3, r12, lr, pc, xpsr (ARMv7-M reference manual B1.5.6).
struct ExceptionFrame {
  uint32_t r[4];
  uint32_t r12;
  uint32_t lr;
  uint32_t pc;
  uint32_t xpsr;
};

void Report(uint32_t exception, const ExceptionFrame* frame) {
  fault_text::Begin(exception);
#if __ARM_ARCH_ISA_THUMB >= 2
  const uint32_t cfsr = Register(cortex_m::kCfsr);
#else
  constexpr uint32_t cfsr = 0;  // ARMv6-M tells no causes
#endif
  const uintptr_t address = reinterpret_cast<uintptr_t>(frame);
  // At or below the limit nothing was pushed, or into nowhere.
  const bool pushed = address > reinterpret_cast<uintptr_t>(linker_stack_limit);
  if (!pushed || (cfsr & cortex_m::kCfsrStack) != 0) Print(" stack overflow");
  if (pushed) {
    Print(" pc=", frame->pc);
    Print(" lr=", frame->lr);
  }
  Print(" sp=", static_cast<uint32_t>(address));
#if __ARM_ARCH_ISA_THUMB >= 2
  Print(" cfsr=", cfsr);
  Print(" hfsr=", Register(cortex_m::kHfsr));
  Print(" mmfar=", Register(cortex_m::kMmfar));
  Print(" bfar=", Register(cortex_m::kBfar));
#endif
  fault_text::End();
}

}  // namespace

extern "C" {

[[noreturn]] __attribute__((used)) void ReportFault(uint32_t exception, const ExceptionFrame* frame) {
  for (;;) {
    fault_text::OnEachPort([=] { Report(exception, frame); });
    fault_text::WaitForBytes();
  }
}

// Goes on below the frame, which it is to report. After an overflow there is nothing below: then from the
// top, which is far from a frame near the limit.
__attribute__((naked)) void FaultHandler() {
  asm volatile(
      "cpsid i\n"
      "mrs r0, ipsr\n"
      "mrs r1, msp\n"
      "ldr r2, =linker_stack_limit + 512\n"  // more than the report takes
      "cmp r1, r2\n"
      "bhi 1f\n"
      "ldr r2, =linker_stack_top\n"
      "mov sp, r2\n"
      "1:\n"
      "bl ReportFault\n"  // not b: on ARMv6-M that reaches 2 KB
      ".ltorg\n");
}

}  // extern "C"
