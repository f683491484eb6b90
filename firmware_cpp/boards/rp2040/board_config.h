// Numbers of the RP2040 for common/. RP2040 datasheet, section 2.3.2 (interrupts).
#ifndef FIRMWARE_CPP_BOARDS_RP2040_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_RP2040_BOARD_CONFIG_H_

#include <stdint.h>

#include "common/no_emulator.h"  // that is, none that wants a stand-in for the cycle counter

#define BOARD_LED
#define BOARD_WATCHDOG
#define BOARD_RESTART  // of the whole chip, which the CPU's request is not

namespace board {

constexpr char kName[] = "rp2040";
constexpr uint32_t kInterrupts = 26;
constexpr uint32_t kUartInterrupt = 20;  // UART0_IRQ
constexpr uint32_t kUsbInterrupt = 5;    // USBCTRL_IRQ

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_RP2040_BOARD_CONFIG_H_
