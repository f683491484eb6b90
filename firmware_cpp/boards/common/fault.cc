// Faults and stray interrupts: say what happened over the UART, and again to whoever asks.
#include <stddef.h>
#include <stdint.h>

#include "common/cortex_m.h"
#include "common/handlers.h"
#include "common/hooks.h"
#include "common/linker_symbols.h"

namespace {

using cortex_m::Register;

void Print(const char* text) {
  for (; *text != '\0'; ++text) board::UartPut(static_cast<uint8_t>(*text));
}

void Print(const char* label, uint32_t value) {
  Print(label);
  for (int shift = 28; shift >= 0; shift -= 4) {
    board::UartPut(static_cast<uint8_t>("0123456789abcdef"[(value >> shift) & 0xF]));
  }
}

// What the core pushed on entry: r0-r3, r12, lr, pc, xpsr (ARMv7-M reference manual B1.5.6).
struct ExceptionFrame {
  uint32_t r[4];
  uint32_t r12;
  uint32_t lr;
  uint32_t pc;
  uint32_t xpsr;
};

// A zero byte ends whatever frame of the link was under way, so that the line stands alone.
void Report(uint32_t exception, const ExceptionFrame* frame) {
  board::UartPut(0);
  Print("\r\nFAULT exception=", exception);
  const uint32_t cfsr = Register(cortex_m::kCfsr);
  const uintptr_t address = reinterpret_cast<uintptr_t>(frame);
  // At or below the limit nothing was pushed, or into nowhere.
  const bool pushed = address > reinterpret_cast<uintptr_t>(linker_stack_limit);
  if (!pushed || (cfsr & cortex_m::kCfsrStack) != 0) Print(" stack overflow");
  if (pushed) {
    Print(" pc=", frame->pc);
    Print(" lr=", frame->lr);
  }
  Print(" sp=", static_cast<uint32_t>(address));
  Print(" cfsr=", cfsr);
  Print(" hfsr=", Register(cortex_m::kHfsr));
  Print(" mmfar=", Register(cortex_m::kMmfar));
  Print(" bfar=", Register(cortex_m::kBfar));
  Print("\r\n");
  board::UartPut(0);
}

}  // namespace

extern "C" {

[[noreturn]] __attribute__((used)) void ReportFault(uint32_t exception, const ExceptionFrame* frame) {
  Report(exception, frame);
  for (;;) {
    uint8_t byte;
    while (!board::UartPoll(&byte)) {
    }
    while (board::UartPoll(&byte)) {
    }
    Report(exception, frame);
  }
}

// Starts at the top of the stack again: after an overflow there is nothing below.
__attribute__((naked)) void FaultHandler() {
  asm volatile(
      "cpsid i\n"
      "mrs r0, ipsr\n"
      "mrs r1, msp\n"
      "ldr r2, =linker_stack_top\n"
      "mov sp, r2\n"
      "b ReportFault\n"
      ".ltorg\n");
}

}  // extern "C"
