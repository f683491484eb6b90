// Runs a board's watchdog on registers that only remember: main FLAGS, what the chip's reset flags hold (hexadecimal).
// Prints each write as "address value", and what the board makes of the flags.
#include <cstdio>
#include <cstdlib>

#include "board_config.h"
#include "common/hooks.h"
#include "hardware.h"

// The STM32H743's start-up clears its arena.
extern "C" {
uint64_t linker_arena_start[1];
uint64_t linker_arena_end[1];
}

namespace hardware {

uint32_t Read(uint32_t address) { return Cell(address); }

void Write(uint32_t address, uint32_t value) {
  printf("%08x %08x\n", address, value);
  Cell(address) = value;
}

uint32_t Call(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) { return 0; }

}  // namespace hardware

int main(int /*count*/, char** arguments) {
  const auto number = [](const char* text) { return static_cast<uint32_t>(strtoul(text, nullptr, 16)); };
  hardware::Cell(number(arguments[1])) = number(arguments[2]);
  printf("cause %d\n", static_cast<int>(board::ChipResetCause()));
  printf("start\n");
  board::WatchdogStart();
  printf("feed\n");
  board::WatchdogFeed();
#ifdef BOARD_RESTART
  printf("restart\n");
  board::Restart();
#endif
}
