#include "app/test_fault.h"

#include <stdint.h>

#define TEST_FAULT_trap 1
#define TEST_FAULT_bus 2
#define TEST_FAULT_unaligned 3
#define TEST_FAULT_stack 4
#define TEST_FAULT_hang 5
#define TEST_FAULT_KIND_(kind) TEST_FAULT_##kind
#define TEST_FAULT_KIND(kind) TEST_FAULT_KIND_(kind)

namespace app {
namespace {

int g_rows;

#if TEST_FAULT_KIND(TEST_FAULT) == TEST_FAULT_bus
// Where no board here has a memory or a peripheral.
uint32_t Nowhere() {
  uint32_t address = 0xA5000000;
  asm("" : "+r"(address));
  return address;
}
#endif

}  // namespace

__attribute__((noinline)) void FaultOnPurpose(uint32_t depth) {
#if TEST_FAULT_KIND(TEST_FAULT) == TEST_FAULT_trap
  static_cast<void>(depth);
  __builtin_trap();
#elif TEST_FAULT_KIND(TEST_FAULT) == TEST_FAULT_bus
  *reinterpret_cast<volatile uint32_t*>(Nowhere()) = depth;
#elif TEST_FAULT_KIND(TEST_FAULT) == TEST_FAULT_unaligned
  static_cast<void>(depth);
  alignas(4) uint8_t bytes[12] = {};
#ifdef __arm__  // two words at once: no Cortex-M does that unaligned
  asm volatile("ldmia %0, {r2, r3}" ::"l"(bytes + 1) : "r2", "r3", "memory");
#else
  asm volatile("lw zero, 0(%0)" ::"r"(bytes + 1) : "memory");
#endif
#elif TEST_FAULT_KIND(TEST_FAULT) == TEST_FAULT_stack
  volatile uint8_t room[128];
  room[depth % sizeof(room)] = 1;
  FaultOnPurpose(depth + room[depth % sizeof(room)]);
  room[0] = room[1];  // not a jump
#elif TEST_FAULT_KIND(TEST_FAULT) == TEST_FAULT_hang
  for (volatile uint32_t i = depth;; i = i + 1) {
  }
#else
#error "TEST_FAULT: wanted trap, bus, unaligned, stack or hang"
#endif
}

void CountToFault() {
  if (++g_rows == 3) FaultOnPurpose(0);
}

}  // namespace app
