// Numbers of the STM32F405 for common/. RM0090 rev 19: table 62 (vectors), sections 5.4 (PWR), 7.3 (RCC).
#ifndef FIRMWARE_CPP_BOARDS_FEATHER_F405_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_FEATHER_F405_BOARD_CONFIG_H_

#include <stdint.h>

#include "common/no_emulator.h"

namespace board {

constexpr char kName[] = "feather_f405";
constexpr uint32_t kInterrupts = 82;
constexpr uint32_t kUartInterrupt = 39;  // USART3

namespace stm32f4 {

constexpr uint32_t kPllM = 16, kPllN = 336, kPllQ = 7;
constexpr uint32_t kVoltageScale = 1u << 14;  // PWR_CR's VOS, one bit: scale 1 is what 168 MHz needs
constexpr bool kOverDrive = false;
constexpr uint32_t kUsart = 0x40004800;
constexpr bool kUsartOnApb2 = false;
constexpr uint32_t kUsartEnable = 1u << 18;
constexpr uint32_t kPort = 1, kTransmitPin = 10, kReceivePin = 11;  // PB10, PB11

}  // namespace stm32f4
}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_FEATHER_F405_BOARD_CONFIG_H_
