// Arm MPS2 with the AN505 FPGA image (Cortex-M33). The board's controller sets the clocks.
#include <stdint.h>

#include "board_config.h"
#include "common/cmsdk_uart.h"
#include "common/hooks.h"
#include "cortex_m/cortex_m.h"

namespace board {
namespace {

// CMSDK timer 0 of the SSE-200, secure alias; registers: DDI 0479D, table 4-1. Counts down from the reload
// value.
constexpr uint32_t kTimerControl = 0x50000000;
constexpr uint32_t kTimerValue = 0x50000004;
constexpr uint32_t kTimerReload = 0x50000008;

}  // namespace

uint32_t ClockInit() { return kCoreHz; }

void EmulatedTicksInit() {
  cortex_m::Register(kTimerReload) = ~0u;
  cortex_m::Register(kTimerValue) = ~0u;
  cortex_m::Register(kTimerControl) = 1;
}

uint32_t EmulatedTicks() { return ~cortex_m::Register(kTimerValue); }

}  // namespace board
