// What the trap table (startup.cc) leads to.
#ifndef FIRMWARE_CPP_BOARDS_RISCV_TRAPS_H_
#define FIRMWARE_CPP_BOARDS_RISCV_TRAPS_H_

#include "common/isr.h"

namespace riscv {

// Bodies of the handlers of the three interrupts of machine mode.
void TimerBody();
void SoftwareBody();
void ExternalBody();

}  // namespace riscv

#endif  // FIRMWARE_CPP_BOARDS_RISCV_TRAPS_H_
