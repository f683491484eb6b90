// Faults and stray interrupts: say what happened over the UART, and restart.
#include <stddef.h>
#include <stdint.h>

#include "common/fault_record.h"
#include "common/fault_text.h"
#include "common/linker_symbols.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/handlers.h"

namespace {

using cortex_m::Register;

// What the core pushed on entry: r0-r3, r12, lr, pc, xpsr (ARMv7-M reference manual B1.5.6).
struct ExceptionFrame {
  uint32_t r[4];
  uint32_t r12;
  uint32_t lr;
  uint32_t pc;
  uint32_t xpsr;
};

// After an overflow: the lowest word of the stack that may be a return address, of the function that called
// last or near it. 0: none looks like one.
uint32_t LowestReturnAddress() {
  const auto address = [](const void* at) { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(at)); };
  const uint32_t code = address(linker_code_start);
  const uint32_t bytes = address(linker_code_end) - code;
  for (uint32_t i = board::kKeptBytes / 4; i < 128; ++i) {
    const uint32_t word = linker_stack_limit[i];
    if ((word & 1) != 0 && word - code < bytes) return word;
  }
  return 0;
}

board::Fault Take(uint32_t exception, const ExceptionFrame* frame) {
  board::Fault fault = {};
  const uintptr_t address = reinterpret_cast<uintptr_t>(frame);
  fault.exception = exception;
  fault.sp = static_cast<uint32_t>(address);
#if __ARM_ARCH_ISA_THUMB >= 2
  fault.flags = board::kFaultCpuV7m;
  fault.status[0] = Register(cortex_m::kCfsr);
  fault.status[1] = Register(cortex_m::kHfsr);
  fault.status[2] = Register(cortex_m::kMmfar);
  fault.status[3] = Register(cortex_m::kBfar);
#else
  fault.flags = board::kFaultCpuV6m;
#endif
  // At or below the limit nothing was pushed, or into nowhere.
  const bool pushed = address > reinterpret_cast<uintptr_t>(linker_stack_limit);
  if (!pushed || (fault.status[0] & cortex_m::kCfsrStack) != 0) fault.flags |= board::kFaultStackOverflow;
  if (pushed) {
    fault.flags |= board::kFaultPcKnown;
    fault.pc = frame->pc;
    fault.lr = frame->lr;
  } else if (const uint32_t found = LowestReturnAddress(); found != 0) {
    fault.flags |= board::kFaultLrFound;
    fault.lr = found;
  }
  return fault;
}

}  // namespace

extern "C" {

[[noreturn]] __attribute__((used)) void ReportFault(uint32_t exception, const ExceptionFrame* frame) {
  const board::Fault fault = Take(exception, frame);
  fault_text::Handle(fault, [&fault] { fault_text::OnEachPort([&fault] { fault_text::Report(fault); }); });
}

// Goes on below the frame, which it is to report. After an overflow there is nothing below: then from the
// top, which is far from a frame near the limit.
__attribute__((naked)) void FaultHandler() {
  asm volatile(
      "cpsid i\n"
      "mrs r0, ipsr\n"
      "mrs r1, msp\n"
      "ldr r2, =linker_stack_limit + 640\n"  // more than the report takes, and what is kept
      "cmp r1, r2\n"
      "bhi 1f\n"
      "ldr r2, =linker_stack_top\n"
      "mov sp, r2\n"
      "1:\n"
      "bl ReportFault\n"  // not b: on ARMv6-M that reaches 2 KB
      ".ltorg\n");
}

}  // extern "C"
