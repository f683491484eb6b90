// Application Interrupt and Reset Control Register: ARMv7-M B3.2.6, ARMv6-M B3.2.6, ARMv8-M D1.2.3.
#include "start_again.h"

#include <stdint.h>

#include "cortex_m/cortex_m.h"

namespace board {
namespace {

constexpr uint32_t kAircr = 0xE000ED0C;
constexpr uint32_t kAircrKey = 0x05FA0000;
constexpr uint32_t kAircrSystemReset = 1u << 2;

}  // namespace

void StartAgain() {
  asm volatile("dsb" ::: "memory");
  cortex_m::Register(kAircr) = kAircrKey | kAircrSystemReset;
  asm volatile("dsb" ::: "memory");
  for (;;) {
  }
}

}  // namespace board
