// Runs a board's start-up on simulated hardware: main STEP, the wait to fail (-1: none). Prints what the
// board believes of its clock, what the registers say, the baud rate, and whatever was unsafe.
#include <stdio.h>
#include <stdlib.h>

#include <map>

#include "common/hooks.h"
#include "hardware.h"

namespace hardware {
namespace {

std::map<uint32_t, uint32_t> g_cells;
int g_broken;

}  // namespace

uint32_t& Cell(uint32_t address) { return g_cells[address]; }
bool Broken(int step) { return step == g_broken; }
void Unsafe(const char* why) { printf("unsafe %s\n", why); }

}  // namespace hardware

int main(int /*count*/, char** arguments) {
  hardware::g_broken = atoi(arguments[1]);
  hardware::Reset();
  const uint32_t believed = board::ClockInit();
  board::UartInit();
  printf("believed %u\nactual %u\nbaud %u\n", believed, hardware::CoreHz(), hardware::Baud());
  board::UartPut('x');
}
