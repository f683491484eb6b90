// An RP2040 or RP2350 on its 12 MHz crystal, with UART 0 on GPIO 0 and 1: the hooks of hooks.h. Core 1 stays
// where reset put it, asleep in the boot ROM, unless rp2_cores.h launches it. The chip's source gives, in
// namespace board::rp2, where its blocks of registers are, their bits in RESETS, the PLL's dividers and the
// ring oscillator's speed, the SIO's registers for the LED; and what else it needs: CrystalTaken(),
// BeforePeripheralClock(), PinsChosen() and kPadInput. Then it includes this file.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_RP2_H_
#define FIRMWARE_CPP_BOARDS_COMMON_RP2_H_

#include <stdint.h>

#include "common/hooks.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"

namespace board {
namespace rp2 {

using cortex_m::Register;

// Each register is there three times more: writes set, clear or toggle bits of it.
constexpr uint32_t kSet = 0x2000;
constexpr uint32_t kClear = 0x3000;

constexpr uint32_t kResetsDone = kResets + 0x08;

constexpr uint32_t kClkRefCtrl = kClocks + 0x30;
constexpr uint32_t kClkRefSelected = kClocks + 0x38;
constexpr uint32_t kClkRefRosc = 0;
constexpr uint32_t kClkRefXosc = 2;
constexpr uint32_t kClkRefSourceMask = 3;
constexpr uint32_t kClkSysCtrl = kClocks + 0x3C;
constexpr uint32_t kClkSysDiv = kClocks + 0x40;
constexpr uint32_t kClkSysSelected = kClocks + 0x44;
constexpr uint32_t kClkSysAux = 1;  // source; 0 is clk_ref
constexpr uint32_t kClkSysAuxMask = 7u << 5;
constexpr uint32_t kClkSysAuxPllSys = 0u << 5;
constexpr uint32_t kClkPeriCtrl = kClocks + 0x48;
constexpr uint32_t kClkPeriEnable = 1u << 11;  // from clk_sys: AUXSRC 0

constexpr uint32_t kXoscCtrl = kXosc;
constexpr uint32_t kXoscEnable = 0xFABu << 12 | 0xAA0u;  // 1 to 15 MHz
constexpr uint32_t kXoscStatus = kXosc + 0x04;
constexpr uint32_t kXoscStable = 1u << 31;
constexpr uint32_t kXoscStartup = kXosc + 0x0C;

// A PLL: its registers' place, its bit in RESETS, and what it makes of the crystal.
struct Pll {
  uint32_t base, reset, multiplier, divider1, divider2;
};
constexpr Pll kSystemPll = {kPllSys, kResetPllSys, kPllMultiplier, kPllDivider1, kPllDivider2};
constexpr uint32_t kPllLocked = 1u << 31;
constexpr uint32_t kPllPower = 0x04;  // behind its base, as the next two
constexpr uint32_t kPllPowerDown = 1u << 0;
constexpr uint32_t kPllPostDividerDown = 1u << 3;
constexpr uint32_t kPllVcoDown = 1u << 5;
constexpr uint32_t kPllFeedback = 0x08;
constexpr uint32_t kPllPostDividers = 0x0C;

// GPIO 25 is the LED of a Pico; of one with a radio, which has the LED, it is a pin of the radio that is off.
constexpr uint32_t kLedCtrl = kIoBank0 + 0xCC;
constexpr uint32_t kGpioSio = 5;
constexpr uint32_t kLedBit = 1u << 25;

// Function 2 of GPIO 0 and 1 is UART 0.
constexpr uint32_t kGpio0Ctrl = kIoBank0 + 0x04;
constexpr uint32_t kGpio1Ctrl = kIoBank0 + 0x0C;
constexpr uint32_t kGpioUart = 2;
constexpr uint32_t kPadGpio1 = kPadsBank0 + 0x08;
constexpr uint32_t kPadPullDown = 1u << 2;
constexpr uint32_t kPadPullUp = 1u << 3;

// A PL011.
constexpr uint32_t kUartDr = kUart0;
constexpr uint32_t kUartDrOverrun = 1u << 11;
constexpr uint32_t kUartFr = kUart0 + 0x18;
constexpr uint32_t kUartFrBusy = 1u << 3;  // until the last stop bit has left
constexpr uint32_t kUartFrReceiveEmpty = 1u << 4;
constexpr uint32_t kUartFrTransmitFull = 1u << 5;
constexpr uint32_t kUartIbrd = kUart0 + 0x24;
constexpr uint32_t kUartFbrd = kUart0 + 0x28;
constexpr uint32_t kUartLcrH = kUart0 + 0x2C;
constexpr uint32_t kUartLcrHFifos = 1u << 4;
constexpr uint32_t kUartLcrH8Bits = 3u << 5;
constexpr uint32_t kUartCr = kUart0 + 0x30;
constexpr uint32_t kUartCrEnable = 1u << 0;
constexpr uint32_t kUartCrTransmit = 1u << 8;
constexpr uint32_t kUartCrReceive = 1u << 9;
constexpr uint32_t kUartImsc = kUart0 + 0x38;
constexpr uint32_t kUartReceiveInterrupt = 1u << 4;
constexpr uint32_t kUartTimeoutInterrupt = 1u << 6;

constexpr uint32_t kLeastDivider = 64;  // in 64ths

constexpr uint32_t kXoscHz = 12000000;
static_assert(kXoscHz * kPllMultiplier / kPllDivider1 / kPllDivider2 == kPllHz);

// A turn takes over 8 cycles: at a ring oscillator's 24 MHz at most these are 30 ms, above the crystal's few
// and the PLL's lock time.
constexpr uint32_t kWaitLimit = 90000;

inline uint32_t g_peripheral_hz = kRoscHz;
inline uint32_t g_overruns;

inline bool WaitFor(uint32_t address, uint32_t mask) {
  return cortex_m::WaitFor(address, mask, mask, kWaitLimit);
}

// Clocks without glitches answer in SELECTED, a bit for each source.
inline bool Select(uint32_t control, uint32_t selected, uint32_t mask, uint32_t source) {
  cortex_m::SetField(control, mask, source);
  return WaitFor(selected, 1u << source);
}

inline bool Release(uint32_t blocks) {
  Register(kResets + kClear) = blocks;
  return WaitFor(kResetsDone, blocks);
}

// A debugger's reset is the cores' alone: clocks and UART may be at work. Back to what a reset of all gives.
inline void ClocksAsFromReset() {
  Select(kClkSysCtrl, kClkSysSelected, kClkSysAux, 0);
  Select(kClkRefCtrl, kClkRefSelected, kClkRefSourceMask, kClkRefRosc);
  Register(kResets + kSet) = kResetPllSys | kResetUart0;
}

inline bool CrystalStart() {
  // The crystal is taken for stable after this many times 256 of its cycles: 1 ms.
  Register(kXoscStartup) = (kXoscHz / 1000 + 128) / 256;
  Register(kXoscCtrl) = kXoscEnable;
  return WaitFor(kXoscStatus, kXoscStable);
}

// In the order of the datasheets' section on programming it.
inline bool PllStart(const Pll& pll) {
  if (!Release(pll.reset)) return false;
  Register(pll.base) = 1;  // reference: the crystal, divided by 1
  Register(pll.base + kPllFeedback) = pll.multiplier;
  Register(pll.base + kPllPower + kClear) = kPllPowerDown | kPllVcoDown;
  if (!WaitFor(pll.base, kPllLocked)) return false;
  Register(pll.base + kPllPostDividers) = pll.divider1 << 16 | pll.divider2 << 12;
  Register(pll.base + kPllPower + kClear) = kPllPostDividerDown;
  return true;
}

// Returns what clk_sys runs at.
inline uint32_t SystemClock() {
  ClocksAsFromReset();
  if (!CrystalStart()) return kRoscHz;
  if (!Select(kClkRefCtrl, kClkRefSelected, kClkRefSourceMask, kClkRefXosc)) return kRoscHz;
  CrystalTaken();
  if (!PllStart(kSystemPll)) return kXoscHz;
  Register(kClkSysDiv) = kDivideByOne;
  Register(kClkSysCtrl) = (Register(kClkSysCtrl) & ~kClkSysAuxMask) | kClkSysAuxPllSys;
  if (!Select(kClkSysCtrl, kClkSysSelected, kClkSysAux, kClkSysAux)) return kXoscHz;
  return kPllHz;
}

// Baud rate: clk_peri / 16, divided by a number with 6 binary places (PL011); this is the number times 64.
inline uint32_t DividerFor(uint32_t baud) { return (g_peripheral_hz * 4 + baud / 2) / baud; }

// The divider and LCR_H are written while it is off; LCR_H after the divider, because that write takes it
// over.
inline void UartStart(uint32_t divider64) {
  Register(kUartCr) = 0;
  Register(kUartIbrd) = divider64 / 64;
  Register(kUartFbrd) = divider64 % 64;
  Register(kUartLcrH) = kUartLcrH8Bits | kUartLcrHFifos;
  Register(kUartCr) = kUartCrEnable | kUartCrTransmit | kUartCrReceive;
}

}  // namespace rp2

uint32_t ClockInit() {
  rp2::g_peripheral_hz = rp2::SystemClock();
  rp2::BeforePeripheralClock();
  rp2::Register(rp2::kClkPeriCtrl) = rp2::kClkPeriEnable;
  return rp2::g_peripheral_hz;
}

void UartInit() {
  rp2::Release(rp2::kResetIoBank0 | rp2::kResetPadsBank0 | rp2::kResetUart0);
  rp2::UartStart(rp2::DividerFor(kUartBaud));
  // An open line idles high, as the other end's would.
  rp2::Register(rp2::kPadGpio1 + rp2::kClear) = rp2::kPadPullDown;
  rp2::Register(rp2::kPadGpio1 + rp2::kSet) = rp2::kPadPullUp | rp2::kPadInput;
  rp2::Register(rp2::kGpio0Ctrl) = rp2::kGpioUart;
  rp2::Register(rp2::kGpio1Ctrl) = rp2::kGpioUart;
  rp2::Register(rp2::kLedEnableSet) = rp2::kLedBit;
  rp2::Register(rp2::kLedCtrl) = rp2::kGpioSio;
  rp2::PinsChosen();
  // The FIFO of 32 bytes interrupts when it is half full (UARTIFLS from reset), and when what it holds has
  // waited for 32 bit times.
  rp2::Register(rp2::kUartImsc) = rp2::kUartReceiveInterrupt | rp2::kUartTimeoutInterrupt;
}

void UartPut(uint8_t byte) {
  while ((rp2::Register(rp2::kUartFr) & rp2::kUartFrTransmitFull) != 0) {
  }
  rp2::Register(rp2::kUartDr) = byte;
}

// Both interrupts fall when the FIFO has been read empty.
bool UartPoll(uint8_t* byte) {
  if ((rp2::Register(rp2::kUartFr) & rp2::kUartFrReceiveEmpty) != 0) return false;
  const uint32_t data = rp2::Register(rp2::kUartDr);
  if ((data & rp2::kUartDrOverrun) != 0) ++rp2::g_overruns;  // at least one byte was lost
  *byte = static_cast<uint8_t>(data);
  return true;
}

uint32_t UartBaud(uint32_t baud, bool change) {
  const uint32_t divider = rp2::DividerFor(baud);
  if (divider < rp2::kLeastDivider) return 0;
  if (change) {
    while ((rp2::Register(rp2::kUartFr) & rp2::kUartFrBusy) != 0) {
    }
    rp2::UartStart(divider);
  }
  return rp2::g_peripheral_hz * 4 / divider;
}

void Led(bool lit) { rp2::Register(lit ? rp2::kLedSet : rp2::kLedClear) = rp2::kLedBit; }

uint32_t UartOverruns() {
  const uint32_t overruns = rp2::g_overruns;
  rp2::g_overruns = 0;
  return overruns;
}

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_RP2_H_
