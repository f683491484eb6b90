// Arm MPS3 with the AN547 FPGA image (Cortex-M55 with Helium, SSE-300). The board's controller sets the
// clocks.
#include <stdint.h>

#include "board_config.h"
#include "common/cmsdk_uart.h"
#include "common/hooks.h"
#include "cortex_m/cortex_m.h"

namespace board {
namespace {

// System counter of the SSE-300 (technical reference manual 101773, memory map of the system): the control
// frame starts it, the low word of its value is the tick count. Arm ARM v8-A (DDI 0487) I5.6 names the
// registers.
constexpr uint32_t kCounterControl = 0x58100000;
constexpr uint32_t kCounterValueLow = 0x58100008;

}  // namespace

uint32_t ClockInit() {
  // Loop instructions of v8.1-M branch without a penalty only with this on (Cortex-M55 TRM 101051, CCR).
  cortex_m::Register(cortex_m::kCcr) = cortex_m::Register(cortex_m::kCcr) | cortex_m::kCcrLowOverheadBranch;
  return kCoreHz;
}

void EmulatedTicksInit() { cortex_m::Register(kCounterControl) = 1; }

uint32_t EmulatedTicks() { return cortex_m::Register(kCounterValueLow); }

}  // namespace board
