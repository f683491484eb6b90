// STM32F405: 168 MHz from the internal oscillator (no two boards share a crystal), USART1 on PA9 and PA10.
// Registers: RM0090 rev 19; the sections are named at each block.
#include <stdint.h>

#include "common/hooks.h"
#include "cortex_m/cortex_m.h"

namespace board {
namespace {

using cortex_m::Register;

// RCC, section 7.3.
constexpr uint32_t kRccCr = 0x40023800;
constexpr uint32_t kRccCrPllOn = 1u << 24;
constexpr uint32_t kRccCrPllReady = 1u << 25;
constexpr uint32_t kRccPllCfgr = 0x40023804;
constexpr uint32_t kRccCfgr = 0x40023808;
constexpr uint32_t kRccCfgrSwMask = 3u << 0;
constexpr uint32_t kRccCfgrSwPll = 2u << 0;
constexpr uint32_t kRccCfgrSwsMask = 3u << 2;
constexpr uint32_t kRccCfgrSwsPll = 2u << 2;
constexpr uint32_t kRccCfgrApb1Div4 = 5u << 10;
constexpr uint32_t kRccCfgrApb2Div2 = 4u << 13;
constexpr uint32_t kRccAhb1Enr = 0x40023830;
constexpr uint32_t kRccAhb1EnrGpioA = 1u << 0;
constexpr uint32_t kRccApb1Enr = 0x40023840;
constexpr uint32_t kRccApb1EnrTim2 = 1u << 0;
constexpr uint32_t kRccApb1EnrPower = 1u << 28;
constexpr uint32_t kRccApb2Enr = 0x40023844;
constexpr uint32_t kRccApb2EnrUsart1 = 1u << 4;

// PWR_CR, section 5.4: VOS = 1 (scale 1) is what 168 MHz needs.
constexpr uint32_t kPwrCr = 0x40007000;
constexpr uint32_t kPwrCrVos = 1u << 14;

// FLASH_ACR, section 3.9; 5 wait states at 168 MHz and 2.7 to 3.6 V (table 10).
constexpr uint32_t kFlashAcr = 0x40023C00;
constexpr uint32_t kFlashAcrLatencyMask = 7u;
constexpr uint32_t kFlashAcrLatency = 5u;
constexpr uint32_t kFlashAcrPrefetch = 1u << 8;
constexpr uint32_t kFlashAcrInstructionCache = 1u << 9;
constexpr uint32_t kFlashAcrDataCache = 1u << 10;

// GPIOA, section 8.4. PA9 and PA10 carry USART1 as alternate function 7 (data sheet DS8626, table 9).
constexpr uint32_t kGpioAMode = 0x40020000;
constexpr uint32_t kGpioAPull = 0x4002000C;
constexpr uint32_t kGpioAAlternateHigh = 0x40020024;

// USART1, section 30.6.
constexpr uint32_t kUsartSr = 0x40011000;
constexpr uint32_t kUsartSrOverrun = 1u << 3;
constexpr uint32_t kUsartSrReceived = 1u << 5;
constexpr uint32_t kUsartSrTransmitEmpty = 1u << 7;
constexpr uint32_t kUsartDr = 0x40011004;
constexpr uint32_t kUsartBrr = 0x40011008;
constexpr uint32_t kUsartCr1 = 0x4001100C;
constexpr uint32_t kUsartCr1Receive = 1u << 2;
constexpr uint32_t kUsartCr1Transmit = 1u << 3;
constexpr uint32_t kUsartCr1ReceiveInterrupt = 1u << 5;
constexpr uint32_t kUsartCr1Enable = 1u << 13;

// TIM2, section 18.4.
constexpr uint32_t kTim2Cr1 = 0x40000000;
constexpr uint32_t kTim2Egr = 0x40000014;
constexpr uint32_t kTim2Cnt = 0x40000024;
constexpr uint32_t kTim2Arr = 0x4000002C;

constexpr uint32_t kHsiHz = 16000000;
constexpr uint32_t kPllHz = 168000000;
constexpr uint32_t kPllM = 16, kPllN = 336, kPllPField = 0 /* divides by 2 */, kPllQ = 7;
static_assert(kHsiHz / kPllM * kPllN / 2 == kPllHz);

constexpr uint32_t kBaud = 115200;
// Far above the PLL's 300 us (DS8626, table 38) at 16 MHz; in QEMU RCC reads 0 for ever.
constexpr uint32_t kWaitLimit = 20000;

uint32_t g_apb2_hz = kHsiHz;
uint32_t g_overruns;

void SetBits(uint32_t address, uint32_t bits) { Register(address) = Register(address) | bits; }

void SetField(uint32_t address, uint32_t mask, uint32_t value) {
  Register(address) = (Register(address) & ~mask) | value;
}

bool WaitFor(uint32_t address, uint32_t mask, uint32_t value) {
  for (uint32_t i = 0; i < kWaitLimit; ++i) {
    if ((Register(address) & mask) == value) return true;
  }
  return false;
}

}  // namespace

uint32_t ClockInit() {
  SetBits(kRccApb1Enr, kRccApb1EnrPower);
  SetBits(kPwrCr, kPwrCrVos);
  Register(kRccPllCfgr) = kPllM | kPllN << 6 | kPllPField << 16 | kPllQ << 24;
  SetBits(kRccCr, kRccCrPllOn);
  if (!WaitFor(kRccCr, kRccCrPllReady, kRccCrPllReady)) return kHsiHz;
  // A flash too slow for the clock reads rubbish: stay slow unless the wait states are in force.
  Register(kFlashAcr) = kFlashAcrLatency | kFlashAcrPrefetch | kFlashAcrInstructionCache | kFlashAcrDataCache;
  if (!WaitFor(kFlashAcr, kFlashAcrLatencyMask, kFlashAcrLatency)) return kHsiHz;
  SetBits(kRccCfgr, kRccCfgrApb1Div4 | kRccCfgrApb2Div2);
  g_apb2_hz = kHsiHz / 2;
  SetField(kRccCfgr, kRccCfgrSwMask, kRccCfgrSwPll);
  if (!WaitFor(kRccCfgr, kRccCfgrSwsMask, kRccCfgrSwsPll)) return kHsiHz;
  g_apb2_hz = kPllHz / 2;
  return kPllHz;
}

void UartInit() {
  SetBits(kRccAhb1Enr, kRccAhb1EnrGpioA);
  SetBits(kRccApb2Enr, kRccApb2EnrUsart1);
  SetField(kGpioAAlternateHigh, 0xFFu << 4, 0x77u << 4);
  SetField(kGpioAPull, 0xFu << 18, 0x5u << 18);  // pulled up: an open line is idle
  SetField(kGpioAMode, 0xFu << 18, 0xAu << 18);
  Register(kUsartBrr) = (g_apb2_hz + kBaud / 2) / kBaud;
  Register(kUsartCr1) = kUsartCr1Enable | kUsartCr1Transmit | kUsartCr1Receive | kUsartCr1ReceiveInterrupt;
}

void UartPut(uint8_t byte) {
  while ((Register(kUsartSr) & kUsartSrTransmitEmpty) == 0) {
  }
  Register(kUsartDr) = byte;
}

bool UartPoll(uint8_t* byte) {
  const uint32_t status = Register(kUsartSr);
  if ((status & (kUsartSrReceived | kUsartSrOverrun)) == 0) return false;
  const uint32_t data = Register(kUsartDr);  // after SR, this read clears both flags
  if ((status & kUsartSrOverrun) != 0) ++g_overruns;
  if ((status & kUsartSrReceived) == 0) return false;
  *byte = static_cast<uint8_t>(data);
  return true;
}

uint32_t UartOverruns() {
  const uint32_t overruns = g_overruns;
  g_overruns = 0;
  return overruns;
}

void EmulatedTicksInit() {
  SetBits(kRccApb1Enr, kRccApb1EnrTim2);
  Register(kTim2Arr) = ~0u;
  Register(kTim2Egr) = 1;
  Register(kTim2Cr1) = 1;
}

uint32_t EmulatedTicks() { return Register(kTim2Cnt); }

}  // namespace board
