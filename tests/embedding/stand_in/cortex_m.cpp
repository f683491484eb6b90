// The stand-in on a Cortex-M in QEMU: start-up, and a serial line through semihosting (Arm, "Semihosting for
// AArch32 and AArch64", operations 0x01, 0x03, 0x06, 0x18). Input is the file "serial.bin".
#include <Arduino.h>

extern "C" {
extern uint32_t linker_data_load[], linker_data_start[], linker_data_end[], linker_bss_start[],
    linker_bss_end[], linker_stack_top[];
void reset_handler();
void fault_handler();
}

SerialPort Serial;

static uint32_t semihost(uint32_t operation, const void* argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void leave(bool well) {
  // ADP_Stopped_ApplicationExit, ADP_Stopped_RunTimeErrorUnknown
  for (;;) semihost(0x18, reinterpret_cast<const void*>(well ? 0x20026u : 0x20023u));
}

int platform_read() {
  static uint32_t handle = 0;
  if (handle == 0) {
    static const char name[] = "serial.bin";
    const uint32_t open[3] = {reinterpret_cast<uint32_t>(name), 1, sizeof(name) - 1};  // "rb"
    handle = semihost(0x01, open);
    if (handle == 0xFFFFFFFFu) leave(false);
  }
  uint8_t byte = 0;
  const uint32_t read[3] = {handle, reinterpret_cast<uint32_t>(&byte), 1};
  if (semihost(0x06, read) != 0) leave(true);  // of one byte, so many were not read
  return byte;
}

void platform_write(char c) { semihost(0x03, &c); }

// SysTick counts at the 25 MHz of the MPS2 boards; with QEMU's -icount shift=0, a microsecond is 1,000
// instructions.
unsigned long micros() {
  volatile uint32_t* const systick = reinterpret_cast<volatile uint32_t*>(0xE000E010);
  constexpr uint32_t kMask = 0xFFFFFF;
  static uint32_t last = kMask;
  static uint32_t ticks = 0;
  if (systick[0] == 0) {
    systick[1] = kMask;  // reload value
    systick[2] = 0;      // any write clears the counter
    systick[0] = 5;      // enabled, from the processor's clock
  }
  const uint32_t now = systick[2];
  ticks += (last - now) & kMask;
  last = now;
  return ticks / 25;
}

void fault_handler() { leave(false); }

// Hand-written loops: before .data is there, nothing else may run.
void reset_handler() {
  const uint32_t* from = linker_data_load;
  for (uint32_t* to = linker_data_start; to != linker_data_end; ++to) *to = *from++;
  for (uint32_t* to = linker_bss_start; to != linker_bss_end; ++to) *to = 0;
  setup();
  for (;;) loop();
}

__attribute__((section(".vectors"), used)) static const void* const vectors[16] = {
    linker_stack_top, reinterpret_cast<const void*>(&reset_handler),
    reinterpret_cast<const void*>(&fault_handler),  // NMI
    reinterpret_cast<const void*>(&fault_handler),  // HardFault
};
