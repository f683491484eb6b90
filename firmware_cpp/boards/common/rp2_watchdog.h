// The watchdog of an RP2040 or RP2350, which also resets the chip at once: hooks of hooks.h. The chip's
// source gives, in namespace board::rp2, kWatchdog, kWatchdogTicks (of a microsecond, in LOAD),
// StartWatchdogTick(), kPsm and kPsmAllButOscillators, and then includes this file. Sources: RP2040
// datasheet 4.7 and 2.13, RP2350 datasheet 12.9 and 7.4.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_RP2_WATCHDOG_H_
#define FIRMWARE_CPP_BOARDS_COMMON_RP2_WATCHDOG_H_

#include <stdint.h>

#include "common/hooks.h"
#include "cortex_m/registers.h"

namespace board {
namespace rp2 {

constexpr uint32_t kWatchdogTrigger = 1u << 31;
constexpr uint32_t kWatchdogEnable = 1u << 30;
constexpr uint32_t kWatchdogPauses = 7u << 24;  // while a debugger has halted a core
constexpr uint32_t kWatchdogLoad = kWatchdog + 0x04;
constexpr uint32_t kWatchdogReason = kWatchdog + 0x08;
constexpr uint32_t kWatchdogReasonTimer = 1u << 0;
constexpr uint32_t kWatchdogReasonForced = 1u << 1;
constexpr uint32_t kPsmWatchdogSelect = kPsm + 0x08;
constexpr uint32_t kWatchdogMicroseconds = 8000000;
static_assert(kWatchdogMicroseconds * kWatchdogTicks < 1u << 24);

}  // namespace rp2

void WatchdogFeed() {
  cortex_m::Register(rp2::kWatchdogLoad) = rp2::kWatchdogMicroseconds * rp2::kWatchdogTicks;
}

// Of everything but the clocks that the reset itself wants; the SRAM keeps what it holds.
void WatchdogStart() {
  cortex_m::Register(rp2::kWatchdog) = 0;
  cortex_m::Register(rp2::kPsmWatchdogSelect) = rp2::kPsmAllButOscillators;
  rp2::StartWatchdogTick();
  WatchdogFeed();
  cortex_m::Register(rp2::kWatchdog) = rp2::kWatchdogPauses | rp2::kWatchdogEnable;
}

void Restart() {
  cortex_m::Register(rp2::kPsmWatchdogSelect) = rp2::kPsmAllButOscillators;
  cortex_m::Register(rp2::kWatchdog) = rp2::kWatchdogTrigger;
}

// REASON forgets by itself, at the next reset. The boot ROM's loader starts a new program by a forced one.
ResetCause ChipResetCause() {
  const uint32_t reason = cortex_m::Register(rp2::kWatchdogReason);
  if ((reason & rp2::kWatchdogReasonTimer) != 0) return ResetCause::kWatchdog;
  return (reason & rp2::kWatchdogReasonForced) != 0 ? ResetCause::kSoftware : ResetCause::kUnknown;
}

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_RP2_WATCHDOG_H_
