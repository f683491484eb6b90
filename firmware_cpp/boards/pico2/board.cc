// Raspberry Pi Pico 2: 150 MHz from its 12 MHz crystal, UART 0 on GPIO 0 and 1. Core 1 stays where reset put
// it: asleep in the boot ROM. Registers: RP2350 datasheet; the sections are named at each block.
#include <stdint.h>

#include "common/hooks.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"

namespace board {
namespace {

using cortex_m::Register;

// Each register is there three times more: writes set, clear or toggle bits of it (2.1.3).
constexpr uint32_t kSet = 0x2000;
constexpr uint32_t kClear = 0x3000;

// RESETS, 7.5.
constexpr uint32_t kResets = 0x40020000;
constexpr uint32_t kResetsDone = 0x40020008;
constexpr uint32_t kResetIoBank0 = 1u << 6;
constexpr uint32_t kResetPadsBank0 = 1u << 9;
constexpr uint32_t kResetPllSys = 1u << 14;
constexpr uint32_t kResetUart0 = 1u << 26;

// CLOCKS, 8.1.7.
constexpr uint32_t kClkRefCtrl = 0x40010030;
constexpr uint32_t kClkRefDiv = 0x40010034;
constexpr uint32_t kClkRefSelected = 0x40010038;
constexpr uint32_t kClkRefRosc = 0;
constexpr uint32_t kClkRefXosc = 2;
constexpr uint32_t kClkRefSourceMask = 3;
constexpr uint32_t kClkSysCtrl = 0x4001003C;
constexpr uint32_t kClkSysDiv = 0x40010040;
constexpr uint32_t kClkSysSelected = 0x40010044;
constexpr uint32_t kClkSysAux = 1;  // source; 0 is clk_ref
constexpr uint32_t kClkSysAuxMask = 7u << 5;
constexpr uint32_t kClkSysAuxPllSys = 0u << 5;
constexpr uint32_t kClkPeriCtrl = 0x40010048;
constexpr uint32_t kClkPeriEnable = 1u << 11;  // from clk_sys: AUXSRC 0
constexpr uint32_t kClkPeriDiv = 0x4001004C;
constexpr uint32_t kDivideByOne = 1u << 16;

// XOSC, 8.2.8.
constexpr uint32_t kXoscCtrl = 0x40048000;
constexpr uint32_t kXoscEnable = 0xFABu << 12 | 0xAA0u;  // 1 to 15 MHz
constexpr uint32_t kXoscStatus = 0x40048004;
constexpr uint32_t kXoscStable = 1u << 31;
constexpr uint32_t kXoscStartup = 0x4004800C;

// PLL_SYS, 8.6.5.
constexpr uint32_t kPllCs = 0x40050000;
constexpr uint32_t kPllLocked = 1u << 31;
constexpr uint32_t kPllPower = 0x40050004;
constexpr uint32_t kPllPowerDown = 1u << 0;
constexpr uint32_t kPllPostDividerDown = 1u << 3;
constexpr uint32_t kPllVcoDown = 1u << 5;
constexpr uint32_t kPllFeedback = 0x40050008;
constexpr uint32_t kPllPostDividers = 0x4005000C;

// IO_BANK0, 9.11.1: function 2 of GPIO 0 and 1 is UART 0 (9.4). PADS_BANK0, 9.11.3.
constexpr uint32_t kGpio0Ctrl = 0x40028004;
constexpr uint32_t kGpio1Ctrl = 0x4002800C;
constexpr uint32_t kGpioUart = 2;
constexpr uint32_t kPadGpio0 = 0x40038004;
constexpr uint32_t kPadGpio1 = 0x40038008;
constexpr uint32_t kPadPullDown = 1u << 2;
constexpr uint32_t kPadPullUp = 1u << 3;
constexpr uint32_t kPadInputEnable = 1u << 6;
constexpr uint32_t kPadIsolated = 1u << 8;  // from reset on: holds the pin as it is (9.7)

// UART 0, a PL011 (12.1).
constexpr uint32_t kUartDr = 0x40070000;
constexpr uint32_t kUartDrOverrun = 1u << 11;
constexpr uint32_t kUartFr = 0x40070018;
constexpr uint32_t kUartFrReceiveEmpty = 1u << 4;
constexpr uint32_t kUartFrTransmitFull = 1u << 5;
constexpr uint32_t kUartIbrd = 0x40070024;
constexpr uint32_t kUartFbrd = 0x40070028;
constexpr uint32_t kUartLcrH = 0x4007002C;
constexpr uint32_t kUartLcrHFifos = 1u << 4;
constexpr uint32_t kUartLcrH8Bits = 3u << 5;
constexpr uint32_t kUartCr = 0x40070030;
constexpr uint32_t kUartCrEnable = 1u << 0;
constexpr uint32_t kUartCrTransmit = 1u << 8;
constexpr uint32_t kUartCrReceive = 1u << 9;
constexpr uint32_t kUartImsc = 0x40070038;
constexpr uint32_t kUartReceiveInterrupt = 1u << 4;
constexpr uint32_t kUartTimeoutInterrupt = 1u << 6;

constexpr uint32_t kXoscHz = 12000000;
// VCO 1500 MHz, of 750 to 1600 (8.6.3). The boot ROM reads the flash at a third of clk_sys at most, here 50
// MHz.
constexpr uint32_t kPllMultiplier = 125, kPllDivider1 = 5, kPllDivider2 = 2;
constexpr uint32_t kPllHz = 150000000;
static_assert(kXoscHz * kPllMultiplier / kPllDivider1 / kPllDivider2 == kPllHz);
// Without the crystal: the ring oscillator's 11 MHz, which vary from 4.6 to 24 MHz (8.3.1), so that nobody
// may hope for the right baud rate. A Pico 2 has a crystal.
constexpr uint32_t kRoscHz = 11000000;

constexpr uint32_t kBaud = 115200;
// A turn takes over 8 cycles: at the ring oscillator's 24 MHz at most these are 30 ms, above the crystal's
// few and the PLL's lock time.
constexpr uint32_t kWaitLimit = 90000;

uint32_t g_peripheral_hz = kRoscHz;
uint32_t g_overruns;

bool WaitFor(uint32_t address, uint32_t mask) { return cortex_m::WaitFor(address, mask, mask, kWaitLimit); }

// Clocks without glitches answer in SELECTED, a bit for each source (8.1.3).
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
  // The crystal is taken for stable after this many times 256 of its cycles: 1 ms (8.2.4).
  Register(kXoscStartup) = (kXoscHz / 1000 + 128) / 256;
  Register(kXoscCtrl) = kXoscEnable;
  return WaitFor(kXoscStatus, kXoscStable);
}

// In the order of 8.6.4.
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
  // From revision A3 on, the boot ROM runs the ring oscillator four times as fast, and divides it here
  // (8.3.1).
  Register(kClkRefDiv) = kDivideByOne;
  if (!PllStart()) return kXoscHz;
  Register(kClkSysDiv) = kDivideByOne;
  Register(kClkSysCtrl) = (Register(kClkSysCtrl) & ~kClkSysAuxMask) | kClkSysAuxPllSys;
  if (!Select(kClkSysCtrl, kClkSysSelected, kClkSysAux, kClkSysAux)) return kXoscHz;
  return kPllHz;
}

}  // namespace

