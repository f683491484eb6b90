// From reset to main(), and the trap table. Sources as in csr.h.
#include <stdint.h>

#include "common/fault_record.h"
#include "common/hooks.h"
#include "common/isr.h"
#include "common/linker_symbols.h"
#include "common/memory.h"
#include "common/stack.h"
#include "riscv/csr.h"
#include "riscv/traps.h"

int main();

extern "C" {

void ResetHandler();
void FaultHandler();
void SoftwareHandler();
void TimerHandler();
void ExternalHandler();

// A hart starts at the first byte of the image. Behind the jump lies the table for vectored interrupts: an
// instruction a cause, the first for all exceptions (3.1.7); 3, 7 and 11 are machine mode's interrupts.
__attribute__((naked, used, section(".vectors"))) void vector_table() {
  asm volatile(
      ".option push\n"
      ".option norvc\n"
      "j ResetHandler\n"
      ".balign 64\n"
      "trap_table:\n"
      "j FaultHandler\n"
      "j FaultHandler\n"
      "j FaultHandler\n"
      "j SoftwareHandler\n"
      "j FaultHandler\n"
      "j FaultHandler\n"
      "j FaultHandler\n"
      "j TimerHandler\n"
      "j FaultHandler\n"
      "j FaultHandler\n"
      "j FaultHandler\n"
      "j ExternalHandler\n"
      ".option pop\n");
}

__attribute__((interrupt("machine"))) void SoftwareHandler() { board::RunIsr(riscv::SoftwareBody); }
__attribute__((interrupt("machine"))) void TimerHandler() { board::RunIsr(riscv::TimerBody); }
__attribute__((interrupt("machine"))) void ExternalHandler() { board::RunIsr(riscv::ExternalBody); }

__attribute__((naked, noreturn)) void ResetHandler() {
  asm volatile(
      "csrw mie, zero\n"
      "csrci mstatus, 8\n"
      "la t0, trap_table\n"
      "ori t0, t0, 1\n"  // vectored
      "csrw mtvec, t0\n"
      "la t0, linker_stack_limit + %c[kept]\n"
      "la t1, linker_stack_top\n"
      "mv sp, t1\n"
      "li t2, %[paint]\n"
      "1: sw t2, 0(t0)\n"
      "addi t0, t0, 4\n"
      "bltu t0, t1, 1b\n"
      "call StartProgram\n" ::[paint] "i"(board::kStackPaint),
      [kept] "i"(board::kKeptBytes));
}

// A stack that grows beyond its reserve faults at once, before it overwrites anything: no access to the 4 KB
// below it. A region of 2^(n + 3) bytes has n ones at the end of its address in words (3.7.1).
void GuardStack() {
  constexpr uint32_t kGuardBytes = 4096;
  const uint32_t guard = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(linker_stack_limit)) - kGuardBytes;
  RISCV_WRITE_CSR(pmpaddr0, guard >> 2 | (kGuardBytes / 8 - 1));
  RISCV_WRITE_CSR(pmpcfg0, riscv::kPmpLocked | riscv::kPmpNaturallyAligned);
}

[[noreturn]] __attribute__((used)) void StartProgram() {
  GuardStack();
  board::MemoryInit();
  main();
  for (;;) asm volatile("wfi");
}

}  // extern "C"
