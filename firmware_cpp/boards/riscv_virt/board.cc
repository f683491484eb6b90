// QEMU's RISC-V `virt` machine: a 16550A UART, a CLINT for the time. Nobody sets clocks there.
#include <stdint.h>

#include "board_config.h"
#include "common/hooks.h"
#include "cpu.h"
#include "riscv/csr.h"

namespace board {
namespace {

// Bytes apart, as in the data sheet of the PC16550D (Texas Instruments SNLS378B), section 8.
volatile uint8_t& Uart(uint32_t offset) { return *reinterpret_cast<volatile uint8_t*>(0x10000000u + offset); }

constexpr uint32_t kData = 0;             // divisor's low byte while kLineDivisor is set
constexpr uint32_t kInterruptEnable = 1;  // divisor's high byte
constexpr uint8_t kInterruptReceived = 1u << 0;
constexpr uint32_t kFifoControl = 2;
constexpr uint8_t kFifoEnable = 1u << 0;
constexpr uint32_t kLineControl = 3;
constexpr uint8_t kLine8Bits = 3u << 0;
constexpr uint8_t kLineDivisor = 1u << 7;
constexpr uint32_t kLineStatus = 5;
constexpr uint8_t kStatusReceived = 1u << 0;
constexpr uint8_t kStatusOverrun = 1u << 1;
constexpr uint8_t kStatusTransmitterEmpty = 1u << 5;
constexpr uint8_t kStatusAllSent = 1u << 6;  // the shift register, too

constexpr uint32_t kUartHz = 3686400;

constexpr uint32_t DivisorFor(uint32_t baud) { return (kUartHz / 16 + baud / 2) / baud; }

uint32_t g_overruns;

uint8_t Status() {
  const uint8_t status = Uart(kLineStatus);  // reading clears the overrun
  if ((status & kStatusOverrun) != 0) ++g_overruns;
  return status;
}

void SetDivisor(uint32_t divisor) {
  Uart(kLineControl) = kLineDivisor | kLine8Bits;
  Uart(kData) = static_cast<uint8_t>(divisor);
  Uart(kInterruptEnable) = static_cast<uint8_t>(divisor >> 8);
  Uart(kLineControl) = kLine8Bits;
}

}  // namespace

// Of the core no rate is known, and none is needed: the counter's unit is the instruction.
uint32_t ClockInit() { return 0; }

void UartInit() {
  SetDivisor(DivisorFor(kUartBaud));
  Uart(kFifoControl) = kFifoEnable;
  Uart(kInterruptEnable) = kInterruptReceived;
}

void UartPut(uint8_t byte) {
  while ((Status() & kStatusTransmitterEmpty) == 0) {
  }
  Uart(kData) = byte;
}

bool UartPoll(uint8_t* byte) {
  if ((Status() & kStatusReceived) == 0) return false;
  *byte = Uart(kData);
  return true;
}

// 230,400 is the only other one; the emulator's line has none.
uint32_t UartBaud(uint32_t baud, bool change) {
  const uint32_t divisor = DivisorFor(baud);
  if (divisor == 0) return 0;
  if (change) {
    while ((Status() & kStatusAllSent) == 0) {
    }
    const cpu::InterruptsOff off;  // its handler would read the divisor for data
    SetDivisor(divisor);
  }
  return kUartHz / 16 / divisor;
}

uint32_t UartOverruns() {
  const uint32_t overruns = g_overruns;
  g_overruns = 0;
  return overruns;
}

// SiFive's test finisher, in which QEMU has a reset, too ("virt" in QEMU's documentation: `poweroff` and
// `reboot`).
void Restart() { riscv::Register(0x00100000) = 0x7777; }

void EmulatedTicksInit() {}

uint32_t EmulatedTicks() { return riscv::Register(kClint + riscv::kClintTime); }

}  // namespace board
