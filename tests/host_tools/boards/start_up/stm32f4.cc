// STM32F405 and F446: RCC, PWR, FLASH (RM0090, RM0390), as a boot loader leaves them: on the PLL. The waits:
// 0 back to HSI, 1 PLL off, 2 PLL on, 3 over-drive, 4 its switch, 5 flash, 6 to the PLL.
#include "board_config.h"
#include "hardware.h"

namespace hardware {
namespace {

constexpr uint32_t kCr = 0x40023800, kPll = 0x40023804, kCfgr = 0x40023808, kPwr = 0x40007000;
constexpr uint32_t kPwrStatus = 0x40007004, kFlash = 0x40023C00, kSr = board::stm32f4::kUsart;
constexpr uint32_t kPllOn = 1u << 24, kPllReady = 1u << 25;
bool g_started;  // the start-up's own PLL, not the boot loader's

uint32_t PllHz() {
  const uint32_t pll = Cell(kPll);
  return 16000000u / (pll & 63) * (pll >> 6 & 511) / (2 * ((pll >> 16 & 3) + 1));
}

}  // namespace

void Reset() {
  Cell(kPll) = 16u | 192u << 6 | 4u << 24;  // 96 MHz
  Cell(kCr) = 1u | kPllOn | kPllReady;
  Cell(kCfgr) = 2u | 2u << 2 | 4u << 10;
  Cell(kFlash) = 3;
  Cell(kSr) = 1u << 7;
}

uint32_t Read(uint32_t address) { return Cell(address); }

void Write(uint32_t address, uint32_t value) {
  const uint32_t before = Cell(address);
  if (address == kCr) {
    const bool on = (value & kPllOn) != 0;
    if (!on && (Cell(kCfgr) >> 2 & 3) == 2) Unsafe("the PLL is stopped while the core runs on it");
    g_started = g_started || on;
    const bool ready = on ? !Broken(2) : Broken(1) && (before & kPllReady) != 0;
    value = (value & ~kPllReady) | (ready ? kPllReady : 0);
  }
  if (address == kPll && (Cell(kCr) & kPllReady) != 0) Unsafe("PLLCFGR is written while the PLL runs");
  if (address == kFlash && Broken(5)) value &= ~15u;
  if (address == kPwr) {
    Cell(kPwrStatus) = ((value >> 16 & 1) != 0 && !Broken(3) ? 1u << 16 : 0) |
                       ((value >> 17 & 1) != 0 && !Broken(4) ? 1u << 17 : 0);
    if ((value >> 17 & 1) != 0 && (Cell(kPwrStatus) >> 16 & 1) == 0) Unsafe("over-drive is not ready");
  }
  if (address == kCfgr) {
    const uint32_t wanted = value & 3;
    const bool to_pll = wanted == 2 && (before & 3) != 2;
    if (to_pll) {
      if ((Cell(kCr) & kPllReady) == 0) Unsafe("the PLL is not ready");
      if ((Cell(kFlash) & 15) < 5) Unsafe("the flash is too slow");
      if (PllHz() > 168000000 && (Cell(kPwrStatus) >> 17 & 1) == 0) Unsafe("no over-drive");
      if ((value >> 10 & 7) != 5 || (value >> 13 & 7) != 4) Unsafe("a peripheral bus is too fast");
    }
    const uint32_t running = before >> 2 & 3;
    const bool stuck = wanted == 2 ? Broken(6) : wanted == 0 && Broken(0) && !g_started;
    value = (value & ~12u) | (stuck ? running : wanted) << 2;
  }
  Cell(address) = value;
}

uint32_t CoreHz() {
  if ((Cell(kCfgr) & 3) != (Cell(kCfgr) >> 2 & 3)) Unsafe("another clock is still asked for");
  return (Cell(kCfgr) >> 2 & 3) == 2 ? PllHz() : 16000000;
}

uint32_t Baud() {
  const uint32_t field = board::stm32f4::kUsartOnApb2 ? Cell(kCfgr) >> 13 & 7 : Cell(kCfgr) >> 10 & 7;
  return (CoreHz() >> (field < 4 ? 0 : field - 3)) / Cell(board::stm32f4::kUsart + 8);
}

}  // namespace hardware
