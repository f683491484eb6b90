// Interrupt handlers run through RunIsr(), which takes their time out of Counter().
#ifndef FIRMWARE_CPP_BOARDS_COMMON_ISR_H_
#define FIRMWARE_CPP_BOARDS_COMMON_ISR_H_

namespace board {

// Calls `body` and accounts for what it spent. Each handler in the vector table is nothing but one call of
// this, so that what the two reads of the counter do not see is the same for all of them, and measured once.
void RunIsr(void (*body)());

// Body of the handler of the timer that cpu::StartWrapTimer() starts.
void WrapBody();

// Of WrapBody(): feeds the watchdog of a program that is at work.
void WatchdogTick();

// UartInit(), and from then on ReceiveBody() looks at the UART.
void UartOpen();

// Body of the handler of the UART's interrupt: takes what has been received.
void ReceiveBody();

// Chooses, starts and calibrates the counter. `core_hz`: from ClockInit(). Interrupts must be on, and
// nothing may raise one but the calibration's own probes.
void CounterInit(unsigned core_hz);

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_ISR_H_