uint32_t ClockInit() {
  g_peripheral_hz = SystemClock();
  Register(kClkPeriDiv) = kDivideByOne;
  Register(kClkPeriCtrl) = kClkPeriEnable;
  return g_peripheral_hz;
}

void UartInit() {
  Release(kResetIoBank0 | kResetPadsBank0 | kResetUart0);
  // Baud rate: clk_peri / 16, divided by a number with 6 binary places (12.1). LCR_H after it: that write
  // takes it over.
  const uint32_t divider64 = (g_peripheral_hz * 4 + kBaud / 2) / kBaud;
  Register(kUartIbrd) = divider64 / 64;
  Register(kUartFbrd) = divider64 % 64;
  Register(kUartLcrH) = kUartLcrH8Bits | kUartLcrHFifos;
  Register(kUartCr) = kUartCrEnable | kUartCrTransmit | kUartCrReceive;
  // An open line idles high, as the other end's would. Unlike the RP2040's, a pad has no input until it is
  // asked for.
  Register(kPadGpio1 + kClear) = kPadPullDown;
  Register(kPadGpio1 + kSet) = kPadPullUp | kPadInputEnable;
  Register(kGpio0Ctrl) = kGpioUart;
  Register(kGpio1Ctrl) = kGpioUart;
  // Now that all is chosen, the pins may follow.
  Register(kPadGpio0 + kClear) = kPadIsolated;
  Register(kPadGpio1 + kClear) = kPadIsolated;
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
