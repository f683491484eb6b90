// The Cortex-M7's caches, off and undefined at reset. Sources: ARMv7-M Architecture Reference Manual (DDI
// 0403E) B2.2 and B3.2, Cortex-M7 Technical Reference Manual (DDI 0489F) 4.3.
#ifndef FIRMWARE_CPP_BOARDS_NUCLEO_H743ZI_CACHES_H_
#define FIRMWARE_CPP_BOARDS_NUCLEO_H743ZI_CACHES_H_

#include <stdint.h>

#include "cortex_m/cortex_m.h"

namespace board {
namespace caches {

constexpr uint32_t kCcrData = 1u << 16;
constexpr uint32_t kCcrInstructions = 1u << 17;
constexpr uint32_t kSizeId = 0xE000ED80;
constexpr uint32_t kSizeSelect = 0xE000ED84;  // 0: the data cache, level 1
constexpr uint32_t kInvalidateInstructions = 0xE000EF50;
constexpr uint32_t kInvalidateDataBySetWay = 0xE000EF60;
// Of the data cache: four ways, lines of 32 bytes.
constexpr uint32_t kWayShift = 30;
constexpr uint32_t kSetShift = 5;

// Invalidates and enables both. Does nothing where they are on already, with what they hold not written back.
inline void Enable() {
  using cortex_m::Register;
  if ((Register(cortex_m::kCcr) & kCcrData) != 0) return;
  asm volatile("dsb\n isb" ::: "memory");
  Register(kInvalidateInstructions) = 0;
  Register(kSizeSelect) = 0;
  asm volatile("dsb" ::: "memory");
  const uint32_t size = Register(kSizeId);
  const uint32_t sets = (size >> 13 & 0x7FFF) + 1;
  const uint32_t ways = (size >> 3 & 0x3FF) + 1;
  for (uint32_t set = 0; set < sets; ++set) {
    for (uint32_t way = 0; way < ways; ++way) {
      Register(kInvalidateDataBySetWay) = way << kWayShift | set << kSetShift;
    }
  }
  asm volatile("dsb" ::: "memory");
  Register(cortex_m::kCcr) = Register(cortex_m::kCcr) | kCcrData | kCcrInstructions;
  asm volatile("dsb\n isb" ::: "memory");
}

}  // namespace caches
}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_NUCLEO_H743ZI_CACHES_H_
