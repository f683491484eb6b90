// STM32H743 of revision V: RCC, PWR, SYSCFG, FLASH (RM0433), as a boot loader leaves them: on the PLL. The
// waits: 0 HSI, 1 back to it, 2 supply, 3 VOS1, 4 VOS0, 5 PLL off, 6 PLL on, 7 flash, 8 to the PLL; 9 is
// none, but a chip of revision Y.
#include "hardware.h"

extern "C" {
uint64_t linker_arena_start[1];
extern uint64_t linker_arena_end[1] __attribute__((alias("linker_arena_start")));
}

namespace hardware {
namespace {

constexpr uint32_t kCr = 0x58024400, kCfgr = 0x58024410, kSelect = 0x58024428, kDividers = 0x58024430;
constexpr uint32_t kD1 = 0x58024418, kD2 = 0x5802441C, kD3 = 0x58024420, kUsartSelect = 0x58024454;
constexpr uint32_t kSupply = 0x58024804, kVoltage = 0x58024818, kBoost = 0x5800042C, kFlash = 0x52002000;
constexpr uint32_t kIdCode = 0x5C001000, kUsartStatus = 0x4000481C, kUsartBaud = 0x4000480C;
constexpr uint32_t kAxiSram = 0x51008108, kCaches = 0xE000ED14;
constexpr uint32_t kPllOn = 1u << 24, kPllReady = 1u << 25;
bool g_started;  // the start-up's own PLL, not the boot loader's

uint32_t PllHz() {
  const uint32_t dividers = Cell(kDividers), m = Cell(kSelect) >> 4 & 63;
  return 64000000u / (m == 0 ? 1 : m) * ((dividers & 511) + 1) / ((dividers >> 9 & 127) + 1);
}

bool VoltageReady() {
  if ((Cell(kBoost) & 1) != 0) return !Broken(4);
  return Cell(kVoltage) >> 14 == 3 ? !Broken(3) : true;
}

}  // namespace

void Reset() {
  Cell(kSelect) = 32u << 4;
  Cell(kDividers) = 199u | 1u << 9;  // 200 MHz
  Cell(kCr) = 1u | 1u << 2 | kPllOn | kPllReady;
  Cell(kCfgr) = 3u | 3u << 3;
  Cell(kVoltage) = 3u << 14;
  Cell(kFlash) = 0x12;
  Cell(kIdCode) = (Broken(9) ? 0x1003u : 0x2003u) << 16 | 0x450;
  Cell(kUsartStatus) = 1u << 7;
}

uint32_t Read(uint32_t address) {
  if (address == kSupply) return Broken(2) ? 0 : 1u << 13;
  if (address == kVoltage) return Cell(address) | (VoltageReady() ? 1u << 13 : 0);
  if (address == kCr && Broken(0)) return Cell(address) & ~4u;
  return Cell(address);
}

void Write(uint32_t address, uint32_t value) {
  const uint32_t before = Cell(address);
  if (address == kCr) {
    const bool on = (value & kPllOn) != 0;
    if (!on && (Cell(kCfgr) >> 3 & 7) == 3) Unsafe("the PLL is stopped while the core runs on it");
    g_started = g_started || (on && (before & kPllOn) == 0);
    const bool ready = on ? (before & kPllReady) != 0 || !Broken(6) : Broken(5);
    value = (value & ~kPllReady) | (ready ? kPllReady : 0);
  }
  if ((address == kSelect || address == kDividers) && (Cell(kCr) & kPllReady) != 0) {
    Unsafe("the PLL's settings are written while it runs");
  }
  if (address == kVoltage) value &= ~(1u << 13);
  if (address == kBoost && (value & 1) != 0) {
    if (Cell(kVoltage) >> 14 != 3) Unsafe("VOS0 not from VOS1");
    if (Broken(9)) Unsafe("revision Y has no VOS0");
  }
  if (address == kFlash && Broken(7)) value &= ~15u;
  if (address == kCaches && Cell(kAxiSram) != (Broken(9) ? 1 : 0)) {
    Unsafe("reads from the AXI SRAM overlap on revision Y, or do not on V");
  }
  if (address == kCfgr) {
    const uint32_t wanted = value & 7;
    if (wanted == 3 && (before & 7) != 3) {
      const uint32_t vco = PllHz() * 2;
      if ((Cell(kCr) & kPllReady) == 0) Unsafe("the PLL is not ready");
      if (vco > (Broken(9) ? 836000000u : 960000000u)) Unsafe("the VCO is too fast");
      if (!VoltageReady() || Cell(kVoltage) >> 14 != 3) Unsafe("the voltage is too low");
      if (PllHz() > 400000000 && (Cell(kBoost) & 1) == 0) Unsafe("not at VOS0");
      if (Cell(kFlash) != 0x24) Unsafe("the flash is too slow");
      if (Cell(kD1) != (8u | 4u << 4) || Cell(kD2) != (4u << 4 | 4u << 8) || Cell(kD3) != 4u << 4) {
        Unsafe("a bus is too fast");
      }
    }
    const uint32_t running = before >> 3 & 7;
    const bool stuck = wanted == 3 ? Broken(8) : Broken(1) && !g_started;
    value = (value & ~(7u << 3)) | (stuck ? running : wanted) << 3;
  }
  Cell(address) = value;
}

uint32_t CoreHz() {
  if ((Cell(kCfgr) & 7) != (Cell(kCfgr) >> 3 & 7)) Unsafe("another clock is still asked for");
  return (Cell(kCfgr) >> 3 & 7) == 3 ? PllHz() : 64000000;
}

uint32_t Baud() { return (Cell(kUsartSelect) & 7) == 3 ? 64000000 / Cell(kUsartBaud) : 0; }

}  // namespace hardware
