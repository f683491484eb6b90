// STM32H743ZI on ST's Nucleo-144: 480 MHz (400 on silicon before revision V), both caches on, USART3 on PD8
// and PD9, which the ST-Link's serial port is wired to. Everything runs from the internal 64 MHz oscillator:
// 1 % is enough for a serial port (DS12110, table 45), and the clock from the ST-Link depends on solder
// bridges. Registers: RM0433 rev 8; the sections are named at each block.
#include <stdint.h>

#include "board_config.h"
#include "caches.h"
#include "common/hooks.h"
#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"

extern "C" {
extern uint64_t linker_arena_start[];
extern uint64_t linker_arena_end[];
}

namespace board {
namespace stm32_watchdog {

// IWDG1; RCC_RSR, section 8.7.37.
constexpr uint32_t kIwdg = 0x58004800;
constexpr uint32_t kResetFlags = 0x580244D0;
constexpr uint32_t kForget = 1u << 16;
constexpr uint32_t kBrownOut = 1u << 21, kPin = 1u << 22, kPowerOn = 1u << 23, kSoftware = 1u << 24;
constexpr uint32_t kWatchdog = 1u << 26 | 1u << 28;  // either

}  // namespace stm32_watchdog
namespace {

using cortex_m::Register;
using cortex_m::SetBits;
using cortex_m::SetField;

// RCC, section 8.7.
constexpr uint32_t kRccCr = 0x58024400;
constexpr uint32_t kRccCrHsiOn = 1u << 0;
constexpr uint32_t kRccCrHsiReady = 1u << 2;
constexpr uint32_t kRccCrHsiDividerMask = 3u << 3;  // 0: 64 MHz
constexpr uint32_t kRccCrPll1On = 1u << 24;
constexpr uint32_t kRccCrPll1Ready = 1u << 25;
constexpr uint32_t kRccCfgr = 0x58024410;
constexpr uint32_t kRccCfgrSwMask = 7u << 0;
constexpr uint32_t kRccCfgrSwHsi = 0u << 0;
constexpr uint32_t kRccCfgrSwPll1 = 3u << 0;
constexpr uint32_t kRccCfgrSwsMask = 7u << 3;
constexpr uint32_t kRccCfgrSwsHsi = 0u << 3;
constexpr uint32_t kRccCfgrSwsPll1 = 3u << 3;
constexpr uint32_t kRccD1Cfgr = 0x58024418;
constexpr uint32_t kRccD1CfgrBusDiv2 = 8u << 0;   // HPRE: AXI, AHB
constexpr uint32_t kRccD1CfgrApb3Div2 = 4u << 4;  // D1PPRE; the core, D1CPRE = 0, is not divided
constexpr uint32_t kRccD2Cfgr = 0x5802441C;
constexpr uint32_t kRccD2CfgrApb1Div2 = 4u << 4;
constexpr uint32_t kRccD2CfgrApb2Div2 = 4u << 8;
constexpr uint32_t kRccD3Cfgr = 0x58024420;
constexpr uint32_t kRccD3CfgrApb4Div2 = 4u << 4;
constexpr uint32_t kRccPllCkSelR = 0x58024428;
constexpr uint32_t kRccPllCkSelRMask = 3u << 0 | 0x3Fu << 4;  // PLLSRC, 0 is HSI; DIVM1
constexpr uint32_t kRccPllCfgr = 0x5802442C;
constexpr uint32_t kRccPllCfgrMask = 0xFu << 0 | 7u << 16;  // PLL1's fraction, VCO, range; P, Q, R enabled
constexpr uint32_t kRccPllCfgrRange4To8 = 2u << 2;          // MHz into the VCO, the wide one
constexpr uint32_t kRccPllCfgrP = 1u << 16;
constexpr uint32_t kRccPll1DivR = 0x58024430;
constexpr uint32_t kRccD2CcIp2R = 0x58024454;
constexpr uint32_t kRccD2CcIp2RUsart3Mask = 7u << 0;
constexpr uint32_t kRccD2CcIp2RUsart3Hsi = 3u << 0;
constexpr uint32_t kRccAhb4Enr = 0x580244E0;
constexpr uint32_t kRccAhb4EnrGpioD = 1u << 3;
constexpr uint32_t kRccApb1LEnr = 0x580244E8;
constexpr uint32_t kRccApb1LEnrUsart3 = 1u << 18;
constexpr uint32_t kRccApb4Enr = 0x580244F4;
constexpr uint32_t kRccApb4EnrSyscfg = 1u << 1;

// PWR, section 6.8.
constexpr uint32_t kPwrCsr1 = 0x58024804;
constexpr uint32_t kPwrCsr1VoltageReady = 1u << 13;  // ACTVOSRDY
constexpr uint32_t kPwrCr3 = 0x5802480C;
constexpr uint32_t kPwrCr3Bypass = 1u << 0;
constexpr uint32_t kPwrCr3Ldo = 1u << 1;
constexpr uint32_t kPwrD3Cr = 0x58024818;
constexpr uint32_t kPwrD3CrVoltageReady = 1u << 13;  // VOSRDY
constexpr uint32_t kPwrD3CrVoltageMask = 3u << 14;
constexpr uint32_t kPwrD3CrVoltage1 = 3u << 14;

// SYSCFG_PWRCR, section 12.3: from VOS1 to VOS0.
constexpr uint32_t kSyscfgPwrCr = 0x5800042C;
constexpr uint32_t kSyscfgPwrCrOverDrive = 1u << 0;

// FLASH_ACR, section 4.9.1. Table 17: 4 wait states and a delay of 2 from 225 to 240 MHz on the AXI bus at
// VOS0, more than the 200 MHz at VOS1 need.
constexpr uint32_t kFlashAcr = 0x52002000;
constexpr uint32_t kFlashAcrMask = 0x3F;
constexpr uint32_t kFlashAcrWait4Delay2 = 4u << 0 | 2u << 4;

// DBGMCU_IDC, section 60.5.8: revision 0x1003 is Y, 0x2003 is V.
constexpr uint32_t kDebugIdCode = 0x5C001000;
constexpr uint32_t kRevisionV = 0x2003;

// AXI_TARG7_FN_MOD, the interconnect's way to the AXI SRAM.
constexpr uint32_t kAxiTarget7 = 0x51008108;
constexpr uint32_t kAxiTargetOneRead = 1u << 0;  // READ_ISS_OVERRIDE: one read at a time

// GPIOD, section 11.4. PD8 and PD9 carry USART3 as alternate function 7 (DS12110, table 12).
constexpr uint32_t kGpioDMode = 0x58020C00;
constexpr uint32_t kGpioDPull = 0x58020C0C;
constexpr uint32_t kGpioDAlternateHigh = 0x58020C24;

// USART3, section 48.7.
constexpr uint32_t kUsartCr1 = 0x40004800;
constexpr uint32_t kUsartCr1Enable = 1u << 0;
constexpr uint32_t kUsartCr1Receive = 1u << 2;
constexpr uint32_t kUsartCr1Transmit = 1u << 3;
constexpr uint32_t kUsartCr1ReceiveInterrupt = 1u << 5;
constexpr uint32_t kUsartCr1Fifo = 1u << 29;
constexpr uint32_t kUsartBrr = 0x4000480C;
constexpr uint32_t kUsartIsr = 0x4000481C;
constexpr uint32_t kUsartIsrOverrun = 1u << 3;
constexpr uint32_t kUsartIsrReceived = 1u << 5;
constexpr uint32_t kUsartIsrTransmitComplete = 1u << 6;  // FIFO and shift register are empty
constexpr uint32_t kUsartIsrTransmitRoom = 1u << 7;
constexpr uint32_t kUsartIcr = 0x40004820;
constexpr uint32_t kUsartRdr = 0x40004824;
constexpr uint32_t kUsartTdr = 0x40004828;

// MPU region 1 (0 guards the stack): all 4 GB but the eighths 0, 1, 2 and 7; no access, no execution.
constexpr uint32_t kMpuRegion1 = cortex_m::kMpuRbarValid | 1u;
constexpr uint32_t kMpuAllButEighths0127 = 0x87u << 8 | 31u << 1;
constexpr uint32_t kMpuNoExecution = 1u << 28;

constexpr uint32_t kHsiHz = 64000000;
constexpr uint32_t kPllM = 10;
constexpr uint32_t kPllN480 = 150, kPllN400 = 125;  // and divided by 2
static_assert(kHsiHz / kPllM * kPllN480 / 2 == 480000000 && kHsiHz / kPllM * kPllN400 / 2 == 400000000);

constexpr uint32_t kLeastDivider = 16;  // of the clock, with 16 samples a bit (section 48.5.7)
// Each wait ends: 100,000 reads of a register take over 10 ms even at 64 MHz, and the slowest, the
// regulator's, takes under 1 ms.
constexpr uint32_t kWaitLimit = 100000;

uint32_t g_overruns;

bool WaitFor(uint32_t address, uint32_t mask, uint32_t value) {
  return cortex_m::WaitFor(address, mask, value, kWaitLimit);
}

// From whatever clock a boot loader left, to 64 MHz undivided. False: the core still runs on another one.
bool BackToHsi() {
  SetBits(kRccCr, kRccCrHsiOn);
  SetField(kRccCr, kRccCrHsiDividerMask, 0);
  if (!WaitFor(kRccCr, kRccCrHsiReady, kRccCrHsiReady)) return false;
  SetField(kRccCfgr, kRccCfgrSwMask, kRccCfgrSwHsi);
  return WaitFor(kRccCfgr, kRccCfgrSwsMask, kRccCfgrSwsHsi);
}

// The core's voltage for 400 MHz (VOS1), then for 480 (VOS0), as sections 6.4.1 and 6.6.2 have it. The
// supply's configuration can be written once after power-on; written again it keeps its value, the same.
bool RaiseVoltage(bool to_vos0) {
  SetField(kPwrCr3, kPwrCr3Bypass | kPwrCr3Ldo, kPwrCr3Ldo);
  if (!WaitFor(kPwrCsr1, kPwrCsr1VoltageReady, kPwrCsr1VoltageReady)) return false;
  SetField(kPwrD3Cr, kPwrD3CrVoltageMask, kPwrD3CrVoltage1);
  if (!WaitFor(kPwrD3Cr, kPwrD3CrVoltageReady, kPwrD3CrVoltageReady)) return false;
  if (!to_vos0) return true;
  SetBits(kRccApb4Enr, kRccApb4EnrSyscfg);
  [[maybe_unused]] const uint32_t read =
      Register(kRccApb4Enr);  // a clock runs two cycles after it is enabled (section 8.5.11)
  SetBits(kSyscfgPwrCr, kSyscfgPwrCrOverDrive);
  return WaitFor(kPwrD3Cr, kPwrD3CrVoltageReady, kPwrD3CrVoltageReady);
}

bool StartPll(uint32_t n) {
  SetField(kRccCr, kRccCrPll1On, 0);
  if (!WaitFor(kRccCr, kRccCrPll1Ready, 0)) return false;
  SetField(kRccPllCkSelR, kRccPllCkSelRMask, kPllM << 4);
  SetField(kRccPllCfgr, kRccPllCfgrMask, kRccPllCfgrRange4To8 | kRccPllCfgrP);
  Register(kRccPll1DivR) = (n - 1) | (2u - 1) << 9 | (2u - 1) << 16 | (2u - 1) << 24;
  SetBits(kRccCr, kRccCrPll1On);
  return WaitFor(kRccCr, kRccCrPll1Ready, kRccCrPll1Ready);
}

bool IsRevisionV() { return (Register(kDebugIdCode) >> 16) >= kRevisionV; }

uint32_t CoreClock() {
  if (!BackToHsi()) return kHsiHz;
  const bool fast = IsRevisionV();
  const uint32_t n = fast ? kPllN480 : kPllN400;
  if (!RaiseVoltage(fast) || !StartPll(n)) return kHsiHz;
  // A flash too slow for the clock reads rubbish: stay slow unless the wait states are in force.
  SetField(kFlashAcr, kFlashAcrMask, kFlashAcrWait4Delay2);
  if (!WaitFor(kFlashAcr, kFlashAcrMask, kFlashAcrWait4Delay2)) return kHsiHz;
  Register(kRccD1Cfgr) = kRccD1CfgrBusDiv2 | kRccD1CfgrApb3Div2;
  Register(kRccD2Cfgr) = kRccD2CfgrApb1Div2 | kRccD2CfgrApb2Div2;
  Register(kRccD3Cfgr) = kRccD3CfgrApb4Div2;
  SetField(kRccCfgr, kRccCfgrSwMask, kRccCfgrSwPll1);
  if (!WaitFor(kRccCfgr, kRccCfgrSwsMask, kRccCfgrSwsPll1)) {
    BackToHsi();  // or the switch might come later, and CounterHz() be wrong
    return kHsiHz;
  }
  return kHsiHz / kPllM * n / 2;
}

// Nothing is connected from 0x60000000 to 0xDFFFFFFF, where external memories would be. The core may read
// ahead there all the same, and never get an answer, unless it is told not to (AN4838, speculative accesses).
void CloseExternalMemories() {
  Register(cortex_m::kMpuRbar) = kMpuRegion1;
  Register(cortex_m::kMpuRasr) = kMpuNoExecution | kMpuAllButEighths0127 | cortex_m::kMpuRasrEnable;
  asm volatile("dsb\n isb" ::: "memory");
}

// Before revision V, reads from the AXI SRAM that overlap can return wrong data (errata sheet ES0392,
// "Reading from AXI SRAM may lead to data read corruption"); its workaround is to have one at a time.
void GuardAxiReads() {
  if (!IsRevisionV()) Register(kAxiTarget7) = kAxiTargetOneRead;
}

// AXI SRAM's error correction covers 64 bits at a time, and what was never written as a whole reads as an
// error (RM0433 section 3.3, AN5342): a cache line filled for one byte would read just that.
// Its end is a line's, too.
void ClearArena() {
  for (volatile uint64_t* word = linker_arena_start; word < linker_arena_end; ++word) *word = 0;
}

// Its clock is the oscillator itself: right whatever the core's has become.
uint32_t DividerFor(uint32_t baud) { return (kHsiHz + baud / 2) / baud; }

// BRR is written while the USART is off (section 48.7.5).
void UartStart(uint32_t divider) {
  Register(kUsartCr1) = 0;
  Register(kUsartBrr) = divider;
  constexpr uint32_t kCr1 = kUsartCr1Fifo | kUsartCr1Transmit | kUsartCr1Receive | kUsartCr1ReceiveInterrupt;
  Register(kUsartCr1) = kCr1;  // the FIFO before the enable
  Register(kUsartCr1) = kCr1 | kUsartCr1Enable;
}

}  // namespace

uint32_t ClockInit() {
  CloseExternalMemories();
  const uint32_t hz = CoreClock();
  GuardAxiReads();
  ClearArena();
  caches::Enable();
  return hz;
}

void UartInit() {
  SetField(kRccD2CcIp2R, kRccD2CcIp2RUsart3Mask, kRccD2CcIp2RUsart3Hsi);
  SetBits(kRccAhb4Enr, kRccAhb4EnrGpioD);
  SetBits(kRccApb1LEnr, kRccApb1LEnrUsart3);
  SetField(kGpioDAlternateHigh, 0xFFu << 0, 0x77u << 0);
  SetField(kGpioDPull, 0xFu << 16, 0x5u << 16);  // pulled up: an open line is idle
  SetField(kGpioDMode, 0xFu << 16, 0xAu << 16);
  UartStart(DividerFor(kUartBaud));
}

uint32_t UartBaud(uint32_t baud, bool change) {
  const uint32_t divider = DividerFor(baud);
  if (divider < kLeastDivider) return 0;
  if (change) {
    while ((Register(kUsartIsr) & kUsartIsrTransmitComplete) == 0) {
    }
    UartStart(divider);
  }
  return kHsiHz / divider;
}

void UartPut(uint8_t byte) {
  while ((Register(kUsartIsr) & kUsartIsrTransmitRoom) == 0) {
  }
  Register(kUsartTdr) = byte;
}

bool UartPoll(uint8_t* byte) {
  const uint32_t status = Register(kUsartIsr);
  if ((status & kUsartIsrOverrun) != 0) {
    Register(kUsartIcr) = kUsartIsrOverrun;
    ++g_overruns;
  }
  if ((status & kUsartIsrReceived) == 0) return false;
  *byte = static_cast<uint8_t>(Register(kUsartRdr));
  return true;
}

uint32_t UartOverruns() {
  const uint32_t overruns = g_overruns;
  g_overruns = 0;
  return overruns;
}

}  // namespace board

#include "common/stm32_watchdog.h"
