// NVMC of an nRF52840: product specification 1.7, section 4.3.
#include "chip.h"

namespace chip {
namespace {

constexpr uint32_t kReady = 0x4001E400, kConfig = 0x4001E504, kErasePage = 0x4001E508;

}  // namespace

uint32_t Read(uint32_t address) {
  if (address == kReady) return Look() ? 0 : 1;
  return hardware::Cell(address);
}

void Write(uint32_t address, uint32_t value) {
  if (Busy()) hardware::Unsafe("a write while it is busy");
  const uint32_t config = hardware::Cell(kConfig);
  if (address == kErasePage) {
    if (config != 2) hardware::Unsafe("an erase that is not enabled");
    if (value % 4096 != 0) hardware::Unsafe("no page begins there");
    Start();
  }
  if (address < 0x100000) {
    if (config != 1) hardware::Unsafe("a write that is not enabled");
    Start();
  }
  hardware::Cell(address) = value;
}

}  // namespace chip
