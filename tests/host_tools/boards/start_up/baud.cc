// Asks a board for baud rates, on simulated registers: baud STATUS SET CLEAR RATE... The register STATUS says that
// the last bit has left, by bits that are set then and bits that are clear (all hexadecimal); here, at the sixth
// read. For each rate, prints what uart.cc answers and, if it can be had, the chip's code: "rate ASKED ANSWER CHIP".
// Where there is an answer, has it change: each write as "address value", whether all of them came after the last bit,
// and the rate that the registers then make.
#include <stdio.h>
#include <stdlib.h>

#include "board.h"
#include "common/hooks.h"
#include "hardware.h"

namespace hardware {

// The chip's own, which are compiled under these names.
uint32_t ReadChip(uint32_t address);
void WriteChip(uint32_t address, uint32_t value);

namespace {

constexpr int kReads = 5;
uint32_t g_status, g_set, g_clear;
bool g_changing;
int g_reads;   // of the status since the change was asked for
bool g_early;  // something was written before the last bit had left

}  // namespace

uint32_t Read(uint32_t address) {
  const uint32_t value = ReadChip(address);
  if (address != g_status) return value;
  return !g_changing || ++g_reads > kReads ? (value | g_set) & ~g_clear : (value & ~g_set) | g_clear;
}

void Write(uint32_t address, uint32_t value) {
  if (g_changing) {
    printf("%08x %08x\n", address, value);
    g_early = g_early || g_reads <= kReads;
  }
  WriteChip(address, value);
}

}  // namespace hardware

int main(int count, char** arguments) {
  using namespace hardware;
  const auto number = [=](int i, int base) { return static_cast<uint32_t>(strtoul(arguments[i], nullptr, base)); };
  g_status = number(1, 16);
  g_set = number(2, 16);
  g_clear = number(3, 16);
  Break(-1);
  Reset();
  board::ClockInit();
  board::UartInit();
  for (int i = 4; i < count; ++i) {
    board::UartPut('x');
    const uint32_t asked = number(i, 10);
    const uint32_t answer = board::UartBaudRate(asked, false);
    printf("rate %u %u %u\n", asked, answer, answer == 0 ? 0 : board::UartBaud(asked, false));
    if (answer == 0) continue;
    g_changing = true;
    g_reads = 0;
    g_early = false;
    const uint32_t real = board::UartBaudRate(asked, true);
    g_changing = false;
    printf("waited %d\nbaud %u\n", real == answer && g_reads > kReads && !g_early, Baud());
  }
}
