// Numbers that the MPS2 FPGA images share, whatever their core: part of a board_config.h. Application notes
// DAI 0386 and DAI 0500, interrupt map.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_MPS2_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_COMMON_MPS2_CONFIG_H_

#include <stdint.h>

namespace board {

constexpr uint32_t kInterrupts = 32;
constexpr uint32_t kUartInterrupt = 0;  // UART 0 receive
// The 25 MHz system clock: 40 instructions of a nanosecond.
constexpr uint32_t kEmulatedTickHz = 25000000;
constexpr uint32_t kInstructionsPerTickNumerator = 40;
constexpr uint32_t kInstructionsPerTickDenominator = 1;

constexpr uint32_t kCmsdkUart = 0x40004000;
constexpr uint32_t kCmsdkTimer = 0x40000000;
constexpr uint32_t kCoreHz = 25000000;

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_MPS2_CONFIG_H_
