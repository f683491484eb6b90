// FLASH of an STM32H743, two banks: RM0433, section 4.9.
#include "chip.h"

namespace chip {
namespace {

constexpr uint32_t kFirst = 0x52002000, kSecond = 0x52002100;
constexpr uint32_t kKeyr = 0x04, kCr = 0x0C, kSr = 0x10, kCcr = 0x14;
constexpr uint32_t kProgram = 1u << 1, kErase = 1u << 2, kStart = 1u << 7;
constexpr uint32_t kUncorrectable = 1u << 26;
int g_keys[2];
int g_words;  // of the flash word under way

int BankOf(uint32_t address) { return address >= kSecond ? 1 : 0; }
bool IsFlash(uint32_t address) { return address >= 0x08000000 && address < 0x08200000; }
uint32_t& RegisterOf(int bank, uint32_t offset) { return hardware::Cell(kFirst + bank * 0x100 + offset); }

}  // namespace

uint32_t Read(uint32_t address) {
  if (IsFlash(address)) {
    const bool masked = (hardware::Cell(0xE000ED14) & 1u << 8) != 0;
    if (!masked) hardware::Unsafe("a load that may fault");
    if (Fails()) RegisterOf(address >= 0x08100000, kSr) |= kUncorrectable;
    return 0x03020100 + (address & 0xFF) * 0x01010101;
  }
  if (address >= kFirst && address < kSecond + 0x100) {
    const int bank = BankOf(address);
    if (address % 0x100 == kSr) return RegisterOf(bank, kSr) | (Look() ? 1u << 2 : 0);
    if (address % 0x100 == kCr) return RegisterOf(bank, kCr) | (g_keys[bank] < 2 ? 1 : 0);
  }
  return hardware::Cell(address);
}

void Write(uint32_t address, uint32_t value) {
  if (IsFlash(address)) {
    const int bank = address >= 0x08100000;
    if ((RegisterOf(bank, kCr) & kProgram) == 0) hardware::Unsafe("a word without PG");
    if (address % 32 != static_cast<uint32_t>(g_words) * 4) hardware::Unsafe("not the flash word's next word");
    g_words = (g_words + 1) % 8;
    if (g_words == 0) {
      Start();
      if (Fails()) RegisterOf(bank, kSr) |= 1u << 17;
    }
    return;
  }
  if (address < kFirst || address >= kSecond + 0x100) {
    hardware::Cell(address) = value;
    return;
  }
  if (Busy()) hardware::Unsafe("a write while it is busy");
  const int bank = BankOf(address);
  const uint32_t offset = address % 0x100;
  if (offset == kKeyr) {
    g_keys[bank] = value == 0x45670123 ? 1 : value == 0xCDEF89AB && g_keys[bank] == 1 ? 2 : 0;
  } else if (offset == kCcr) {
    RegisterOf(bank, kSr) &= ~value;
  } else if (offset == kCr) {
    if (g_keys[bank] < 2) hardware::Unsafe("FLASH_CR is written while it is locked");
    if (g_words != 0) hardware::Unsafe("FLASH_CR is written within a flash word");
    const bool started = (value & kStart) != 0;
    if (started && (RegisterOf(bank, kCr) & kErase) == 0) hardware::Unsafe("started before SER is set");
    if ((value & 1) != 0) {
      g_keys[bank] = 0;
      if (RegisterOf(bank, kCr) != 0) hardware::Unsafe("locked with PG or SER set");
    }
    RegisterOf(bank, kCr) = value & ~(kStart | 1u);
    if (started) {
      Start();
      if (Fails()) RegisterOf(bank, kSr) |= 1u << 17;
    }
  }
}

}  // namespace chip
