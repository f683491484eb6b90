#include "app/test_fault.h"

#include <stdint.h>

namespace app {

__attribute__((noinline)) void Trap() { __builtin_trap(); }

// Where no board here has a memory or a peripheral.
__attribute__((noinline)) void StoreNowhere() {
  uint32_t address = 0xA5000000;
  asm("" : "+r"(address));
  *reinterpret_cast<volatile uint32_t*>(address) = 1;
}

__attribute__((noinline)) void LoadUnaligned() {
  alignas(4) uint8_t bytes[12] = {};
#ifdef __arm__  // two words at once: no Cortex-M does that unaligned
  asm volatile("ldmia %0!, {r2, r3}" ::"l"(bytes + 1) : "r2", "r3", "memory");
#else
  asm volatile("lw zero, 0(%0)" ::"r"(bytes + 1) : "memory");
#endif
}

// By way of a pointer that the compiler knows nothing of: it warns of a recursion without an end.
uint32_t (*volatile g_deeper)(uint32_t depth);

__attribute__((noinline)) uint32_t GoDeeper(uint32_t depth) {
  volatile uint8_t room[128];
  room[depth % sizeof(room)] = 1;
  const uint32_t found = g_deeper(depth + room[depth % sizeof(room)]);
  return found + room[found % sizeof(room)];  // after the call, so that it is no jump
}

// Waits for what never comes; asleep, so that an emulator's time passes as fast as ours.
__attribute__((noinline)) void Hang() {
  for (;;) asm volatile("wfi" ::: "memory");
}

void FaultOnPurpose(const int8_t* row) {
  if (row[0] != 'F' || row[1] != 'A' || row[2] != 'U') return;
  switch (row[3]) {
    case 't':
      Trap();
      break;
    case 'b':
      StoreNowhere();
      break;
    case 'u':
      LoadUnaligned();
      break;
    case 's':
      g_deeper = GoDeeper;
      GoDeeper(0);
      break;
    case 'h':
      Hang();
      break;
    default:
      break;
  }
}

}  // namespace app
