// The UART of an MPS board's FPGA image (DDI 0479D, table 4-2). It has no clock to start.
#include "board_config.h"
#include "hardware.h"

namespace hardware {

void Reset() {}

uint32_t Read(uint32_t address) { return Cell(address); }

void Write(uint32_t address, uint32_t value) {
  if (address == board::kCmsdkUart + 0x10 && value < 16) Unsafe("the divider is below 16");
  Cell(address) = value;
}

uint32_t CoreHz() { return board::kCoreHz; }

uint32_t Baud() { return board::kCoreHz / Cell(board::kCmsdkUart + 0x10); }

}  // namespace hardware
