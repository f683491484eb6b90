// Exceptions and stray interrupts: say what happened over the UART, and again to whoever asks.
#include <stdint.h>

#include "common/fault_text.h"
#include "common/hooks.h"
#include "common/linker_symbols.h"
#include "riscv/csr.h"

namespace {

constexpr uint32_t kStoreAccessFault = 7;  // mcause (3.1.15); loads below the stack do not come first

struct Cause {
  uint32_t exception;
  uint32_t pc;
  uint32_t address;  // mtval: what could not be accessed, or the instruction
  uint32_t sp;
};

void Report(const Cause& cause) {
  const uint32_t limit = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(linker_stack_limit));
  fault_text::Begin(cause.exception);
  if (cause.exception == kStoreAccessFault && cause.address < limit && limit - cause.address <= 4096) {
    fault_text::Print(" stack overflow");
  }
  fault_text::Print(" pc=", cause.pc);
  fault_text::Print(" sp=", cause.sp);
  fault_text::Print(" mtval=", cause.address);
  fault_text::End();
}

}  // namespace

extern "C" {

[[noreturn]] __attribute__((used)) void ReportFault(uint32_t sp) {
  const Cause cause = {RISCV_READ_CSR(mcause), RISCV_READ_CSR(mepc), RISCV_READ_CSR(mtval), sp};
  for (;;) {
    Report(cause);
    fault_text::WaitForBytes();
  }
}

// Starts at the top of the stack again: after an overflow there is nothing below.
__attribute__((naked, aligned(4))) void FaultHandler() {
  asm volatile(
      "mv a0, sp\n"
      "la sp, linker_stack_top\n"
      "j ReportFault\n");
}

}  // extern "C"
