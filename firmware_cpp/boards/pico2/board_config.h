// Numbers of the RP2350 for common/. RP2350 datasheet, section 3.2 (interrupts).
#ifndef FIRMWARE_CPP_BOARDS_PICO2_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_PICO2_BOARD_CONFIG_H_

#include <stdint.h>

#include "common/no_emulator.h"

#define BOARD_LED
#define BOARD_WATCHDOG
#define BOARD_RESTART  // of the whole chip, which the CPU's request is not

namespace board {

constexpr char kName[] = "pico2";
constexpr uint32_t kInterrupts = 52;
constexpr uint32_t kUartInterrupt = 33;  // UART0_IRQ
constexpr uint32_t kUsbInterrupt = 14;   // USBCTRL_IRQ

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_PICO2_BOARD_CONFIG_H_
