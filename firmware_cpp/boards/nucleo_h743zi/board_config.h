// Numbers of the STM32H743 for common/. RM0433 rev 8, table 130 (vectors).
#ifndef FIRMWARE_CPP_BOARDS_NUCLEO_H743ZI_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_NUCLEO_H743ZI_BOARD_CONFIG_H_

#include <stdint.h>

#include "common/no_emulator.h"

#define BOARD_WATCHDOG

namespace board {

constexpr char kName[] = "nucleo_h743zi";
constexpr uint32_t kInterrupts = 150;
constexpr uint32_t kUartInterrupt = 39;  // USART3

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_NUCLEO_H743ZI_BOARD_CONFIG_H_
