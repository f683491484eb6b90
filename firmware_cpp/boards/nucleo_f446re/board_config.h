// Numbers of the STM32F446 for common/. RM0390 rev 6: table 38 (vectors), sections 5.4 (PWR), 6.3 (RCC).
#ifndef FIRMWARE_CPP_BOARDS_NUCLEO_F446RE_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_NUCLEO_F446RE_BOARD_CONFIG_H_

#include <stdint.h>

#include "common/no_emulator.h"

#define BOARD_WATCHDOG

namespace board {

constexpr char kName[] = "nucleo_f446re";
constexpr uint32_t kInterrupts = 97;
constexpr uint32_t kUartInterrupt = 38;  // USART2

namespace stm32f4 {

constexpr uint32_t kPllM = 8, kPllN = 180, kPllQ = 8;
constexpr uint32_t kVoltageScale = 3u << 14;  // PWR_CR's VOS, two bits: scale 1, which over-drive needs
constexpr bool kOverDrive = true;
constexpr uint32_t kUsart = 0x40004400;
constexpr bool kUsartOnApb2 = false;
constexpr uint32_t kUsartEnable = 1u << 17;
constexpr uint32_t kPort = 0, kTransmitPin = 2, kReceivePin = 3;  // PA2, PA3

}  // namespace stm32f4
}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_NUCLEO_F446RE_BOARD_CONFIG_H_
