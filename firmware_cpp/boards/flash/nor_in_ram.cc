// A NOR flash for emulators: rules in software over a memory that the emulator keeps in a file. QEMU 7.2 puts
// the 16 MB of PSRAM of an MPS2 there with
//   -object memory-backend-file,id=m,size=16M,mem-path=FILE,share=on -machine memory-backend=m
// It begins at the first slot. In its last megabyte tests say when the power is to go.
#include <stdint.h>

#include "board_slots.h"
#include "cortex_m/cortex_m.h"
#include "update/flash.h"

namespace board {
namespace flash {

constexpr uint32_t kBase = kSlotAddresses[0];
constexpr uint32_t kSector = 4096, kUnit = 16;
constexpr update::Region kRegions[] = {{0, kSector, 15 * 256}};

}  // namespace flash
}  // namespace board

#include "flash/slots.h"

namespace board {
namespace flash {
namespace {

// At this offset. Operations are the erases of a sector and the programs of a unit.
constexpr uint32_t kPowerAt = 15u << 20;
constexpr uint32_t kPowerMagic = 0x52574F50;  // "POWR": without it the power stays
struct Power {
  uint32_t magic;
  uint32_t stop_at;     // this many operations from now the power goes in the middle of one; 0: it does not
  uint32_t restarts;    // 1: and comes again at once; 0: the emulator is to be killed
  uint32_t operations;  // since the magic was written
};

volatile Power& Control() { return *reinterpret_cast<volatile Power*>(uintptr_t{kBase} + kPowerAt); }

uint8_t* At(uint32_t offset) { return reinterpret_cast<uint8_t*>(uintptr_t{kBase} + offset); }

constexpr uint32_t kAircr = 0xE000ED0C, kAircrReset = 0x05FA0000 | 1u << 2;  // ARMv7-M B3.2.6

// True: the power goes during this operation.
bool Counts() {
  volatile Power& power = Control();
  if (power.magic != kPowerMagic) return false;
  power.operations = power.operations + 1;
  if (power.stop_at == 0) return false;
  power.stop_at = power.stop_at - 1;
  return power.stop_at == 0;
}

[[noreturn]] void PowerGoes() {
  asm volatile("cpsid i\n dsb" ::: "memory");
  if (Control().restarts == 1) cortex_m::Register(kAircr) = kAircrReset;
  for (;;) asm volatile("wfi");
}

bool Erase(void* /*context*/, uint32_t offset) {
  const bool goes = Counts();
  __builtin_memset(At(offset), 0xFF, goes ? kSector / 2 : kSector);
  if (goes) PowerGoes();
  return true;
}

bool Program(void* /*context*/, uint32_t offset, const uint8_t* data, uint32_t bytes) {
  for (uint32_t at = 0; at < bytes; at += kUnit) {
    uint8_t* unit = At(offset + at);
    for (uint32_t i = 0; i < kUnit; ++i) {
      if (unit[i] != 0xFF) return false;  // programmed already
    }
    const bool goes = Counts();
    __builtin_memcpy(unit, data + at, goes ? kUnit / 2 : kUnit);
    if (goes) PowerGoes();
  }
  return true;
}

}  // namespace
}  // namespace flash

const update::Flash& UpdateFlash() {
  using namespace flash;
  static const update::Flash kFlash = {
      kRegions, kRegionCount, kUnit, reinterpret_cast<const uint8_t*>(uintptr_t{kBase}), 0, nullptr,
      Erase,    Program,      Copy};
  return kFlash;
}

}  // namespace board
