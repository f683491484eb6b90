// Exceptions and stray interrupts: say what happened over the UART, and restart.
#include <stdint.h>

#include "common/fault_record.h"
#include "common/fault_text.h"
#include "common/linker_symbols.h"
#include "riscv/csr.h"

namespace {

constexpr uint32_t kStoreAccessFault = 7;  // mcause (3.1.15); loads below the stack do not come first

board::Fault Take(uint32_t sp, uint32_t ra) {
  board::Fault fault = {};
  fault.flags = board::kFaultCpuRiscv | board::kFaultPcKnown;
  fault.exception = RISCV_READ_CSR(mcause);
  fault.pc = RISCV_READ_CSR(mepc);
  fault.lr = ra;
  fault.sp = sp;
  fault.status[0] = RISCV_READ_CSR(mtval);  // what could not be accessed, or the instruction
  const uint32_t limit = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(linker_stack_limit));
  const uint32_t below = limit - fault.status[0];
  if (fault.exception == kStoreAccessFault && below > 0 && below <= 4096) {
    fault.flags |= board::kFaultStackOverflow;
  }
  return fault;
}

}  // namespace

extern "C" {

[[noreturn]] __attribute__((used)) void ReportFault(uint32_t sp, uint32_t ra) {
  const board::Fault fault = Take(sp, ra);
  fault_text::Handle(fault, [&fault] { fault_text::Report(fault); });
}

// Starts at the top of the stack again: after an overflow there is nothing below.
__attribute__((naked, aligned(4))) void FaultHandler() {
  asm volatile(
      "mv a0, sp\n"
      "mv a1, ra\n"
      "la sp, linker_stack_top\n"
      "j ReportFault\n");
}

}  // extern "C"
