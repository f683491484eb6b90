// Registers of the Cortex-M; ARMv6-M (DDI 0419E) lacks those of faults and of the DWT. Sources: ARMv7-M
// Architecture Reference Manual (DDI 0403E) chapters B3 and C1, ARMv8-M (DDI 0553B) chapter D1.2 for what
// v8-M adds.
#ifndef FIRMWARE_CPP_BOARDS_CORTEX_M_CORTEX_M_H_
#define FIRMWARE_CPP_BOARDS_CORTEX_M_CORTEX_M_H_

#include <stdint.h>

namespace cortex_m {

inline volatile uint32_t& Register(uint32_t address) {
  return *reinterpret_cast<volatile uint32_t*>(address);
}

// A word of a boot ROM that begins at address 0, of which compilers think that nothing is there.
inline uint32_t RomWord(uint32_t address) {
  asm("" : "+r"(address));
  return Register(address);
}

// A function of such a ROM, for up to four words.
inline uint32_t Call(uint32_t address, uint32_t a, uint32_t b, uint32_t c = 0, uint32_t d = 0) {
  using Function = uint32_t (*)(uint32_t, uint32_t, uint32_t, uint32_t);
  return reinterpret_cast<Function>(address)(a, b, c, d);
}

// SysTick (B3.3).
constexpr uint32_t kSysTickCtrl = 0xE000E010;
constexpr uint32_t kSysTickReload = 0xE000E014;
constexpr uint32_t kSysTickValue = 0xE000E018;
constexpr uint32_t kSysTickEnable = 1u << 0;
constexpr uint32_t kSysTickInterrupt = 1u << 1;
constexpr uint32_t kSysTickCoreClock = 1u << 2;
constexpr uint32_t kSysTickCountFlag = 1u << 16;  // has reached 0; reading clears it
constexpr uint32_t kSysTickMax = 0x00FFFFFF;

// NVIC (B3.4): a bit an interrupt.
constexpr uint32_t kNvicSetEnable = 0xE000E100;
constexpr uint32_t kNvicClearEnable = 0xE000E180;
constexpr uint32_t kNvicSetPending = 0xE000E200;
constexpr uint32_t kNvicClearPending = 0xE000E280;

// System control block (B3.2).
constexpr uint32_t kIcsr = 0xE000ED04;
constexpr uint32_t kIcsrClearSysTick = 1u << 25;
constexpr uint32_t kIcsrClearPendSv = 1u << 27;
constexpr uint32_t kVtor = 0xE000ED08;
constexpr uint32_t kAircr = 0xE000ED0C;
constexpr uint32_t kAircrSystemReset = 0x05FAu << 16 | 1u << 2;  // with the key
constexpr uint32_t kCcr = 0xE000ED14;
constexpr uint32_t kCcrLowOverheadBranch = 1u << 19;  // v8.1-M
constexpr uint32_t kCfsr = 0xE000ED28;
constexpr uint32_t kCfsrStack = 1u << 4 | 1u << 12 | 1u << 20;  // MSTKERR, STKERR, STKOF (v8-M)
constexpr uint32_t kCfsrBus = 0xFFu << 8;
constexpr uint32_t kHfsr = 0xE000ED2C;
constexpr uint32_t kMmfar = 0xE000ED34;
constexpr uint32_t kBfar = 0xE000ED38;
constexpr uint32_t kCpacr = 0xE000ED88;

// Memory protection, PMSAv7 (DDI 0403E B3.5).
constexpr uint32_t kMpuType = 0xE000ED90;  // regions there are: bits 15 to 8
constexpr uint32_t kMpuCtrl = 0xE000ED94;
constexpr uint32_t kMpuCtrlEnable = 1u << 0;
constexpr uint32_t kMpuCtrlDefaultMap = 1u << 2;  // for privileged code, outside of all regions
constexpr uint32_t kMpuRnr = 0xE000ED98;          // region that RASR is of
constexpr uint32_t kMpuRbar = 0xE000ED9C;
constexpr uint32_t kMpuRbarValid = 1u << 4;  // with the region's number in bits 3 to 0
constexpr uint32_t kMpuRasr = 0xE000EDA0;
constexpr uint32_t kMpuRasrEnable = 1u << 0;
constexpr uint32_t kMpuRasr4K = 11u << 1;  // 2^(11 + 1) bytes; access permission 0: none

// Debug and trace (C1.6, C1.8).
constexpr uint32_t kDemcr = 0xE000EDFC;
constexpr uint32_t kDemcrTraceEnable = 1u << 24;
constexpr uint32_t kDwtCtrl = 0xE0001000;
constexpr uint32_t kDwtCtrlCycleCounter = 1u << 0;
constexpr uint32_t kDwtCycleCount = 0xE0001004;
constexpr uint32_t kDwtLockAccess = 0xE0001FB0;  // CoreSight lock; the Cortex-M7 starts locked
constexpr uint32_t kDwtUnlock = 0xC5ACCE55;

// Holds interrupts off while it lives.
class InterruptsOff {
 public:
  InterruptsOff() { asm volatile("mrs %0, primask\n cpsid i" : "=r"(before_)::"memory"); }
  ~InterruptsOff() { asm volatile("msr primask, %0" ::"r"(before_) : "memory"); }
  InterruptsOff(const InterruptsOff&) = delete;
  InterruptsOff& operator=(const InterruptsOff&) = delete;

 private:
  uint32_t before_;
};

}  // namespace cortex_m

#endif  // FIRMWARE_CPP_BOARDS_CORTEX_M_CORTEX_M_H_
