// Arm MPS2 with the AN500 FPGA image (Cortex-M7). The board's controller sets the clocks.
#include <cstdint>

#include "board_config.h"
#include "common/cmsdk_uart.h"
#include "common/cortex_m.h"
#include "common/hooks.h"

namespace board {
namespace {

// CMSDK timer 0, DDI 0479D table 4-1: counts down from the reload value.
constexpr uint32_t kTimerControl = 0x40000000;
constexpr uint32_t kTimerValue = 0x40000004;
constexpr uint32_t kTimerReload = 0x40000008;

}  // namespace

uint32_t ClockInit() { return kCoreHz; }

void EmulatedTicksInit() {
  cortex_m::Register(kTimerReload) = ~0u;
  cortex_m::Register(kTimerValue) = ~0u;
  cortex_m::Register(kTimerControl) = 1;
}

uint32_t EmulatedTicks() { return ~cortex_m::Register(kTimerValue); }

}  // namespace board
