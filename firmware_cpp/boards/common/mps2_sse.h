// An Arm MPS2 with an SSE-200 or an IoT Kit in its FPGA: the hooks of hooks.h, by secure aliases. The board's
// controller sets the clocks.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_MPS2_SSE_H_
#define FIRMWARE_CPP_BOARDS_COMMON_MPS2_SSE_H_

#include <stdint.h>

#include "board_config.h"
#include "common/cmsdk_uart.h"
#include "common/hooks.h"
#include "cortex_m/cortex_m.h"

namespace board {
namespace mps2 {

// CMSDK timer 0; registers: DDI 0479D, table 4-1. Counts down from the reload value.
constexpr uint32_t kTimerControl = 0x50000000;
constexpr uint32_t kTimerValue = 0x50000004;
constexpr uint32_t kTimerReload = 0x50000008;

}  // namespace mps2

uint32_t ClockInit() { return kCoreHz; }

void EmulatedTicksInit() {
  cortex_m::Register(mps2::kTimerReload) = ~0u;
  cortex_m::Register(mps2::kTimerValue) = ~0u;
  cortex_m::Register(mps2::kTimerControl) = 1;
}

uint32_t EmulatedTicks() { return ~cortex_m::Register(mps2::kTimerValue); }

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_MPS2_SSE_H_
