// Raspberry Pi Pico: 125 MHz from its 12 MHz crystal, UART 0 on GPIO 0 and 1. Core 1 stays where reset put
// it: asleep in the boot ROM. Registers: RP2040 datasheet; the sections are named at each block.
#include <stdint.h>

#include "common/hooks.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"

namespace board {
namespace {

using cortex_m::Register;

// Each register is there three times more: writes set, clear or toggle bits of it (2.1.2).
constexpr uint32_t kSet = 0x2000;
constexpr uint32_t kClear = 0x3000;

// RESETS, 2.14.3.
constexpr uint32_t kResets = 0x4000C000;
constexpr uint32_t kResetsDone = 0x4000C008;
constexpr uint32_t kResetIoBank0 = 1u << 5;
constexpr uint32_t kResetPadsBank0 = 1u << 8;
constexpr uint32_t kResetPllSys = 1u << 12;
constexpr uint32_t kResetUart0 = 1u << 22;

// CLOCKS, 2.15.7.
constexpr uint32_t kClkRefCtrl = 0x40008030;
constexpr uint32_t kClkRefSelected = 0x40008038;
constexpr uint32_t kClkRefRosc = 0;
constexpr uint32_t kClkRefXosc = 2;
constexpr uint32_t kClkRefSourceMask = 3;
constexpr uint32_t kClkSysCtrl = 0x4000803C;
constexpr uint32_t kClkSysDiv = 0x40008040;
constexpr uint32_t kClkSysSelected = 0x40008044;
constexpr uint32_t kClkSysAux = 1;  // source; 0 is clk_ref
constexpr uint32_t kClkSysAuxMask = 7u << 5;
constexpr uint32_t kClkSysAuxPllSys = 0u << 5;
constexpr uint32_t kClkPeriCtrl = 0x40008048;
constexpr uint32_t kClkPeriEnable = 1u << 11;  // from clk_sys: AUXSRC 0
constexpr uint32_t kDivideByOne = 1u << 8;

// XOSC, 2.16.7.
constexpr uint32_t kXoscCtrl = 0x40024000;
constexpr uint32_t kXoscEnable = 0xFABu << 12 | 0xAA0u;  // 1 to 15 MHz
constexpr uint32_t kXoscStatus = 0x40024004;
constexpr uint32_t kXoscStable = 1u << 31;
constexpr uint32_t kXoscStartup = 0x4002400C;

// PLL_SYS, 2.18.4.
constexpr uint32_t kPllCs = 0x40028000;
constexpr uint32_t kPllLocked = 1u << 31;
constexpr uint32_t kPllPower = 0x40028004;
constexpr uint32_t kPllPowerDown = 1u << 0;
constexpr uint32_t kPllPostDividerDown = 1u << 3;
constexpr uint32_t kPllVcoDown = 1u << 5;
constexpr uint32_t kPllFeedback = 0x40028008;
constexpr uint32_t kPllPostDividers = 0x4002800C;

// IO_BANK0, 2.19.6.1: function 2 of GPIO 0 and 1 is UART 0 (2.19.2). PADS_BANK0, 2.19.6.3.
constexpr uint32_t kGpio0Ctrl = 0x40014004;
constexpr uint32_t kGpio1Ctrl = 0x4001400C;
constexpr uint32_t kGpioUart = 2;
constexpr uint32_t kPadGpio1 = 0x4001C008;
constexpr uint32_t kPadPullDown = 1u << 2;
constexpr uint32_t kPadPullUp = 1u << 3;

// UART 0, a PL011 (4.2.8).
constexpr uint32_t kUartDr = 0x40034000;
constexpr uint32_t kUartDrOverrun = 1u << 11;
constexpr uint32_t kUartFr = 0x40034018;
constexpr uint32_t kUartFrReceiveEmpty = 1u << 4;
constexpr uint32_t kUartFrTransmitFull = 1u << 5;
constexpr uint32_t kUartIbrd = 0x40034024;
constexpr uint32_t kUartFbrd = 0x40034028;
constexpr uint32_t kUartLcrH = 0x4003402C;
constexpr uint32_t kUartLcrHFifos = 1u << 4;
constexpr uint32_t kUartLcrH8Bits = 3u << 5;
constexpr uint32_t kUartCr = 0x40034030;
constexpr uint32_t kUartCrEnable = 1u << 0;
constexpr uint32_t kUartCrTransmit = 1u << 8;
constexpr uint32_t kUartCrReceive = 1u << 9;
constexpr uint32_t kUartImsc = 0x40034038;
constexpr uint32_t kUartReceiveInterrupt = 1u << 4;
constexpr uint32_t kUartTimeoutInterrupt = 1u << 6;

constexpr uint32_t kXoscHz = 12000000;
// VCO 1500 MHz, of 750 to 1600 (2.18.2).
constexpr uint32_t kPllMultiplier = 125, kPllDivider1 = 6, kPllDivider2 = 2;
constexpr uint32_t kPllHz = 125000000;
static_assert(kXoscHz * kPllMultiplier / kPllDivider1 / kPllDivider2 == kPllHz);
// Without the crystal: the ring oscillator's 6.5 MHz, which vary from 1.8 to 12 MHz (2.17), so that nobody
// may hope for the right baud rate. A Pico has a crystal.
constexpr uint32_t kRoscHz = 6500000;

constexpr uint32_t kBaud = 115200;
// A turn takes over 8 cycles: at the ring oscillator's 12 MHz at most these are 60 ms, above the crystal's
// 1 ms and the PLL's lock time.
constexpr uint32_t kWaitLimit = 90000;

uint32_t g_peripheral_hz = kRoscHz;
uint32_t g_overruns;

bool WaitFor(uint32_t address, uint32_t mask) { return cortex_m::WaitFor(address, mask, mask, kWaitLimit); }

// Clocks without glitches answer in SELECTED, a bit for each source (2.15.3).
bool Select(uint32_t control, uint32_t selected, uint32_t mask, uint32_t source) {
  cortex_m::SetField(control, mask, source);
  return WaitFor(selected, 1u << source);
}

bool Release(uint32_t blocks) {
  Register(kResets + kClear) = blocks;
  return WaitFor(kResetsDone, blocks);
}

// A debugger's reset is the cores' alone: clocks and UART may be at work. Back to what a reset of all gives.
void ClocksAsFromReset() {
  Select(kClkSysCtrl, kClkSysSelected, kClkSysAux, 0);
  Select(kClkRefCtrl, kClkRefSelected, kClkRefSourceMask, kClkRefRosc);
  Register(kResets + kSet) = kResetPllSys | kResetUart0;
}

bool CrystalStart() {
  // The crystal is taken for stable after this many times 256 of its cycles: 1 ms (2.16.3).
  Register(kXoscStartup) = (kXoscHz / 1000 + 128) / 256;
  Register(kXoscCtrl) = kXoscEnable;
  return WaitFor(kXoscStatus, kXoscStable);
}

// In the order of 2.18.3.
bool PllStart() {
  if (!Release(kResetPllSys)) return false;
  Register(kPllCs) = 1;  // reference: the crystal, divided by 1
  Register(kPllFeedback) = kPllMultiplier;
  Register(kPllPower + kClear) = kPllPowerDown | kPllVcoDown;
  if (!WaitFor(kPllCs, kPllLocked)) return false;
  Register(kPllPostDividers) = kPllDivider1 << 16 | kPllDivider2 << 12;
  Register(kPllPower + kClear) = kPllPostDividerDown;
  return true;
}

// Returns what clk_sys runs at.
uint32_t SystemClock() {
  ClocksAsFromReset();
  if (!CrystalStart()) return kRoscHz;
  if (!Select(kClkRefCtrl, kClkRefSelected, kClkRefSourceMask, kClkRefXosc)) return kRoscHz;
  if (!PllStart()) return kXoscHz;
  Register(kClkSysDiv) = kDivideByOne;
  Register(kClkSysCtrl) = (Register(kClkSysCtrl) & ~kClkSysAuxMask) | kClkSysAuxPllSys;
  if (!Select(kClkSysCtrl, kClkSysSelected, kClkSysAux, kClkSysAux)) return kXoscHz;
  return kPllHz;
}

}  // namespace

uint32_t ClockInit() {
  g_peripheral_hz = SystemClock();
  Register(kClkPeriCtrl) = kClkPeriEnable;
  return g_peripheral_hz;
}

void UartInit() {
  Release(kResetIoBank0 | kResetPadsBank0 | kResetUart0);
  // Baud rate: clk_peri / 16, divided by a number with 6 binary places (4.2.7.1). LCR_H after it: that write
  // takes it over.
  const uint32_t divider64 = (g_peripheral_hz * 4 + kBaud / 2) / kBaud;
  Register(kUartIbrd) = divider64 / 64;
  Register(kUartFbrd) = divider64 % 64;
  Register(kUartLcrH) = kUartLcrH8Bits | kUartLcrHFifos;
  Register(kUartCr) = kUartCrEnable | kUartCrTransmit | kUartCrReceive;
  // An open line idles high, as the other end's would.
  Register(kPadGpio1 + kClear) = kPadPullDown;
  Register(kPadGpio1 + kSet) = kPadPullUp;
  Register(kGpio0Ctrl) = kGpioUart;
  Register(kGpio1Ctrl) = kGpioUart;
  // The FIFO of 32 bytes interrupts when it is half full (UARTIFLS from reset), and when what it holds has
  // waited for 32 bit times.
  Register(kUartImsc) = kUartReceiveInterrupt | kUartTimeoutInterrupt;
}

void UartPut(uint8_t byte) {
  while ((Register(kUartFr) & kUartFrTransmitFull) != 0) {
  }
  Register(kUartDr) = byte;
}

// Both interrupts fall when the FIFO has been read empty.
bool UartPoll(uint8_t* byte) {
  if ((Register(kUartFr) & kUartFrReceiveEmpty) != 0) return false;
  const uint32_t data = Register(kUartDr);
  if ((data & kUartDrOverrun) != 0) ++g_overruns;  // at least one byte was lost
  *byte = static_cast<uint8_t>(data);
  return true;
}

uint32_t UartOverruns() {
  const uint32_t overruns = g_overruns;
  g_overruns = 0;
  return overruns;
}

}  // namespace board
