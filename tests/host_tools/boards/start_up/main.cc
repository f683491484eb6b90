// Runs a board's start-up on simulated hardware: main STEP, the wait to fail (-1: none). Prints what the
// board believes of its clock, what the registers say, the baud rate, and whatever was unsafe. With
// SQUEEZE_CORES=2 also whether its second core is said to have started, and whether it has.
#include <stdio.h>
#include <stdlib.h>


#include "common/hooks.h"
#include "hardware.h"
#if SQUEEZE_CORES == 2
#include "common/second_core_hooks.h"
#include "cortex_m/cortex_m.h"
#endif

int main(int /*count*/, char** arguments) {
  hardware::Break(atoi(arguments[1]));
  hardware::Reset();
  const uint32_t believed = board::ClockInit();
  board::UartInit();
  printf("believed %u\nactual %u\nbaud %u\n", believed, hardware::CoreHz(), hardware::Baud());
  board::UartPut('x');
#if SQUEEZE_CORES == 2
  static uint32_t stack[1];
  const auto word = [](auto* pointer) { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer)); };
  void (*const entry)() = hardware::Reset;  // any function
  hardware::Cell(cortex_m::kVtor) = 0x10000100;
  const bool said = second_core::Hold() && second_core::Release(entry, stack);
  const hardware::Start start = hardware::SecondCore();
  const bool right = start.vectors == 0x10000100 && start.stack == word(stack) && start.entry == word(entry);
  printf("said %d\nstarted %d\n", said, right);
#endif
}
