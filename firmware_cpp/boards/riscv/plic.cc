// External interrupts come through a platform-level interrupt controller. Source: RISC-V Platform-Level
// Interrupt Controller Specification 1.0, chapters 3 to 9: priorities, enables, threshold, claim and
// complete.
#include "board_config.h"
#include "common/isr.h"
#include "cpu.h"
#include "riscv/traps.h"

namespace {

using riscv::Register;

// Of context 0, which is machine mode of hart 0.
constexpr uint32_t kPriority = board::kPlic + 4 * board::kUartInterrupt;
constexpr uint32_t kEnable = board::kPlic + 0x2000 + board::kUartInterrupt / 32 * 4;
constexpr uint32_t kThreshold = board::kPlic + 0x200000;
constexpr uint32_t kClaim = board::kPlic + 0x200004;

}  // namespace

namespace cpu {

void EnableUartInterrupt() {
  Register(kPriority) = 1;
  Register(kThreshold) = 0;
  Register(kEnable) = 1u << (board::kUartInterrupt % 32);
  asm volatile("csrs mie, %0" ::"r"(riscv::kInterruptExternal | riscv::kInterruptSoftware) : "memory");
}

}  // namespace cpu

namespace riscv {

void ExternalBody() {
  const uint32_t claimed = Register(kClaim);
  if (claimed == 0) return;
  if (claimed == board::kUartInterrupt) board::ReceiveBody();
  Register(kClaim) = claimed;
}

}  // namespace riscv
