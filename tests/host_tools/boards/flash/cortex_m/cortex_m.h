// Stands in for the real cortex_m.h when a flash's driver is compiled for the host: as that of start_up/, and
// barriers and masks are recorded, too.
#ifndef TESTS_HOST_TOOLS_FLASH_CORTEX_M_CORTEX_M_H_
#define TESTS_HOST_TOOLS_FLASH_CORTEX_M_CORTEX_M_H_

#include "../../start_up/cortex_m/cortex_m.h"

namespace hardware {
void Note(const char* what);
}

namespace cortex_m {

constexpr uint32_t kCfsr = 0xE000ED28;
constexpr uint32_t kCfsrBus = 0xFFu << 8;

class InterruptsOff {
 public:
  InterruptsOff() { hardware::Note("interrupts off"); }
  ~InterruptsOff() { hardware::Note("interrupts on"); }
};

}  // namespace cortex_m

// `asm volatile("dsb" ::: "memory")` becomes a note of what is in the brackets.
#undef volatile
#define volatile(...) hardware::Note(#__VA_ARGS__)

#endif  // TESTS_HOST_TOOLS_FLASH_CORTEX_M_CORTEX_M_H_
