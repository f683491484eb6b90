// Numbers of the chip STM32F405, whatever the board: part of a board_config.h. RM0090 rev 19: table 62
// (vectors), sections 5.4 (PWR), 7.3 (RCC).
#ifndef FIRMWARE_CPP_BOARDS_COMMON_STM32F405_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_COMMON_STM32F405_CONFIG_H_

#include <stdint.h>

namespace board {

constexpr uint32_t kInterrupts = 82;

namespace stm32f4 {

constexpr uint32_t kPllM = 16, kPllN = 336, kPllQ = 7;
constexpr uint32_t kVoltageScale = 1u << 14;  // PWR_CR's VOS, one bit: scale 1 is what 168 MHz needs
constexpr bool kOverDrive = false;

}  // namespace stm32f4
}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_STM32F405_CONFIG_H_
