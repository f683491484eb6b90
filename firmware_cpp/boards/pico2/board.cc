// Raspberry Pi Pico 2: 150 MHz from its 12 MHz crystal, UART 0 on GPIO 0 and 1, USB. Registers: RP2350
// datasheet; the sections are named at each block. How they are used is in boards/common/rp2.h.
#include <stdint.h>

#include "cortex_m/registers.h"

namespace board {
namespace rp2 {

// RESETS, 7.5.
constexpr uint32_t kResets = 0x40020000;
constexpr uint32_t kResetIoBank0 = 1u << 6;
constexpr uint32_t kResetPadsBank0 = 1u << 9;
constexpr uint32_t kResetPllSys = 1u << 14;
constexpr uint32_t kResetPllUsb = 1u << 15;
constexpr uint32_t kResetUart0 = 1u << 26;
constexpr uint32_t kResetUsb = 1u << 28;

constexpr uint32_t kClocks = 0x40010000;  // 8.1.7
constexpr uint32_t kClkUsb = kClocks + 0x60;
constexpr uint32_t kDivideByOne = 1u << 16;
constexpr uint32_t kXosc = 0x40048000;    // 8.2.8
constexpr uint32_t kPllSys = 0x40050000;  // 8.6.5
constexpr uint32_t kPllUsb = 0x40058000;
constexpr uint32_t kIoBank0 = 0x40028000;    // 9.11.1
constexpr uint32_t kPadsBank0 = 0x40038000;  // 9.11.3
constexpr uint32_t kPadInput = 1u << 6;      // unlike the RP2040's, a pad has none until it is asked for
constexpr uint32_t kPadIsolated = 1u << 8;   // from reset on: holds the pin as it is (9.7)
constexpr uint32_t kUart0 = 0x40070000;      // 12.1
constexpr uint32_t kPsm = 0x40018000;        // 7.4
constexpr uint32_t kPsmCore1 = 1u << 24;
constexpr uint32_t kPsmAllButOscillators = 0x01FFFFF3;
constexpr uint32_t kWatchdog = 0x400D8000;  // 12.9.7
constexpr uint32_t kWatchdogTicks = 1;
constexpr uint32_t kTicksWatchdog = 0x40108030;  // 8.5: enable, then the cycles of clk_ref
constexpr uint32_t kLedSet = 0xD0000018;         // SIO, 3.1.11
constexpr uint32_t kLedClear = 0xD0000020;
constexpr uint32_t kLedEnableSet = 0xD0000038;

// VCO 1500 MHz, of 750 to 1600 (8.6.3). The boot ROM reads the flash at a third of clk_sys at most, here 50
// MHz.
constexpr uint32_t kPllMultiplier = 125, kPllDivider1 = 5, kPllDivider2 = 2;
constexpr uint32_t kPllHz = 150000000;
// Without the crystal: the ring oscillator's 11 MHz, which vary from 4.6 to 24 MHz (8.3.1), so that nobody
// may hope for the right baud rate. A Pico 2 has a crystal.
constexpr uint32_t kRoscHz = 11000000;

// From revision A3 on, the boot ROM runs the ring oscillator four times as fast, and divides it in
// CLK_REF_DIV (8.3.1).
inline void CrystalTaken() { cortex_m::Register(kClocks + 0x34) = kDivideByOne; }

inline void BeforePeripheralClock() { cortex_m::Register(kClocks + 0x4C) = kDivideByOne; }  // CLK_PERI_DIV

// Now that all is chosen, the pins may follow: GPIO 0, 1 and 25. 0x3000 on: writes clear bits (2.1.3).
inline void PinsChosen() {
  cortex_m::Register(kPadsBank0 + 0x04 + 0x3000) = kPadIsolated;
  cortex_m::Register(kPadsBank0 + 0x08 + 0x3000) = kPadIsolated;
  cortex_m::Register(kPadsBank0 + 0x68 + 0x3000) = kPadIsolated;
}

inline void StartWatchdogTick() {
  cortex_m::Register(kTicksWatchdog + 0x4) = 12;
  cortex_m::Register(kTicksWatchdog) = 1;
}

}  // namespace rp2
}  // namespace board

#include "common/rp2.h"
#include "common/rp2_usb.h"
#include "common/rp2_watchdog.h"
#if SQUEEZE_CORES == 2
#include "common/rp2_cores.h"
#endif

// The boot ROM, 5.4.1: a half-word tells where the function is that looks a code of two letters up.
void usb::ResetToLoader() {
  constexpr uint32_t kReboot = 'R' | 'B' << 8;  // reboot(flags, milliseconds, two parameters)
  constexpr uint32_t kForSecureArm = 1u << 2;
  constexpr uint32_t kToLoader = 2, kWithoutReturn = 1u << 8;
  const uint32_t look_up = cortex_m::RomWord(0x14) >> 16;
  if (look_up == 0) return;
  const uint32_t reboot = cortex_m::Call(look_up, kReboot, kForSecureArm);
  if (reboot != 0) cortex_m::Call(reboot, kToLoader | kWithoutReturn, 10, 0, 0);
}
