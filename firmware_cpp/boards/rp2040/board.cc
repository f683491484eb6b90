// Raspberry Pi Pico: 125 MHz from its 12 MHz crystal, UART 0 on GPIO 0 and 1, USB. Registers: RP2040
// datasheet; the sections are named at each block. How they are used is in boards/common/rp2.h.
#include <stdint.h>

#include "cortex_m/registers.h"

namespace board {
namespace rp2 {

// RESETS, 2.14.3.
constexpr uint32_t kResets = 0x4000C000;
constexpr uint32_t kResetIoBank0 = 1u << 5;
constexpr uint32_t kResetPadsBank0 = 1u << 8;
constexpr uint32_t kResetPllSys = 1u << 12;
constexpr uint32_t kResetPllUsb = 1u << 13;
constexpr uint32_t kResetUart0 = 1u << 22;
constexpr uint32_t kResetUsb = 1u << 24;

constexpr uint32_t kClocks = 0x40008000;  // 2.15.7
constexpr uint32_t kClkUsb = kClocks + 0x54;
constexpr uint32_t kDivideByOne = 1u << 8;
constexpr uint32_t kXosc = 0x40024000;    // 2.16.7
constexpr uint32_t kPllSys = 0x40028000;  // 2.18.4
constexpr uint32_t kPllUsb = 0x4002C000;
constexpr uint32_t kIoBank0 = 0x40014000;    // 2.19.6.1
constexpr uint32_t kPadsBank0 = 0x4001C000;  // 2.19.6.3
constexpr uint32_t kPadInput = 0;            // a pad's input is enabled from reset on
constexpr uint32_t kUart0 = 0x40034000;      // 4.2.8
constexpr uint32_t kPsm = 0x40010000;        // 2.13
constexpr uint32_t kPsmCore1 = 1u << 16;
constexpr uint32_t kPsmAllButOscillators = 0x1FFFC;
constexpr uint32_t kWatchdog = 0x40058000;  // 4.7.6
constexpr uint32_t kWatchdogTicks = 2;      // erratum RP2040-E1: it counts down twice a tick
constexpr uint32_t kWatchdogTick = kWatchdog + 0x2C;
constexpr uint32_t kWatchdogTickEnable = 1u << 9;  // with the cycles of clk_ref below it
constexpr uint32_t kLedSet = 0xD0000014;           // SIO, 2.3.1.7
constexpr uint32_t kLedClear = 0xD0000018;
constexpr uint32_t kLedEnableSet = 0xD0000024;

// VCO 1500 MHz, of 750 to 1600 (2.18.2).
constexpr uint32_t kPllMultiplier = 125, kPllDivider1 = 6, kPllDivider2 = 2;
constexpr uint32_t kPllHz = 125000000;
// Without the crystal: the ring oscillator's 6.5 MHz, which vary from 1.8 to 12 MHz (2.17), so that nobody
// may hope for the right baud rate. A Pico has a crystal.
constexpr uint32_t kRoscHz = 6500000;

inline void CrystalTaken() {}
inline void BeforePeripheralClock() {}
inline void PinsChosen() {}
inline void StartWatchdogTick() { cortex_m::Register(kWatchdogTick) = kWatchdogTickEnable | 12; }

}  // namespace rp2
}  // namespace board

#include "common/rp2.h"
#include "common/rp2_usb.h"
#include "common/rp2_watchdog.h"
#if SQUEEZE_CORES == 2
#include "common/rp2_cores.h"
#endif

// The boot ROM, 2.8.3: half-words tell where its table of functions is, and the function that looks a code of
// two letters up in it.
void usb::ResetToLoader() {
  constexpr uint32_t kReset = 'U' | 'B' << 8;  // reset_to_usb_boot(pins that show activity, what is disabled)
  const uint32_t table = cortex_m::RomWord(0x14) & 0xFFFF;
  const uint32_t look_up = cortex_m::RomWord(0x18) & 0xFFFF;
  if (look_up == 0) return;
  const uint32_t reset = cortex_m::Call(look_up, table, kReset);
  if (reset != 0) cortex_m::Call(reset, board::rp2::kLedBit, 0);
}
