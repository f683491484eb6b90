#include "board.h"

#include "board_config.h"
#include "common/hooks.h"
#include "common/isr.h"
#include "cpu.h"
#ifdef BOARD_USB_VENDOR
#include "usb/serial_port.h"
#endif

namespace board {

const char* Name() { return kName; }

void Init() {
  const uint32_t core_hz = ClockInit();
  cpu::EnableUartInterrupt();
  cpu::EnableInterrupts();
  CounterInit(core_hz);  // with the UART still off: a byte's interrupt would spoil the calibration
  UartOpen();
#ifdef BOARD_USB_VENDOR
  usb::Open();
#endif
}

void WaitForInterrupt() {
  // With interrupts off a byte cannot slip in between the look and the sleep.
  const cpu::InterruptsOff off;
#ifdef BOARD_LED
  Led(true);
#endif
  if (UartAvailable() == 0) cpu::Sleep();
#ifdef BOARD_LED
  Led(false);
#endif
}

}  // namespace board
