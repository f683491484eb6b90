// What a board's own folder implements; common/ builds board.h on it. Its board_config.h gives:
//   kName                  the folder's name
//   kInterrupts            external interrupts in the vector table
//   kUartInterrupt         number of the one for a received byte
//   kUsbInterrupt          number of the one for all of USB; of boards with `usb_id` in their board.toml
//   kEmulatedTickHz        rate of EmulatedTicks() in the emulator
//   kInstructionsPerTick{Numerator,Denominator}  with one instruction a nanosecond (QEMU -icount shift=0)
#ifndef FIRMWARE_CPP_BOARDS_COMMON_HOOKS_H_
#define FIRMWARE_CPP_BOARDS_COMMON_HOOKS_H_

#include <stdint.h>

#include "board.h"

namespace board {

// Brings the core clock up; returns its rate in Hz.
uint32_t ClockInit();

// 115,200 baud, 8N1, interrupt on each received byte, for the clocks that ClockInit() reached.
void UartInit();

// Waits for room in the transmitter and puts one byte into it.
void UartPut(uint8_t byte);

// Takes a received byte from the receiver, if there is one.
bool UartPoll(uint8_t* byte);

// Overruns of the receiver since the last call.
uint32_t UartOverruns();

// Of boards whose UART may have another rate than UartInit() gives it; uart.cc has one that answers 0 for all
// others. The rate that comes nearest to `baud`, which is from 115,200 to 12,000,000; 0: there is none near
// it. `change`: waits until the last bit has left, and gives it to the UART.
uint32_t UartBaud(uint32_t baud, bool change);

// Of boards with BOARD_LED in their board_config.h, after UartInit(): lit while the program waits for bytes.
void Led(bool lit);

// Of boards with BOARD_WATCHDOG in their board_config.h: a timer of the chip's own, which resets it unless it
// is fed within about eight seconds; and what the chip says of its last reset, which it forgets then. Each
// may be asked before ClockInit().
void WatchdogStart();
void WatchdogFeed();
ResetCause ChipResetCause();

// Of boards with BOARD_RESTART in their board_config.h, where the CPU's own request is not enough: resets the
// chip.
void Restart();

// Starts and reads a free-running 32-bit up-counter for emulators, where CYCCNT stands still.
void EmulatedTicksInit();
uint32_t EmulatedTicks();

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_HOOKS_H_
