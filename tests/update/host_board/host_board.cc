// A board for tests: the UART is stdin and stdout, the flash a file that outlives the process.
//
//   firmware FLASH [CUT_AT SECOND [SLOTS]]
//
// The flash has 2 slots (or SLOTS) of 64 KB in sectors of 4 KB and units of 8 bytes. At its operation number CUT_AT
// (counted from 1 over erases and programs of this process; 0: never) the power goes: SECOND says how much of it
// is done. Exit status 9. A restart starts the same program again, with the flash as it is and no cut.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "board.h"
#include "start_again.h"
#include "update_flash.h"

// In place of the linker's note with a build id.
extern "C" const uint8_t linker_build_note[24];
const uint8_t linker_build_note[24] = {};

namespace {

constexpr uint32_t kSectorBytes = 4096;
constexpr uint32_t kSlotBytes = 65536;
constexpr uint32_t kUnit = 8;
constexpr uint32_t kFlashBytes = 2 * kSlotBytes;

char** g_arguments;
uint8_t* g_flash;
long g_operations;
long g_cut_at;
uint32_t g_half;  // of the operation that is cut: 0 none, 1 half, 2 all
int g_slots = 2;

[[noreturn]] void Break(const char* rule) {
  std::fprintf(stderr, "flash: %s\n", rule);
  _exit(8);
}

// Bytes that the operation may still do; the process ends once they are done where it is cut.
uint32_t Allowed(uint32_t bytes) {
  if (++g_operations != g_cut_at) return bytes;
  return g_half == 0 ? 0 : g_half == 1 ? bytes / 2 : bytes;
}

void EndIfCut() {
  if (g_operations == g_cut_at) _exit(9);
}

bool Erase(void*, uint32_t offset) {
  if (offset % kSectorBytes != 0 || offset >= kFlashBytes) Break("erase of no sector");
  std::memset(g_flash + offset, 0xFF, Allowed(kSectorBytes));
  EndIfCut();
  return true;
}

bool Program(void*, uint32_t offset, const uint8_t* data, uint32_t bytes) {
  if (offset % kUnit != 0 || bytes % kUnit != 0 || offset + bytes > kFlashBytes) Break("program of no units");
  for (uint32_t i = 0; i < bytes; i += kUnit) {
    for (uint32_t k = 0; k < kUnit; ++k) {
      if (g_flash[offset + i + k] != 0xFF) Break("program of what is not erased");
    }
    std::memcpy(g_flash + offset + i, data + i, Allowed(kUnit));
    EndIfCut();
  }
  return true;
}

bool Read(void*, uint32_t offset, uint8_t* out, uint32_t bytes) {
  if (offset > kFlashBytes || bytes > kFlashBytes - offset) Break("read beyond the flash");
  std::memcpy(out, g_flash + offset, bytes);
  return true;
}

constexpr update::Region kRegions[] = {{0, kSectorBytes, kFlashBytes / kSectorBytes}};
constexpr update::Slot kSlots[] = {{0, kSlotBytes}, {kSlotBytes, kSlotBytes}};

void Open() {
  // The kernel has our own words as they were given, whoever has changed them.
  static char words[4096];
  static char* arguments[16];
  const int file = open("/proc/self/cmdline", O_RDONLY);
  const ssize_t size = read(file, words, sizeof(words) - 1);
  close(file);
  int count = 0;
  for (char* word = words; word < words + size && count < 15; word += std::strlen(word) + 1) {
    arguments[count++] = word;
  }
  g_arguments = arguments;
  if (count < 2) Break("no file");
  if (count > 3) {
    g_cut_at = std::atol(arguments[2]);
    g_half = static_cast<uint32_t>(std::atol(arguments[3]));
  }
  if (count > 4) g_slots = std::atoi(arguments[4]);
  const int flash = open(arguments[1], O_RDWR | O_CREAT, 0600);
  const off_t there = lseek(flash, 0, SEEK_END);
  if (ftruncate(flash, kFlashBytes) != 0) Break("no room");
  void* memory = mmap(nullptr, kFlashBytes, PROT_READ | PROT_WRITE, MAP_SHARED, flash, 0);
  if (memory == MAP_FAILED) Break("no memory");
  g_flash = static_cast<uint8_t*>(memory);
  if (there == 0) std::memset(g_flash, 0xFF, kFlashBytes);
  close(flash);
}

}  // namespace

namespace board {

const char* Name() { return "host"; }
void Init() { Open(); }

void UartWrite(const uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t count = write(STDOUT_FILENO, data, size);
    if (count <= 0) _exit(0);
    data += count;
    size -= static_cast<size_t>(count);
  }
}

size_t UartRead(uint8_t* out, size_t max) {
  pollfd ready = {STDIN_FILENO, POLLIN, 0};
  if (poll(&ready, 1, 0) <= 0) return 0;
  const ssize_t count = read(STDIN_FILENO, out, max);
  if (count <= 0) _exit(0);  // the host has hung up
  return static_cast<size_t>(count);
}

uint32_t UartDropped() { return 0; }
uint32_t UartBaudRate(uint32_t /*baud*/, bool /*change*/) { return 0; }

// A process that has ended tells the next one nothing.
ResetCause WhyReset() { return ResetCause::kPowerOn; }
const Fault* LastFault() { return nullptr; }
void StartWatchdog(uint32_t) {}
void Working() {}

void WaitForInterrupt() {
  pollfd ready = {STDIN_FILENO, POLLIN, 0};
  poll(&ready, 1, -1);
}

uint64_t Counter() { return 0; }
CounterKind CounterUnit() { return CounterKind::kInstructions; }
uint32_t CounterHz() { return 0; }
Memory MemoryUse() { return {1000, 1000000, 1000, 100, 2048, 1000000}; }

void StartAgain() {
  char none[] = "0";
  if (g_cut_at != 0) g_arguments[2] = none;
  execv("/proc/self/exe", g_arguments);
  Break("no restart");
}

const update::Flash& UpdateFlash() {
  static update::Flash flash = {};
  flash = {kRegions, 1, kUnit, g_flash, 1, nullptr, Erase, Program, Read};
  return flash;
}

int UpdateSlots(const update::Slot** slots) {
  *slots = kSlots;
  return g_slots;
}

}  // namespace board
