// The boot ROM's functions and the SSI of an RP2040: datasheet 2.8.3.1.3 and 4.10.13.
#include <stdio.h>

#include "chip.h"

namespace hardware {
void Note(const char* what);
}

namespace chip {
namespace {

constexpr uint32_t kTable = 0x7A, kLookUp = 0x1D, kFunctions = 0x2000;
constexpr uint32_t kEnable = 0x18000008, kStatus = 0x18000028, kSpiControl0 = 0x180000F4;

uint32_t& SpiControl() {
  static bool first = true;
  uint32_t& cell = hardware::Cell(kSpiControl0);
  if (first) cell = Fails() ? 0x03000218 : 0xA0002022;  // FAILS: a flash that is read by one line
  first = false;
  return cell;
}

}  // namespace

uint32_t Read(uint32_t address) {
  if (address == 0x14) return kTable;
  if (address == 0x18) return kLookUp;
  if (address == kStatus) return Look() ? 1 : 4;
  return address == kSpiControl0 ? SpiControl() : hardware::Cell(address);
}

void Write(uint32_t address, uint32_t value) {
  const bool enabled = hardware::Cell(kEnable) != 0;
  const bool data = address == 0x18000060;
  if (data != enabled && address != kEnable) hardware::Unsafe(data ? "data before SSIENR" : "changed while it is on");
  if (data) Start();
  if (address == kEnable && Busy()) hardware::Unsafe("off while it is busy");
  if (address == kSpiControl0) SpiControl() = value;
  hardware::Cell(address) = value;
}

}  // namespace chip

uint32_t hardware::Call(uint32_t address, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  if (address == chip::kLookUp) {
    if (a != chip::kTable) Unsafe("another table");
    return chip::kFunctions + b;
  }
  const uint32_t code = address - chip::kFunctions;
  const char name[] = {static_cast<char>(code), static_cast<char>(code >> 8), 0};
  char line[80];
  // The address of a page in SRAM is any.
  snprintf(line, sizeof(line), name[1] == 'P' ? "call %s %X page %X" : "call %s %X %X %X %X", name, a,
           name[1] == 'P' ? c : b, c, d);
  Note(line);
  return 0;
}

#if SQUEEZE_CORES == 2
namespace second_core {

bool Hold() {
  hardware::Note("core 1 held");
  return true;
}
bool Launch() {
  hardware::Note("core 1 launched");
  return true;
}

}  // namespace second_core
#endif
