// STM32F405: 168 MHz, USART1 on PA9 and PA10. In the emulator TIM2 counts.
#include "common/stm32f4.h"

namespace board {
namespace {

constexpr uint32_t kRccApb1EnrTim2 = 1u << 0;  // RM0090 rev 19, section 7.3.13
// TIM2, section 18.4.
constexpr uint32_t kTim2Cr1 = 0x40000000;
constexpr uint32_t kTim2Egr = 0x40000014;
constexpr uint32_t kTim2Cnt = 0x40000024;
constexpr uint32_t kTim2Arr = 0x4000002C;

}  // namespace

void EmulatedTicksInit() {
  stm32f4::SetBits(stm32f4::kRccApb1Enr, kRccApb1EnrTim2);
  cortex_m::Register(kTim2Arr) = ~0u;
  cortex_m::Register(kTim2Egr) = 1;
  cortex_m::Register(kTim2Cr1) = 1;
}

uint32_t EmulatedTicks() { return cortex_m::Register(kTim2Cnt); }

}  // namespace board
