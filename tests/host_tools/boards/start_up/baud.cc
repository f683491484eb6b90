// Asks a board for baud rates, on simulated registers: baud STATUS IDLE RATE... Starts it up, then asks for each
// rate: prints "rate ASKED ANSWERED", then has it change to it: prints each write as "address value", what the
// chip's file makes of the registers then as "baud", and whether the change has waited. STATUS, the register that
// says when the last bit has left (hexadecimal), has that bit only after some reads; IDLE: the bits to be set
// and those to be clear, hexadecimal, with a / between. A rate of 115200 comes last: the way back.
#include <stdio.h>
#include <stdlib.h>

#include "common/hooks.h"
#include "hardware.h"

namespace {

constexpr int kReads = 5;  // until it is idle
uint32_t g_status, g_set, g_clear;
int g_reads = -1;  // -1: not looked at; so many of the status register since the change was asked for
bool g_early;      // something was written before that
bool g_tracing;

}  // namespace

namespace hardware {

uint32_t Read(uint32_t address) {
  const uint32_t value = ReadChip(address);
  if (g_reads < 0 || address != g_status) return value;
  return ++g_reads > kReads ? (value | g_set) & ~g_clear : (value & ~g_set) | g_clear;
}

void Write(uint32_t address, uint32_t value) {
  if (g_tracing) printf("%08x %08x\n", address, value);
  if (g_reads >= 0 && g_reads <= kReads) g_early = true;
  WriteChip(address, value);
}

}  // namespace hardware

int main(int count, char** arguments) {
  char* end;
  g_status = static_cast<uint32_t>(strtoul(arguments[1], nullptr, 16));
  g_set = static_cast<uint32_t>(strtoul(arguments[2], &end, 16));
  g_clear = static_cast<uint32_t>(strtoul(end + 1, nullptr, 16));
  hardware::Break(-1);
  hardware::Reset();
  board::ClockInit();
  board::UartInit();
  board::UartPut('x');
  for (int i = 3; i < count; ++i) {
    const auto asked = static_cast<uint32_t>(strtoul(arguments[i], nullptr, 10));
    g_tracing = true;
    const uint32_t answered = board::UartBaud(asked, false);
    printf("rate %u %u\n", asked, answered);
    if (answered == 0) continue;
    g_reads = 0;
    g_early = false;
    const uint32_t real = board::UartBaud(asked, true);
    printf("waited %d\n", !g_early && g_reads > kReads && real == answered);
    g_reads = -1;
    g_tracing = false;
    printf("baud %u\n", hardware::Baud());
  }
}
