// Arm MPS2 with the AN521 FPGA image: an SSE-200 with two Cortex-M33. The second one waits at its reset until
// CPUWAIT lets it go (SSE-200 technical reference manual, 101104, system control registers).
#include "common/mps2.h"

#if SQUEEZE_CORES == 2
#include "common/second_core_hooks.h"

namespace second_core {
namespace {

using cortex_m::Register;

// Secure aliases.
constexpr uint32_t kInitSecureVtor1 = 0x50021114;  // where core 1's vectors are at its reset
constexpr uint32_t kCpuWait = 0x50021118;
constexpr uint32_t kCpuWaitCore1 = 1u << 1;
constexpr uint32_t kCpuIdentity = 0x5001F000;  // each core reads its own number

// A word for a core, in memory that both see. The sender fills it, the receiver empties it.
struct Mailbox {
  volatile uint32_t word;
  volatile uint32_t full;
};
Mailbox g_for[2];

constexpr uint32_t kExceptions = 16;
alignas(128) uint32_t g_vectors[kExceptions];  // bits 6 to 0 of INITSVTOR1 are 0

uint32_t Me() { return Register(kCpuIdentity) & 1; }

void Barrier() { asm volatile("dmb" ::: "memory"); }

void SendEvent() { asm volatile("dsb\n sev" ::: "memory"); }

void WaitWhileFull(const Mailbox& box, uint32_t full) {
  while (box.full == full) asm volatile("wfe" ::: "memory");
}

}  // namespace

// CPUWAIT holds a core that has not begun; none that runs.
bool Hold() { return (Register(kCpuWait) & kCpuWaitCore1) != 0; }

bool Release(void (*entry)(), uint32_t* stack_top) {
  // This core's, so that a fault is reported.
  const uint32_t vectors = Register(cortex_m::kVtor);
  for (uint32_t i = 2; i < kExceptions; ++i) g_vectors[i] = Register(vectors + 4 * i);
  g_vectors[0] = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(stack_top));
  g_vectors[1] = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(entry));
  Register(kInitSecureVtor1) = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(g_vectors));
  asm volatile("dsb" ::: "memory");
  Register(kCpuWait) = Register(kCpuWait) & ~kCpuWaitCore1;
  return true;
}

void Send(uint32_t word) {
  Mailbox& box = g_for[1 - Me()];
  WaitWhileFull(box, 1);
  Barrier();
  box.word = word;
  Barrier();
  box.full = 1;
  SendEvent();
}

uint32_t Receive() {
  Mailbox& box = g_for[Me()];
  WaitWhileFull(box, 0);
  Barrier();
  const uint32_t word = box.word;
  Barrier();
  box.full = 0;
  SendEvent();
  return word;
}

}  // namespace second_core

#endif  // SQUEEZE_CORES == 2
