#include "cpu.h"

#include "riscv/traps.h"

namespace cpu {
namespace {

using riscv::Register;

// The timer's ticks between two looks at the counter. A timer is slower than the core: less than 2^32 cycles,
// if by no more than 100.
constexpr uint32_t kWrapTicks = 1u << 25;

void SetAlarm() {
  const uint32_t low = Register(board::kClint + riscv::kClintTime) + kWrapTicks;
  uint32_t high = Register(board::kClint + riscv::kClintTime + 4);
  if (low < kWrapTicks) ++high;
  // First out of reach, so that no half of it is an alarm (privileged architecture, 3.2.1).
  Register(board::kClint + riscv::kClintCompare + 4) = ~0u;
  Register(board::kClint + riscv::kClintCompare) = low;
  Register(board::kClint + riscv::kClintCompare + 4) = high;
}

}  // namespace

__attribute__((naked, noinline)) void Spin(uint32_t /*iterations*/) {
  asm volatile(
      "1: addi a0, a0, -1\n"
      "bnez a0, 1b\n"
      "ret\n" ::
          : "a0");
}

__attribute__((naked, noinline)) void UseStack(uint32_t /*bytes*/) {
  asm volatile(
      "andi a0, a0, -16\n"
      "sub a1, sp, a0\n"
      "mv a2, sp\n"
      "mv sp, a1\n"
      "sw a0, 0(a1)\n"
      "mv sp, a2\n"
      "ret\n" ::
          : "a0", "a1", "a2");
}

bool StartCycleCounter() {
  if (board::kCyclesAreInstructions) return false;
  const uint32_t start = CycleCount();
  Spin(100);
  return CycleCount() != start;
}

void StartWrapTimer() {
  SetAlarm();
  asm volatile("csrs mie, %0" ::"r"(riscv::kInterruptTimer) : "memory");
}

}  // namespace cpu

namespace riscv {

void TimerBody() {
  board::WrapBody();
  cpu::SetAlarm();
}

void SoftwareBody() { Register(board::kClint + kClintSoftware) = 0; }

}  // namespace riscv
