// Numbers of the AN500 FPGA image for common/. Application note DAI 0500, interrupt map.
#ifndef FIRMWARE_CPP_BOARDS_MPS2_AN500_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_MPS2_AN500_BOARD_CONFIG_H_

#include <cstdint>

namespace board {

constexpr char kName[] = "mps2_an500";
constexpr uint32_t kInterrupts = 32;
constexpr uint32_t kUartInterrupt = 0;  // UART 0 receive
// The 25 MHz system clock: 40 instructions of a nanosecond.
constexpr uint32_t kEmulatedTickHz = 25000000;
constexpr uint32_t kInstructionsPerTickNumerator = 40;
constexpr uint32_t kInstructionsPerTickDenominator = 1;

constexpr uint32_t kCmsdkUart = 0x40004000;
constexpr uint32_t kCoreHz = 25000000;

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_MPS2_AN500_BOARD_CONFIG_H_
