// An Arm MPS2, whatever core its FPGA holds: the hooks of hooks.h. A board's board_config.h includes
// mps2_config.h or has its numbers, and one of its sources includes this file. The board's controller sets
// the clocks.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_MPS2_H_
#define FIRMWARE_CPP_BOARDS_COMMON_MPS2_H_

#include <stdint.h>

#include "board_config.h"
#include "common/cmsdk_uart.h"
#include "common/hooks.h"
#include "cortex_m/cortex_m.h"

namespace board {
namespace mps2 {

// CMSDK timer 0, DDI 0479D table 4-1: counts down from the reload value.
constexpr uint32_t kTimerControl = kCmsdkTimer;
constexpr uint32_t kTimerValue = kCmsdkTimer + 4;
constexpr uint32_t kTimerReload = kCmsdkTimer + 8;

}  // namespace mps2

uint32_t ClockInit() { return kCoreHz; }

void EmulatedTicksInit() {
  cortex_m::Register(mps2::kTimerReload) = ~0u;
  cortex_m::Register(mps2::kTimerValue) = ~0u;
  cortex_m::Register(mps2::kTimerControl) = 1;
}

uint32_t EmulatedTicks() { return ~cortex_m::Register(mps2::kTimerValue); }

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_MPS2_H_
