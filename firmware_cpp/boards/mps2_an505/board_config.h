// Numbers of the AN505 FPGA image. DAI 0505, interrupt map and clocks.
#ifndef FIRMWARE_CPP_BOARDS_MPS2_AN505_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_MPS2_AN505_BOARD_CONFIG_H_

#include <stdint.h>

namespace board {

constexpr char kName[] = "mps2_an505";
constexpr uint32_t kInterrupts = 92;
constexpr uint32_t kUartInterrupt = 32;  // UART 0 receive
// The 20 MHz system clock: 50 instructions of a nanosecond.
constexpr uint32_t kEmulatedTickHz = 20000000;
constexpr uint32_t kInstructionsPerTickNumerator = 50;
constexpr uint32_t kInstructionsPerTickDenominator = 1;

constexpr uint32_t kCmsdkUart = 0x50200000;   // UART 0, secure alias: common/cmsdk_uart.h asks for these two
constexpr uint32_t kCmsdkTimer = 0x50000000;  // timer 0, secure alias: common/mps2.h
constexpr uint32_t kCoreHz = 20000000;

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_MPS2_AN505_BOARD_CONFIG_H_
