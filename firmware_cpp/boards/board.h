// What a board offers to a program. Every folder beside this file implements it, on top of common/.
#ifndef FIRMWARE_CPP_BOARDS_BOARD_H_
#define FIRMWARE_CPP_BOARDS_BOARD_H_

#include <stddef.h>
#include <stdint.h>

// In front of the engine's arena, where it is defined: the memory that the build chose for it.
#ifdef BOARD_ARENA_APART
#define BOARD_ARENA __attribute__((section(".arena")))
#else
#define BOARD_ARENA
#endif

namespace board {

// Bytes the receive ring holds. A sender must never have more than this under way.
constexpr size_t kUartRingBytes = 2048;

// The UART's baud rate after Init.
constexpr uint32_t kUartBaud = 115200;

enum class CounterKind : uint8_t {
  kInstructions,  // an emulator whose virtual time is exactly one step an instruction
  kCycles,        // the core's own cycle counter (DWT CYCCNT)
  kMicroseconds,  // an emulator in real time: no figure of the core, only of the clock
};

// Name of the board's folder.
const char* Name();

// Clocks, UART, counter. Interrupts are on when it returns.
void Init();

// Why the program has started.
enum class ResetCause : uint8_t {
  kUnknown,   // the chip does not say
  kPowerOn,   // or its supply broke down
  kPin,       // the reset button, or a debugger
  kSoftware,  // a boot loader's, or a debugger's
  kWatchdog,  // the program hung
  kFault,     // LastFault() says which
};
ResetCause WhyReset();

// The fault that the restart before this run followed; null: it followed none, or none that was kept. The
// words of LAST_FAULT (docs/link.md).
struct Fault;
const Fault* LastFault();

// Restarts the board if the program neither ends its work of `seconds` at most nor says Working(). Where the
// chip has no watchdog, and in emulators, nothing happens.
void StartWatchdog(uint32_t seconds);
void Working();

// Sends `size` bytes; returns when the last one is in the transmitter. Where a board has two ports, USB being
// the other one, they go to the one that the last byte came from.
void UartWrite(const uint8_t* data, size_t size);

// Takes up to `max` received bytes out of the ring; returns how many. Never waits.
size_t UartRead(uint8_t* out, size_t max);

// Bytes received and not read yet, and bytes the ring can still take.
size_t UartAvailable();
size_t UartFree();

// Bytes lost since Init because the ring was full or the receiver overran.
uint32_t UartDropped();

// The rate that the UART really gets where `baud` is asked for; 0: its clock or its board cannot have it, to
// 2.5 %. `change`: it has it on return, after the last bit that was to be sent has left. A board's own USB
// takes every rate and has none, so then the UART stays as it is.
uint32_t UartBaudRate(uint32_t baud, bool change);

// Sleeps until an interrupt has come; returns at once while received bytes are waiting.
void WaitForInterrupt();

// What the program has spent outside of interrupt handlers since Init, in units of CounterUnit().
// Differences are exact for kInstructions on stm32f405, within CounterStep() elsewhere.
uint64_t Counter();
CounterKind CounterUnit();

// Units in one step of the counter (1 unless the emulator's clock is coarser than an instruction).
uint32_t CounterStep();

// Units in a second; 0 for kInstructions, which have no rate.
uint32_t CounterHz();

#ifdef BOARD_CLOCK
// Since Init, interrupt handlers included, to tell the time by: 2^32 of them are an hour, and it goes on. Of
// the counter's source; an emulator's, where that counts instructions, has one a nanosecond.
uint64_t Microseconds();
#endif

// Bytes. `flash_*` is the memory the image lives in, read-only while it runs.
struct Memory {
  uint32_t flash_used;
  uint32_t flash_total;
  uint32_t sram_static;    // .data and .bss: everything but the stack
  uint32_t stack_used;     // high-water mark: deepest byte written since reset; of two cores, of both stacks
  uint32_t stack_reserve;  // what the linker script keeps for it
  uint32_t sram_total;
};
Memory MemoryUse();

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_BOARD_H_
