#include "board.h"

#include "board_config.h"
#include "common/cortex_m.h"
#include "common/hooks.h"
#include "common/isr.h"

namespace board {

const char* Name() { return kName; }

void Init() {
  const uint32_t core_hz = ClockInit();
  cortex_m::EnableInterrupt(kUartInterrupt);
  asm volatile("cpsie i" ::: "memory");
  CounterInit(core_hz);  // with the UART still off: a byte's interrupt would spoil the calibration
  UartInit();
}

void WaitForInterrupt() {
  // With interrupts off a byte cannot slip in between the look and the sleep; WFI wakes for it all the same,
  // and its handler runs when they are on again (ARMv7-M reference manual, B1.5.19).
  const cortex_m::InterruptsOff off;
  if (UartAvailable() == 0) asm volatile("dsb\n wfi" ::: "memory");
}

}  // namespace board
