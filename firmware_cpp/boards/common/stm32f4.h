// An STM32F4 on its internal oscillator (no two boards share a crystal): the hooks of hooks.h but for
// the emulator's. A board's board_config.h gives, in namespace board::stm32f4, the PLL (kPllM, kPllN, kPllQ),
// kVoltageScale and kOverDrive, and its UART (kUsart, kUsartOnApb2, kUsartEnable) on the pins kTransmitPin
// and kReceivePin of port kPort (0 is A); one of its sources includes this file. Registers: RM0090 rev 19
// (STM32F405) and RM0390 rev 6 (STM32F446), which agree but where both are named; the sections at each block
// are RM0090's, then RM0390's.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_STM32F4_H_
#define FIRMWARE_CPP_BOARDS_COMMON_STM32F4_H_

#include <stdint.h>

#include "board_config.h"
#include "common/hooks.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"

namespace board {
namespace stm32_watchdog {

// Sections 21.4 and 20.4; RCC_CSR, sections 7.3.21 and 6.3.21.
constexpr uint32_t kIwdg = 0x40003000;
constexpr uint32_t kResetFlags = 0x40023874;
constexpr uint32_t kForget = 1u << 24;
constexpr uint32_t kBrownOut = 1u << 25, kPin = 1u << 26, kPowerOn = 1u << 27, kSoftware = 1u << 28;
constexpr uint32_t kWatchdog = 1u << 29 | 1u << 30;  // either

}  // namespace stm32_watchdog

namespace stm32f4 {

using cortex_m::Register;
using cortex_m::SetBits;
using cortex_m::SetField;

// RCC, sections 7.3 and 6.3.
constexpr uint32_t kRccCr = 0x40023800;
constexpr uint32_t kRccCrHsiOn = 1u << 0;
constexpr uint32_t kRccCrPllOn = 1u << 24;
constexpr uint32_t kRccCrPllReady = 1u << 25;
constexpr uint32_t kRccPllCfgr = 0x40023804;
constexpr uint32_t kRccPllCfgrR2 = 2u << 28;  // of the STM32F446, where less than 2 is not allowed
constexpr uint32_t kRccCfgr = 0x40023808;
constexpr uint32_t kRccCfgrSwMask = 3u << 0;
constexpr uint32_t kRccCfgrSwHsi = 0u << 0;
constexpr uint32_t kRccCfgrSwPll = 2u << 0;
constexpr uint32_t kRccCfgrSwsMask = 3u << 2;
constexpr uint32_t kRccCfgrSwsHsi = 0u << 2;
constexpr uint32_t kRccCfgrSwsPll = 2u << 2;
constexpr uint32_t kRccCfgrDividersMask = 0xFu << 4 | 7u << 10 | 7u << 13;  // AHB, APB1, APB2
constexpr uint32_t kRccCfgrApb1Div4 = 5u << 10;
constexpr uint32_t kRccCfgrApb2Div2 = 4u << 13;
constexpr uint32_t kRccAhb1Enr = 0x40023830;
constexpr uint32_t kRccAhb1EnrGpio = 1u << kPort;
constexpr uint32_t kRccApb1Enr = 0x40023840;
constexpr uint32_t kRccApb1EnrPower = 1u << 28;
constexpr uint32_t kRccApb2Enr = 0x40023844;

// PWR, sections 5.4 and 5.4.
constexpr uint32_t kPwrCr = 0x40007000;
constexpr uint32_t kPwrCrOverDrive = 1u << 16;
constexpr uint32_t kPwrCrOverDriveSwitch = 1u << 17;
constexpr uint32_t kPwrCsr = 0x40007004;
constexpr uint32_t kPwrCsrOverDriveReady = 1u << 16;
constexpr uint32_t kPwrCsrOverDriveSwitchReady = 1u << 17;

// FLASH_ACR, sections 3.9 and 3.8; 5 wait states from 150 to 180 MHz at 2.7 to 3.6 V (RM0090 table 10, RM0390
// table 5).
constexpr uint32_t kFlashAcr = 0x40023C00;
constexpr uint32_t kFlashAcrLatencyMask = 7u;
constexpr uint32_t kFlashAcrLatency = 5u;
constexpr uint32_t kFlashAcrPrefetch = 1u << 8;
constexpr uint32_t kFlashAcrInstructionCache = 1u << 9;
constexpr uint32_t kFlashAcrDataCache = 1u << 10;

// GPIO, sections 8.4 and 7.4. Alternate function 7 is USART1, 2 or 3 (data sheets DS8626, table 9, and
// DS10693, table 11).
constexpr uint32_t kGpio = 0x40020000 + kPort * 0x400;
constexpr uint32_t kGpioMode = kGpio + 0x0;
constexpr uint32_t kGpioPull = kGpio + 0xC;
constexpr uint32_t kGpioAlternate = kGpio + 0x20;  // four bits a pin, in two registers
constexpr uint32_t kGpioModeAlternate = 2;
constexpr uint32_t kGpioPullUp = 1;
constexpr uint32_t kAlternateUsart = 7;

// USART, sections 30.6 and 25.6.
constexpr uint32_t kUsartSr = kUsart + 0x0;
constexpr uint32_t kUsartSrOverrun = 1u << 3;
constexpr uint32_t kUsartSrReceived = 1u << 5;
constexpr uint32_t kUsartSrTransmitComplete = 1u << 6;  // the shift register is empty, too
constexpr uint32_t kUsartSrTransmitEmpty = 1u << 7;
constexpr uint32_t kUsartDr = kUsart + 0x4;
constexpr uint32_t kUsartBrr = kUsart + 0x8;
constexpr uint32_t kUsartCr1 = kUsart + 0xC;
constexpr uint32_t kUsartCr1Receive = 1u << 2;
constexpr uint32_t kUsartCr1Transmit = 1u << 3;
constexpr uint32_t kUsartCr1ReceiveInterrupt = 1u << 5;
constexpr uint32_t kUsartCr1Enable = 1u << 13;

constexpr uint32_t kHsiHz = 16000000;
constexpr uint32_t kPllHz = kHsiHz / kPllM * kPllN / 2;  // PLLP = 0 divides by 2
static_assert(kHsiHz % kPllM == 0 && kHsiHz / kPllM >= 1000000 && kHsiHz / kPllM <= 2000000);
static_assert(kPllHz <= (kOverDrive ? 180000000 : 168000000));
static_assert(2 * kPllHz / kPllQ <= 48000000);

constexpr uint32_t kLeastDivider = 16;  // of the clock, with 16 samples a bit (sections 30.3.4 and 25.4.4)
// Far above the PLL's 300 us (DS8626, table 38) at 16 MHz; in QEMU RCC reads 0 for ever.
constexpr uint32_t kWaitLimit = 20000;

inline uint32_t g_usart_hz = kHsiHz;
inline uint32_t g_overruns;

inline bool WaitFor(uint32_t address, uint32_t mask, uint32_t value) {
  return cortex_m::WaitFor(address, mask, value, kWaitLimit);
}

// From whatever clock a boot loader left, to the state after reset. False: the core still runs on another
// one.
inline bool BackToHsi() {
  SetBits(kRccCr, kRccCrHsiOn);
  SetField(kRccCfgr, kRccCfgrSwMask, kRccCfgrSwHsi);
  return WaitFor(kRccCfgr, kRccCfgrSwsMask, kRccCfgrSwsHsi);
}

// Above 168 MHz the regulator must be in over-drive mode, entered on HSI with the PLL running (RM0390,
// section 5.1.4).
inline bool OverDrive() {
  SetBits(kPwrCr, kPwrCrOverDrive);
  if (!WaitFor(kPwrCsr, kPwrCsrOverDriveReady, kPwrCsrOverDriveReady)) return false;
  SetBits(kPwrCr, kPwrCrOverDriveSwitch);
  return WaitFor(kPwrCsr, kPwrCsrOverDriveSwitchReady, kPwrCsrOverDriveSwitchReady);
}

inline void ConnectPin(uint32_t pin) {
  SetField(kGpioAlternate + pin / 8 * 4, 0xFu << pin % 8 * 4, kAlternateUsart << pin % 8 * 4);
  SetField(kGpioPull, 3u << pin * 2, kGpioPullUp << pin * 2);  // an open line is idle
  SetField(kGpioMode, 3u << pin * 2, kGpioModeAlternate << pin * 2);
}

inline uint32_t DividerFor(uint32_t baud) { return (g_usart_hz + baud / 2) / baud; }

}  // namespace stm32f4

uint32_t ClockInit() {
  using namespace stm32f4;
  if (!BackToHsi()) return kHsiHz;
  SetField(kRccCfgr, kRccCfgrDividersMask, 0);
  SetField(kRccCr, kRccCrPllOn, 0);  // its settings and the voltage's scale hold still while it runs
  if (!WaitFor(kRccCr, kRccCrPllReady, 0)) return kHsiHz;
  SetBits(kRccApb1Enr, kRccApb1EnrPower);
  SetBits(kPwrCr, kVoltageScale);
  Register(kRccPllCfgr) = kPllM | kPllN << 6 | kPllQ << 24 | (kOverDrive ? kRccPllCfgrR2 : 0);
  SetBits(kRccCr, kRccCrPllOn);
  if (!WaitFor(kRccCr, kRccCrPllReady, kRccCrPllReady)) return kHsiHz;
  if (kOverDrive && !OverDrive()) return kHsiHz;
  // A flash too slow for the clock reads rubbish: stay slow unless the wait states are in force.
  Register(kFlashAcr) = kFlashAcrLatency | kFlashAcrPrefetch | kFlashAcrInstructionCache | kFlashAcrDataCache;
  if (!WaitFor(kFlashAcr, kFlashAcrLatencyMask, kFlashAcrLatency)) return kHsiHz;
  SetField(kRccCfgr, kRccCfgrDividersMask, kRccCfgrApb1Div4 | kRccCfgrApb2Div2);
  constexpr uint32_t kDivider = kUsartOnApb2 ? 2 : 4;
  g_usart_hz = kHsiHz / kDivider;
  SetField(kRccCfgr, kRccCfgrSwMask, kRccCfgrSwPll);
  if (!WaitFor(kRccCfgr, kRccCfgrSwsMask, kRccCfgrSwsPll)) {
    BackToHsi();  // or the switch might come later, and the baud rate be wrong
    return kHsiHz;
  }
  g_usart_hz = kPllHz / kDivider;
  return kPllHz;
}

void UartInit() {
  using namespace stm32f4;
  SetBits(kRccAhb1Enr, kRccAhb1EnrGpio);
  SetBits(kUsartOnApb2 ? kRccApb2Enr : kRccApb1Enr, kUsartEnable);
  ConnectPin(kTransmitPin);
  ConnectPin(kReceivePin);
  Register(kUsartBrr) = DividerFor(kUartBaud);
  Register(kUsartCr1) = kUsartCr1Enable | kUsartCr1Transmit | kUsartCr1Receive | kUsartCr1ReceiveInterrupt;
}

void UartPut(uint8_t byte) {
  using namespace stm32f4;
  while ((Register(kUsartSr) & kUsartSrTransmitEmpty) == 0) {
  }
  Register(kUsartDr) = byte;
}

bool UartPoll(uint8_t* byte) {
  using namespace stm32f4;
  const uint32_t status = Register(kUsartSr);
  if ((status & (kUsartSrReceived | kUsartSrOverrun)) == 0) return false;
  const uint32_t data = Register(kUsartDr);  // after SR, this read clears both flags
  if ((status & kUsartSrOverrun) != 0) ++g_overruns;
  if ((status & kUsartSrReceived) == 0) return false;
  *byte = static_cast<uint8_t>(data);
  return true;
}

uint32_t UartBaud(uint32_t baud, bool change) {
  using namespace stm32f4;
  const uint32_t divider = DividerFor(baud);
  if (divider < kLeastDivider) return 0;
  if (change) {
    while ((Register(kUsartSr) & kUsartSrTransmitComplete) == 0) {
    }
    Register(kUsartBrr) = divider;
  }
  return g_usart_hz / divider;
}

uint32_t UartOverruns() {
  const uint32_t overruns = stm32f4::g_overruns;
  stm32f4::g_overruns = 0;
  return overruns;
}

}  // namespace board

#include "common/stm32_watchdog.h"

#endif  // FIRMWARE_CPP_BOARDS_COMMON_STM32F4_H_
