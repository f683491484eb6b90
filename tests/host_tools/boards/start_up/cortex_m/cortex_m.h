// Stands in for the real cortex_m.h when a board's sources are compiled for the host: what stands behind a
// register is simulated (hardware.h).
#ifndef TESTS_HOST_TOOLS_START_UP_CORTEX_M_CORTEX_M_H_
#define TESTS_HOST_TOOLS_START_UP_CORTEX_M_CORTEX_M_H_

#include <stdint.h>

#include "hardware.h"

namespace cortex_m {

class Proxy {
 public:
  explicit Proxy(uint32_t address) : address_(address) {}
  operator uint32_t() const { return hardware::Read(address_); }
  void operator=(uint32_t value) const { hardware::Write(address_, value); }

 private:
  uint32_t address_;
};

inline Proxy Register(uint32_t address) { return Proxy(address); }

inline uint32_t RomWord(uint32_t address) { return hardware::Read(address); }
inline uint32_t Call(uint32_t address, uint32_t a, uint32_t b, uint32_t c = 0, uint32_t d = 0) {
  return hardware::Call(address, a, b, c, d);
}

constexpr uint32_t kVtor = 0xE000ED08;
constexpr uint32_t kCcr = 0xE000ED14;
constexpr uint32_t kMpuRbar = 0xE000ED9C;
constexpr uint32_t kMpuRbarValid = 1u << 4;
constexpr uint32_t kMpuRasr = 0xE000EDA0;
constexpr uint32_t kMpuRasrEnable = 1u << 0;

}  // namespace cortex_m

// Barriers: `asm volatile(...)` becomes nothing, `volatile uint64_t*` stays.
#define asm
#define volatile(...) static_cast<void>(0)

#endif  // TESTS_HOST_TOOLS_START_UP_CORTEX_M_CORTEX_M_H_
