// What the stand-ins of all chips share: their registers, the wait that fails, what is unsafe.
#include <cstdio>
#include <map>

#include "hardware.h"

namespace hardware {
namespace {

std::map<uint32_t, uint32_t> g_cells;
int g_broken;

}  // namespace

uint32_t& Cell(uint32_t address) { return g_cells[address]; }
void Break(int step) { g_broken = step; }
bool Broken(int step) { return step == g_broken; }
void Unsafe(const char* why) { printf("unsafe %s\n", why); }

}  // namespace hardware
