// The independent watchdog of an STM32 (IWDG; RM0090 section 21, RM0433 section 46), and its reset flags:
// hooks of hooks.h. The chip's source gives, in namespace board::stm32_watchdog, kIwdg, kResetFlags (RCC_CSR
// or RCC_RSR) and its bits, and then includes this file. In QEMU all of these read 0, and nothing is reset.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_STM32_WATCHDOG_H_
#define FIRMWARE_CPP_BOARDS_COMMON_STM32_WATCHDOG_H_

#include <stdint.h>

#include "common/hooks.h"
#include "cortex_m/registers.h"

namespace board {
namespace stm32_watchdog {

using cortex_m::Register;

constexpr uint32_t kKey = kIwdg + 0x0;
constexpr uint32_t kKeyFeed = 0xAAAA;
constexpr uint32_t kKeyUnlock = 0x5555;
constexpr uint32_t kKeyStart = 0xCCCC;  // its oscillator, too; nothing but a reset stops it
constexpr uint32_t kPrescaler = kIwdg + 0x4;
constexpr uint32_t kPrescaler256 = 6;
constexpr uint32_t kReload = kIwdg + 0x8;
constexpr uint32_t kStatus = kIwdg + 0xC;
constexpr uint32_t kStatusBusy = 3;  // prescaler and reload are being taken over
// At 32 kHz / 256 these are 8 s; the oscillator has 17 to 47 kHz (DS8626, table 36): 5.4 to 15 s.
constexpr uint32_t kReloadTicks = 1000;
// Five periods of the slow oscillator, 0.3 ms: below this many looks at any core clock.
constexpr uint32_t kTakenOverLimit = 100000;

}  // namespace stm32_watchdog

void WatchdogStart() {
  using namespace stm32_watchdog;
  Register(kKey) = kKeyStart;
  Register(kKey) = kKeyUnlock;
  Register(kPrescaler) = kPrescaler256;
  Register(kReload) = kReloadTicks;
  cortex_m::WaitFor(kStatus, kStatusBusy, 0, kTakenOverLimit);
  Register(kKey) = kKeyFeed;
}

void WatchdogFeed() { stm32_watchdog::Register(stm32_watchdog::kIwdg) = stm32_watchdog::kKeyFeed; }

// The reset pin is pulled low in each reset, so its flag comes last.
ResetCause ChipResetCause() {
  using namespace stm32_watchdog;
  const uint32_t flags = Register(kResetFlags);
  cortex_m::SetBits(kResetFlags, kForget);
  if ((flags & (kPowerOn | kBrownOut)) != 0) return ResetCause::kPowerOn;
  if ((flags & kWatchdog) != 0) return ResetCause::kWatchdog;
  if ((flags & kSoftware) != 0) return ResetCause::kSoftware;
  return (flags & kPin) != 0 ? ResetCause::kPin : ResetCause::kUnknown;
}

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_STM32_WATCHDOG_H_
