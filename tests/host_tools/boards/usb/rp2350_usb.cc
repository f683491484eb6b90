// The RP2350's USB device controller, and the clocks and resets that it needs, as far as start-up and a serial port
// touch them (RP2350 datasheet, chapters 7, 8 and 12.7), as after a reset. The waits: 0 PLL out of reset, 1 its lock,
// 2 the controller out of reset, 3 an abort. The shared memory's bytes are at its own address, in a page of the host's.
#include <stdio.h>
#include <sys/mman.h>

#include "hardware.h"

namespace hardware {
namespace {

constexpr uint32_t kResets = 0x40020000, kClkUsb = 0x40010060, kPll = 0x40058000;
constexpr uint32_t kDpram = 0x50100000, kUsb = 0x50110000;
constexpr uint32_t kResetPll = 1u << 15, kResetUsb = 1u << 28;
constexpr uint32_t kMain = kUsb + 0x40, kSie = kUsb + 0x4C, kStatus = kUsb + 0x50, kBuffers = kUsb + 0x58;
constexpr uint32_t kAbort = kUsb + 0x60, kAbortDone = kUsb + 0x64, kMuxing = kUsb + 0x74, kPower = kUsb + 0x78;
constexpr uint32_t kIsolated = 1u << 2, kEnabled = 1u << 0, kPullDown = 1u << 15, kPullUp = 1u << 16;
constexpr uint32_t kAvailable = 1u << 10;

uint32_t UsbHz() {
  const uint32_t control = Cell(kClkUsb), divider = Cell(kClkUsb + 4) >> 16;
  const uint32_t down = 1u << 0 | 1u << 3 | 1u << 5;
  if ((control & 1u << 11) == 0 || (control >> 5 & 7) != 0 || divider == 0 || (Cell(kPll + 4) & down) != 0) return 0;
  const uint32_t vco = 12000000 / (Cell(kPll) & 0x3F) * Cell(kPll + 8);
  if (vco < 750000000 || vco > 1600000000) Unsafe("the VCO is out of its range");
  return vco / (Cell(kPll + 0xC) >> 16 & 7) / (Cell(kPll + 0xC) >> 12 & 7) / divider;
}

void CheckPullUp() {
  if ((Cell(kMain) & kIsolated) != 0) Unsafe("the pull-up is on, but the PHY is isolated");
  if ((Cell(kMain) & kEnabled) == 0) Unsafe("the pull-up is on, but the controller is not");
  if ((Cell(kSie) & kPullDown) != 0) Unsafe("the pull-up and the pull-down are on");
  if ((Cell(kMuxing) & 9) != 9 || (Cell(kPower) & 0xC) != 0xC) Unsafe("the pull-up is on, without PHY or VBUS");
  if (UsbHz() != 48000000) Unsafe("the pull-up is on, without a clock of 48 MHz");
  for (uint32_t at = kDpram + 8; at < kDpram + 0x100; at += 4) {
    if (Cell(at) != 0) Unsafe("an endpoint is as it was before the reset");
  }
}

}  // namespace

void Reset() {
  Cell(kResets) = 0x1FFFFFFF;
  Cell(kMain) = kIsolated;
  Cell(kSie) = kPullDown;
  Cell(kPll) = 1;
  Cell(kPll + 4) = 0x2D;
  Cell(kPll + 0xC) = 7u << 16 | 7u << 12;
  Cell(kClkUsb + 4) = 1u << 16;
  for (uint32_t at = 0; at < 0x100; at += 4) Cell(kDpram + at) = 0xDEADBEEF;
  mmap(reinterpret_cast<void*>(uintptr_t{kDpram}), 4096, PROT_READ | PROT_WRITE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

uint32_t Read(uint32_t address) {
  if (address == kResets + 8) {
    return ~(Cell(kResets) | (Broken(0) ? kResetPll : 0) | (Broken(2) ? kResetUsb : 0)) & 0x1FFFFFFF;
  }
  if (address == kPll) return Cell(kPll) | (Broken(1) ? 0 : 1u << 31);
  if (address == 0x14) return 0x0123u | 0x4567u << 16;  // of the boot ROM: its table, and who looks up in it
  return Cell(address);
}

void Write(uint32_t address, uint32_t value) {
  const bool dpram = address >= kDpram && address < kDpram + 0x1000;
  const uint32_t alias = dpram ? 0 : address & 0x3000;
  if (!dpram) address &= ~0x3000u;
  const uint32_t before = Cell(address);
  if (alias == 0x1000) value ^= before;
  if (alias == 0x2000) value |= before;
  if (alias == 0x3000) value = before & ~value;
  if (address >= kDpram && address < kUsb + 0x1000 && (Cell(kResets) & kResetUsb) != 0) {
    Unsafe("the controller is written while it is in reset");
  }
  if (address >= kPll && address < kPll + 0x20 && (Cell(kResets) & kResetPll) != 0) {
    Unsafe("the PLL is written while it is in reset");
  }
  if (address == kStatus || address == kBuffers || address == kAbortDone) value = before & ~value;
  if (address >= kDpram + 0x80 && address < kDpram + 0x100 && (value & kAvailable) != 0 &&
      ((value ^ before) & ~kAvailable) != 0) {
    Unsafe("a buffer is handed over together with what is said of it");
  }
  Cell(address) = value;
  if (address == kAbort && !Broken(3)) Cell(kAbortDone) |= value;
  if (address == kSie && (value & kPullUp) != 0) CheckPullUp();
}

uint32_t Call(uint32_t address, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  printf("call %x %x %x %x %x\n", address, a, b, c, d);
  return address == 0x4567 ? 0x89AB : 0;
}

}  // namespace hardware
