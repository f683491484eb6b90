#include "board.h"

#include "board_config.h"
#include "common/hooks.h"
#include "common/isr.h"
#include "cpu.h"

namespace board {

const char* Name() { return kName; }

void Init() {
  const uint32_t core_hz = ClockInit();
  cpu::EnableUartInterrupt();
  cpu::EnableInterrupts();
  CounterInit(core_hz);  // with the UART still off: a byte's interrupt would spoil the calibration
  UartOpen();
}

void WaitForInterrupt() {
  // With interrupts off a byte cannot slip in between the look and the sleep.
  const cpu::InterruptsOff off;
  if (UartAvailable() == 0) cpu::Sleep();
}

}  // namespace board
