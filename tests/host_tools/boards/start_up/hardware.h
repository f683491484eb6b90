// A chip's registers as far as its start-up touches them. One of its waits can be made to fail.
#ifndef TESTS_HOST_TOOLS_START_UP_HARDWARE_H_
#define TESTS_HOST_TOOLS_START_UP_HARDWARE_H_

#include <stdint.h>

namespace hardware {

// The table of all registers, 0 at first.
uint32_t& Cell(uint32_t address);

// Has wait number `step` fail.
void Break(int step);

// True if wait number `step` is the one to fail.
bool Broken(int step);

// Notes something that would harm a real chip, or make it run wild.
void Unsafe(const char* why);

// A chip's file implements these.
void Reset();
uint32_t Read(uint32_t address);
void Write(uint32_t address, uint32_t value);
uint32_t CoreHz();
uint32_t Baud();

// A function of the boot ROM is called. Of chips whose program does that.
uint32_t Call(uint32_t address, uint32_t a, uint32_t b, uint32_t c, uint32_t d);

// What a chip's second core has started with; all 0: it has not. Of chips that have one.
struct Start {
  uint32_t vectors, stack, entry;
};
Start SecondCore();

}  // namespace hardware

#endif  // TESTS_HOST_TOOLS_START_UP_HARDWARE_H_
