// Arduino Nano 33 BLE (nRF52840, 64 MHz), UART0 on the pins TX and RX. Registers: nRF52840 product
// specification 1.7; the chapters are named at each block.
#include <stdint.h>

#include "board_config.h"
#include "common/hooks.h"
#include "cortex_m/cortex_m.h"

namespace board {
namespace {

using cortex_m::Register;

// CLOCK, 5.4. The core runs at 64 MHz from reset, from an oscillator too inexact for a serial port (5.4.4.1:
// up to 8 %); the crystal replaces it once started.
constexpr uint32_t kClockStartHfxo = 0x40000000;
constexpr uint32_t kClockStatus = 0x4000040C;
constexpr uint32_t kClockStatusHfxoRuns = 1u << 16 | 1u << 0;

// NVMC, 4.3: cache of the flash's instructions.
constexpr uint32_t kNvmcCache = 0x4001E540;
constexpr uint32_t kNvmcCacheEnable = 1u << 0;

// Access port protection, 4.8: chips from revision 3 on lock the debug port at each reset, unless UICR says
// otherwise and the firmware confirms it. Older ones ignore the write.
constexpr uint32_t kUicrProtection = 0x10001208;
constexpr uint32_t kApProtectDisable = 0x40000558;
constexpr uint32_t kApProtectOpen = 0x5A;

// WDT, 6.36, which counts 32,768 Hz and does not stop in sleep; POWER, 5.3.7.4: why the chip was reset.
constexpr uint32_t kWatchdogStart = 0x40010000;
constexpr uint32_t kWatchdogReload = 0x40010504;
constexpr uint32_t kWatchdogConfig = 0x4001050C;
constexpr uint32_t kWatchdogRunsInSleep = 1u << 0;  // and not while a debugger has halted the core
constexpr uint32_t kWatchdogFeed = 0x40010600;      // RR[0], the one that is in use from reset on
constexpr uint32_t kWatchdogFeedWord = 0x6E524635;
constexpr uint32_t kWatchdogSeconds = 8;
constexpr uint32_t kResetReason = 0x40000400;
constexpr uint32_t kResetByPin = 1u << 0, kResetByWatchdog = 1u << 1, kResetBySoftware = 1u << 2;

// GPIO, 6.9: port 1. The board's TX is P1.03, its RX P1.10 (Arduino ABX00030, pinout).
constexpr uint32_t kPort1OutSet = 0x50000808;
constexpr uint32_t kPort1PinConfig = 0x50000A00;          // a word a pin
constexpr uint32_t kPinConfigOutput = 1u << 0 | 1u << 1;  // with the input buffer off
constexpr uint32_t kPinConfigInputPullUp = 3u << 2;
constexpr uint32_t kTransmitPin = 3;
constexpr uint32_t kReceivePin = 10;
constexpr uint32_t kSelectPort1 = 1u << 5;

// UART without DMA, 6.33. Six bytes wait behind RXD; each that reaches it raises RXDRDY again.
constexpr uint32_t kUartStartReceive = 0x40002000;
constexpr uint32_t kUartStartTransmit = 0x40002008;
constexpr uint32_t kUartReceived = 0x40002108;
constexpr uint32_t kUartTransmitted = 0x4000211C;
constexpr uint32_t kUartInterruptSet = 0x40002304;
constexpr uint32_t kUartInterruptReceived = 1u << 2;
constexpr uint32_t kUartErrorSource = 0x40002480;
constexpr uint32_t kUartErrorOverrun = 1u << 0;  // written back, errors are cleared
constexpr uint32_t kUartErrorAll = 0xF;
constexpr uint32_t kUartEnable = 0x40002500;
constexpr uint32_t kUartEnableOff = 0;
constexpr uint32_t kUartEnableOn = 4;
constexpr uint32_t kUartSelectRts = 0x40002508;
constexpr uint32_t kUartSelectTxd = 0x4000250C;
constexpr uint32_t kUartSelectCts = 0x40002510;
constexpr uint32_t kUartSelectRxd = 0x40002514;
constexpr uint32_t kUartSelectNone = ~0u;
constexpr uint32_t kUartRxd = 0x40002518;
constexpr uint32_t kUartTxd = 0x4000251C;
constexpr uint32_t kUartBaudRate = 0x40002524;
constexpr uint32_t kUartConfig = 0x4000256C;  // 0: 8N1 without flow control

constexpr uint32_t kCoreHz = 64000000;
// Each wait ends: 100,000 reads of a register take some 10 ms, and the crystal starts in 0.4 ms (5.4.4.3).
constexpr uint32_t kWaitLimit = 100000;

// What BAUDRATE may be, and what the rate then really is.
struct Rate {
  uint32_t asked, real, setting;
};
constexpr Rate kRates[] = {
    {115200, 115942, 0x01D7E000}, {230400, 231884, 0x03AFB000}, {250000, 250000, 0x04000000},
    {460800, 470588, 0x075F7000}, {921600, 941176, 0x0EBED000}, {1000000, 1000000, 0x10000000},
};

bool g_transmitting;

void UartStart(uint32_t setting) {
  Register(kUartEnable) = kUartEnableOff;
  Register(kUartBaudRate) = setting;
  Register(kUartReceived) = 0;
  Register(kUartTransmitted) = 0;
  Register(kUartErrorSource) = kUartErrorAll;
  Register(kUartEnable) = kUartEnableOn;
  Register(kUartInterruptSet) = kUartInterruptReceived;
  Register(kUartStartTransmit) = 1;
  Register(kUartStartReceive) = 1;
}

void WaitForTransmitter() {
  if (!g_transmitting) return;
  while (Register(kUartTransmitted) == 0) {
  }
}

}  // namespace

uint32_t ClockInit() {
  if ((Register(kUicrProtection) & 0xFF) == kApProtectOpen) Register(kApProtectDisable) = kApProtectOpen;
  Register(kNvmcCache) = kNvmcCacheEnable;
  Register(kClockStartHfxo) = 1;
  for (uint32_t i = 0; i < kWaitLimit; ++i) {
    if ((Register(kClockStatus) & kClockStatusHfxoRuns) == kClockStatusHfxoRuns) break;
  }
  return kCoreHz;  // without a crystal, too, if less exactly
}

void UartInit() {
  Register(kPort1OutSet) = 1u << kTransmitPin;  // an idle line is high
  Register(kPort1PinConfig + 4 * kTransmitPin) = kPinConfigOutput;
  Register(kPort1PinConfig + 4 * kReceivePin) = kPinConfigInputPullUp;
  Register(kUartEnable) = kUartEnableOff;  // pins are taken over only while it is off
  Register(kUartSelectTxd) = kSelectPort1 | kTransmitPin;
  Register(kUartSelectRxd) = kSelectPort1 | kReceivePin;
  Register(kUartSelectRts) = kUartSelectNone;
  Register(kUartSelectCts) = kUartSelectNone;
  Register(kUartConfig) = 0;
  UartStart(kRates[0].setting);
}

uint32_t UartBaud(uint32_t baud, bool change) {
  for (const Rate& rate : kRates) {
    if (rate.asked != baud) continue;
    if (change) {
      WaitForTransmitter();
      g_transmitting = false;
      UartStart(rate.setting);
    }
    return rate.real;
  }
  return 0;
}

void UartPut(uint8_t byte) {
  WaitForTransmitter();
  Register(kUartTransmitted) = 0;
  [[maybe_unused]] const uint32_t read =
      Register(kUartTransmitted);  // written through before the byte can be out
  g_transmitting = true;
  Register(kUartTxd) = byte;
}

bool UartPoll(uint8_t* byte) {
  if (Register(kUartReceived) == 0) return false;
  Register(kUartReceived) = 0;  // before RXD is read, which moves the next byte up
  [[maybe_unused]] const uint32_t read = Register(kUartReceived);
  *byte = static_cast<uint8_t>(Register(kUartRxd));
  return true;
}

uint32_t UartOverruns() {
  const uint32_t errors = Register(kUartErrorSource);
  if (errors != 0) Register(kUartErrorSource) = errors;
  return errors & kUartErrorOverrun;
}

void WatchdogStart() {
  Register(kWatchdogConfig) = kWatchdogRunsInSleep;
  Register(kWatchdogReload) = kWatchdogSeconds * 32768 - 1;
  Register(kWatchdogStart) = 1;
}

void WatchdogFeed() { Register(kWatchdogFeed) = kWatchdogFeedWord; }

// Bits are cleared by writing them. The boot loader may have done so before; no bit is set after power-on.
ResetCause ChipResetCause() {
  const uint32_t reason = Register(kResetReason);
  Register(kResetReason) = reason;
  if ((reason & kResetByWatchdog) != 0) return ResetCause::kWatchdog;
  if ((reason & kResetBySoftware) != 0) return ResetCause::kSoftware;
  return (reason & kResetByPin) != 0 ? ResetCause::kPin : ResetCause::kUnknown;
}

}  // namespace board
