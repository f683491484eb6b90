// nRF52840: CLOCK and UART. The wait 0: the crystal.
#include "hardware.h"

namespace hardware {
namespace {

constexpr uint32_t kUart = 0x40002000;
constexpr uint32_t kTransmitted = 0x4000211C;

}  // namespace

void Reset() {
  for (uint32_t pin = 0x508; pin <= 0x514; pin += 4) Cell(kUart + pin) = ~0u;
}

uint32_t Read(uint32_t address) {
  if (address == 0x4000040C) return Cell(0x40000000) == 1 && !Broken(0) ? 1u << 16 | 1u : 1u << 16;
  return Cell(address);
}

void Write(uint32_t address, uint32_t value) {
  const bool pin = address >= kUart + 0x508 && address <= kUart + 0x514;
  if (pin && Cell(kUart + 0x500) != 0) Unsafe("a pin is chosen while the UART is on");
  if (address == kUart + 0x51C && Cell(kTransmitted) != 0) Unsafe("TXDRDY was not cleared");
  Cell(address) = value;
}

uint32_t CoreHz() { return 64000000; }

// Of the 16 MHz that UART0 runs from, BAUDRATE / 2^32 (the published values follow it).
uint32_t Baud() {
  const bool on = Cell(kUart + 0x500) == 4 && Cell(kUart) == 1 && Cell(kUart + 8) == 1;
  const bool pins = Cell(kUart + 0x50C) == 32 + 3 && Cell(kUart + 0x514) == 32 + 10;
  return on && pins ? static_cast<uint32_t>(uint64_t{Cell(kUart + 0x524)} * 16000000 >> 32) : 0;
}

}  // namespace hardware
