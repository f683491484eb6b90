// Numbers of the AN547 FPGA image for common/. Application note DAI 0547, interrupt map.
#ifndef FIRMWARE_CPP_BOARDS_MPS3_AN547_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_MPS3_AN547_BOARD_CONFIG_H_

#include <stdint.h>

namespace board {

constexpr char kName[] = "mps3_an547";
constexpr uint32_t kInterrupts = 96;
constexpr uint32_t kUartInterrupt = 33;  // UART 0 receive
// The 32 MHz main clock: 31.25 instructions of a nanosecond.
constexpr uint32_t kEmulatedTickHz = 32000000;
constexpr uint32_t kInstructionsPerTickNumerator = 125;
constexpr uint32_t kInstructionsPerTickDenominator = 4;

constexpr uint32_t kCmsdkUart = 0x59303000;  // UART 0, secure alias
constexpr uint32_t kCoreHz = 32000000;

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_MPS3_AN547_BOARD_CONFIG_H_
