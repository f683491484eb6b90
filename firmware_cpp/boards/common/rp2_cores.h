// The second core of an RP2040 or RP2350: the hooks of second_core_hooks.h. It waits in the boot ROM from
// reset on, for a sequence of words (RP2040 datasheet 2.8.2, RP2350 datasheet 5.3). Included by the chip's
// source behind rp2.h; beside what that wants, the chip gives kPsm and kPsmCore1.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_RP2_CORES_H_
#define FIRMWARE_CPP_BOARDS_COMMON_RP2_CORES_H_

#include <stddef.h>
#include <stdint.h>

#include "common/rp2.h"
#include "common/second_core_hooks.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"

namespace board {
namespace rp2 {

constexpr uint32_t kPsmForceOff = kPsm + 0x04;

// SIO: each core sees its own end of the two FIFOs.
constexpr uint32_t kFifoStatus = 0xD0000050;
constexpr uint32_t kFifoValid = 1u << 0;  // there is a word for this core
constexpr uint32_t kFifoReady = 1u << 1;  // there is room for one of its words
constexpr uint32_t kFifoWrite = 0xD0000054;
constexpr uint32_t kFifoRead = 0xD0000058;

inline void SendEvent() { asm volatile("dsb\n sev" ::: "memory"); }

// The ROM's answer to a word; false: none came. A 0 makes it begin anew, whatever it has had before.
inline bool Ask(uint32_t word, uint32_t* answer) {
  if (word == 0) {
    while ((Register(kFifoStatus) & kFifoValid) != 0) *answer = Register(kFifoRead);
    SendEvent();  // it may be waiting for room
  }
  if (!WaitFor(kFifoStatus, kFifoReady)) return false;
  Register(kFifoWrite) = word;
  SendEvent();
  if (!WaitFor(kFifoStatus, kFifoValid)) return false;
  *answer = Register(kFifoRead);
  return true;
}

}  // namespace rp2
}  // namespace board

namespace second_core {

using board::rp2::Register;

bool Hold() {
  namespace rp2 = board::rp2;
  Register(rp2::kPsmForceOff + rp2::kSet) = rp2::kPsmCore1;
  return rp2::WaitFor(rp2::kPsmForceOff, rp2::kPsmCore1);
}

bool Release(void (*entry)(), uint32_t* stack_top) {
  namespace rp2 = board::rp2;
  Register(rp2::kPsmForceOff + rp2::kClear) = rp2::kPsmCore1;
  // In the ROM it empties its FIFO and says so by a 0.
  if (!rp2::WaitFor(rp2::kFifoStatus, rp2::kFifoValid)) return false;
  const auto address = [](auto* pointer) {
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
  };
  // This core's vectors, so that a fault is reported.
  const uint32_t words[] = {0, 0, 1, Register(cortex_m::kVtor), address(stack_top), address(entry)};
  constexpr size_t kWords = sizeof(words) / sizeof(words[0]);
  constexpr int kMostAnswers = 64;  // then it is not the ROM that answers
  size_t next = 0;
  for (int i = 0; i < kMostAnswers; ++i) {
    uint32_t answer;
    if (!rp2::Ask(words[next], &answer)) return false;
    next = answer == words[next] ? next + 1 : 0;
    if (next == kWords) return true;
  }
  return false;
}

void Send(uint32_t word) {
  namespace rp2 = board::rp2;
  asm volatile("dmb" ::: "memory");
  while ((Register(rp2::kFifoStatus) & rp2::kFifoReady) == 0) {
  }
  Register(rp2::kFifoWrite) = word;
  rp2::SendEvent();
}

uint32_t Receive() {
  namespace rp2 = board::rp2;
  while ((Register(rp2::kFifoStatus) & rp2::kFifoValid) == 0) asm volatile("wfe" ::: "memory");
  const uint32_t word = Register(rp2::kFifoRead);
  asm volatile("dmb" ::: "memory");
  return word;
}

}  // namespace second_core

#endif  // FIRMWARE_CPP_BOARDS_COMMON_RP2_CORES_H_
