// FLASH of an STM32F4: RM0090, section 3.9.
#include "chip.h"

namespace chip {
namespace {

constexpr uint32_t kKeyr = 0x40023C04, kSr = 0x40023C0C, kCr = 0x40023C10;
constexpr uint32_t kProgram = 1u << 0, kErase = 1u << 1, kStart = 1u << 16, kLock = 1u << 31;
int g_keys;

}  // namespace

uint32_t Read(uint32_t address) {
  if (address == kSr) return hardware::Cell(kSr) | (Look() ? 1u << 16 : 0);
  if (address == kCr && g_keys < 2) return hardware::Cell(kCr) | kLock;
  return hardware::Cell(address);
}

void Write(uint32_t address, uint32_t value) {
  if (Busy()) hardware::Unsafe("a write while it is busy");
  uint32_t& control = hardware::Cell(kCr);
  if (address == kKeyr) {
    g_keys = value == 0x45670123 ? 1 : value == 0xCDEF89AB && g_keys == 1 ? 2 : 0;
  } else if (address == kSr) {
    hardware::Cell(kSr) &= ~value;
  } else if (address == kCr) {
    if (g_keys < 2) hardware::Unsafe("FLASH_CR is written while it is locked");
    if ((value & kStart) != 0 && (control & kErase) == 0) hardware::Unsafe("started before SER is set");
    control = value & ~(kStart | kLock);
    if ((value & kLock) != 0) g_keys = 0;
    if ((value & kStart) != 0) {
      Start();
      if (Fails()) hardware::Cell(kSr) |= 1u << 4;
    }
  } else if (address >= 0x08000000 && address < 0x08100000) {
    if ((control & kProgram) == 0) hardware::Unsafe("a word without PG");
    if ((control >> 8 & 3) != 2) hardware::Unsafe("a word with another PSIZE");
    Start();
    if (Fails()) hardware::Cell(kSr) |= 1u << 7;
  } else {
    hardware::Cell(address) = value;
  }
}

}  // namespace chip
