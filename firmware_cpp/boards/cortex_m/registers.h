// Read, change and wait for registers of peripherals.
#ifndef FIRMWARE_CPP_BOARDS_CORTEX_M_REGISTERS_H_
#define FIRMWARE_CPP_BOARDS_CORTEX_M_REGISTERS_H_

#include <stdint.h>

#include "cortex_m/cortex_m.h"

namespace cortex_m {

inline void SetBits(uint32_t address, uint32_t bits) { Register(address) = Register(address) | bits; }

inline void SetField(uint32_t address, uint32_t mask, uint32_t value) {
  Register(address) = (Register(address) & ~mask) | value;
}

// False: after `limit` looks the bits of `mask` are still not `value`.
inline bool WaitFor(uint32_t address, uint32_t mask, uint32_t value, uint32_t limit) {
  for (uint32_t i = 0; i < limit; ++i) {
    if ((Register(address) & mask) == value) return true;
  }
  return false;
}

}  // namespace cortex_m

#endif  // FIRMWARE_CPP_BOARDS_CORTEX_M_REGISTERS_H_
