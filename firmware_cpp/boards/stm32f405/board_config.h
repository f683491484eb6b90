// Numbers of the board stm32f405 for common/. RM0090 rev 19, table 62 (vectors).
#ifndef FIRMWARE_CPP_BOARDS_STM32F405_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_STM32F405_BOARD_CONFIG_H_

#include <stdint.h>

#include "common/stm32f405_config.h"

#define BOARD_WATCHDOG

namespace board {

constexpr char kName[] = "stm32f405";
constexpr uint32_t kUartInterrupt = 37;  // USART1
// QEMU's TIM2 runs at 1 GHz.
constexpr uint32_t kEmulatedTickHz = 1000000000;
constexpr uint32_t kInstructionsPerTickNumerator = 1;
constexpr uint32_t kInstructionsPerTickDenominator = 1;

namespace stm32f4 {

constexpr uint32_t kUsart = 0x40011000;
constexpr bool kUsartOnApb2 = true;
constexpr uint32_t kUsartEnable = 1u << 4;
constexpr uint32_t kPort = 0, kTransmitPin = 9, kReceivePin = 10;  // PA9, PA10

}  // namespace stm32f4
}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_STM32F405_BOARD_CONFIG_H_
