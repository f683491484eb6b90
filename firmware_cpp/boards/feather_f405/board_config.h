// Numbers of the board feather_f405 for common/. RM0090 rev 19, table 62 (vectors).
#ifndef FIRMWARE_CPP_BOARDS_FEATHER_F405_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_FEATHER_F405_BOARD_CONFIG_H_

#include <stdint.h>

#include "common/no_emulator.h"
#include "common/stm32f405_config.h"

#define BOARD_WATCHDOG

namespace board {

constexpr char kName[] = "feather_f405";
constexpr uint32_t kUartInterrupt = 39;  // USART3

namespace stm32f4 {

constexpr uint32_t kUsart = 0x40004800;
constexpr bool kUsartOnApb2 = false;
constexpr uint32_t kUsartEnable = 1u << 18;
constexpr uint32_t kPort = 1, kTransmitPin = 10, kReceivePin = 11;  // PB10, PB11

}  // namespace stm32f4
}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_FEATHER_F405_BOARD_CONFIG_H_
