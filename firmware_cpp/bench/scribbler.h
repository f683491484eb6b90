// A tick interrupt at odd moments that overwrites all that an interrupt may: the stack below the interrupted
// program, and every register that the core saves for it.
#ifndef FIRMWARE_CPP_BENCH_SCRIBBLER_H_
#define FIRMWARE_CPP_BENCH_SCRIBBLER_H_

#include <stdint.h>

namespace bench {

// Takes SysTick away from board::Counter(), which is of no use from then on.
void StartScribbling();

// Stops it; returns how many interrupts there were.
uint32_t StopScribbling();

}  // namespace bench

#endif  // FIRMWARE_CPP_BENCH_SCRIBBLER_H_
