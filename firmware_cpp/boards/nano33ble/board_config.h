// Numbers of the nRF52840 for common/. Product specification 1.7, section 4.2.2 (peripheral IDs are
// interrupts).
#ifndef FIRMWARE_CPP_BOARDS_NANO33BLE_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_NANO33BLE_BOARD_CONFIG_H_

#include <stdint.h>

#include "common/no_emulator.h"

#define BOARD_WATCHDOG

namespace board {

constexpr char kName[] = "nano33ble";
constexpr uint32_t kInterrupts = 48;
constexpr uint32_t kUartInterrupt = 2;  // UARTE0 and UART0

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_NANO33BLE_BOARD_CONFIG_H_
