// The UART of Arm's Cortex-M System Design Kit, as the MPS boards have it: UartInit() and its companions of
// hooks.h. A board's board_config.h gives kCmsdkUart (base address) and kCoreHz (clock), and one of its
// sources includes this file. Registers: CMSDK technical reference manual (DDI 0479D), table 4-2.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_CMSDK_UART_H_
#define FIRMWARE_CPP_BOARDS_COMMON_CMSDK_UART_H_

#include <stdint.h>

#include "board_config.h"
#include "common/hooks.h"
#include "cortex_m/cortex_m.h"

namespace board {
namespace cmsdk_uart {

constexpr uint32_t kData = kCmsdkUart + 0x0;
constexpr uint32_t kState = kCmsdkUart + 0x4;
constexpr uint32_t kStateTransmitFull = 1u << 0;
constexpr uint32_t kStateReceiveFull = 1u << 1;
constexpr uint32_t kStateReceiveOverrun = 1u << 3;  // cleared by writing 1
constexpr uint32_t kControl = kCmsdkUart + 0x8;
constexpr uint32_t kControlTransmit = 1u << 0;
constexpr uint32_t kControlReceive = 1u << 1;
constexpr uint32_t kControlReceiveInterrupt = 1u << 3;
constexpr uint32_t kInterruptClear = kCmsdkUart + 0xC;
constexpr uint32_t kInterruptReceive = 1u << 1;
constexpr uint32_t kBaudDivider = kCmsdkUart + 0x10;
constexpr uint32_t kLeastDivider = 16;

constexpr uint32_t DividerFor(uint32_t baud) { return (kCoreHz + baud / 2) / baud; }

}  // namespace cmsdk_uart

void UartInit() {
  using namespace cmsdk_uart;
  cortex_m::Register(kBaudDivider) = DividerFor(kUartBaud);
  cortex_m::Register(kControl) = kControlTransmit | kControlReceive | kControlReceiveInterrupt;
}

void UartPut(uint8_t byte) {
  using namespace cmsdk_uart;
  while ((cortex_m::Register(kState) & kStateTransmitFull) != 0) {
  }
  cortex_m::Register(kData) = byte;
}

bool UartPoll(uint8_t* byte) {
  using namespace cmsdk_uart;
  cortex_m::Register(kInterruptClear) =
      kInterruptReceive;  // before the look: a byte after it raises it again
  if ((cortex_m::Register(kState) & kStateReceiveFull) == 0) return false;
  *byte = static_cast<uint8_t>(cortex_m::Register(kData));
  return true;
}

// Nothing says when the last bit has left. When the buffer is empty, the byte before takes ten bits' time at
// most; a turn of the loop, at least two cycles.
uint32_t UartBaud(uint32_t baud, bool change) {
  using namespace cmsdk_uart;
  const uint32_t divider = DividerFor(baud);
  if (divider < kLeastDivider) return 0;
  if (change) {
    while ((cortex_m::Register(kState) & kStateTransmitFull) != 0) {
    }
    const uint32_t turns = 10 * cortex_m::Register(kBaudDivider);
    for (uint32_t i = 0; i < turns; ++i) asm volatile("");
    cortex_m::Register(kBaudDivider) = divider;
  }
  return kCoreHz / divider;
}

uint32_t UartOverruns() {
  using namespace cmsdk_uart;
  if ((cortex_m::Register(kState) & kStateReceiveOverrun) == 0) return 0;
  cortex_m::Register(kState) = kStateReceiveOverrun;
  return 1;
}

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_CMSDK_UART_H_
