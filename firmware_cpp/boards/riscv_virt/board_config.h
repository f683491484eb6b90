// Numbers of QEMU's RISC-V `virt` machine for common/ and riscv/. QEMU's documentation, "virt" generic
// virtual platform; addresses and interrupts as in the device tree that `-machine dumpdtb=` writes.
#ifndef FIRMWARE_CPP_BOARDS_RISCV_VIRT_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_RISCV_VIRT_BOARD_CONFIG_H_

#include <stdint.h>

#define BOARD_RESTART

namespace board {

constexpr char kName[] = "riscv_virt";
constexpr uint32_t kUartInterrupt = 10;
// The 10 MHz timer of the CLINT: 100 instructions of a nanosecond.
constexpr uint32_t kEmulatedTickHz = 10000000;
constexpr uint32_t kInstructionsPerTickNumerator = 100;
constexpr uint32_t kInstructionsPerTickDenominator = 1;

constexpr uint32_t kClint = 0x02000000;
constexpr uint32_t kPlic = 0x0C000000;
constexpr bool kCyclesAreInstructions = true;

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_RISCV_VIRT_BOARD_CONFIG_H_
