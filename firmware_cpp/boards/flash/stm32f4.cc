// The flash of an STM32F4: sectors of 16, 64 and 128 KB, programmed by words of 32 bits. RM0090 rev 19,
// section 3.6 (erase and program) and 3.9 (registers); RM0390 rev 6, sections 3.5 and 3.8, agrees. The core
// waits while it reads from a flash that is busy, so the code may lie there; interrupts wait with it, for up
// to two seconds.
#include <stdint.h>

#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"
#include "update/flash.h"

namespace board {
namespace flash {

constexpr uint32_t kBase = 0x08000000;
constexpr uint32_t kSmall = 16384, kMiddle = 65536, kLarge = 131072;
// Of the chips with 1 MB; smaller ones have the first of these.
constexpr update::Region kRegions[] = {{0, kSmall, 4}, {kMiddle, kMiddle, 1}, {kLarge, kLarge, 7}};

}  // namespace flash
}  // namespace board

#include "flash/slots.h"

namespace board {
namespace flash {
namespace {

using cortex_m::Register;
using cortex_m::SetBits;

constexpr uint32_t kAcr = 0x40023C00;
constexpr uint32_t kAcrInstructionCache = 1u << 9, kAcrDataCache = 1u << 10;
constexpr uint32_t kAcrInstructionReset = 1u << 11, kAcrDataReset = 1u << 12;
constexpr uint32_t kKeyr = 0x40023C04;
constexpr uint32_t kKey1 = 0x45670123, kKey2 = 0xCDEF89AB;  // 3.6.1
constexpr uint32_t kSr = 0x40023C0C;
constexpr uint32_t kSrErrors = 1u << 1 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7;
constexpr uint32_t kSrEnd = 1u << 0;
constexpr uint32_t kSrBusy = 1u << 16;
constexpr uint32_t kCr = 0x40023C10;
constexpr uint32_t kCrProgram = 1u << 0;
constexpr uint32_t kCrSectorErase = 1u << 1;
constexpr uint32_t kCrSectorShift = 3;
constexpr uint32_t kCrWords = 2u << 8;  // PSIZE, 3.6.2: 32 bits at a time, from 2.7 V on
constexpr uint32_t kCrStart = 1u << 16;
constexpr uint32_t kCrLock = 1u << 31;

// DS8626, table 40: 2 s for 128 KB by words, and 16 us for a word. A look takes no less than 5 ns.
constexpr uint32_t kWaitLimit = 400000000;
constexpr uint32_t kSlowestEraseMs = 2000;

bool Wait() { return cortex_m::WaitFor(kSr, kSrBusy, 0, kWaitLimit); }

bool Unlock() {
  if (!Wait()) return false;
  if ((Register(kCr) & kCrLock) != 0) {
    Register(kKeyr) = kKey1;
    Register(kKeyr) = kKey2;
  }
  Register(kSr) = kSrErrors | kSrEnd;  // a 1 clears
  return (Register(kCr) & kCrLock) == 0;
}

bool Lock() {
  const bool done = Wait() && (Register(kSr) & kSrErrors) == 0;
  Register(kCr) = kCrLock;
  return done;
}

// 3.6.3, the note: the caches of the accelerator may hold what was erased; they are reset while they are off.
void ResetCaches() {
  const uint32_t before = Register(kAcr);
  const uint32_t off = before & ~(kAcrInstructionCache | kAcrDataCache);
  Register(kAcr) = off;
  Register(kAcr) = off | kAcrInstructionReset | kAcrDataReset;
  Register(kAcr) = off;
  Register(kAcr) = before;
}

uint32_t SectorNumber(uint32_t offset) {
  if (offset < kMiddle) return offset / kSmall;
  return offset < kLarge ? 4 : 4 + offset / kLarge;
}

bool Erase(void* /*context*/, uint32_t offset) {
  if (!Unlock()) return false;
  Register(kCr) = kCrWords | kCrSectorErase | SectorNumber(offset) << kCrSectorShift;
  SetBits(kCr, kCrStart);
  asm volatile("dsb" ::: "memory");
  const bool done = Lock();
  ResetCaches();
  return done;
}

bool Program(void* /*context*/, uint32_t offset, const uint8_t* data, uint32_t bytes) {
  if (!Unlock()) return false;
  Register(kCr) = kCrWords | kCrProgram;
  bool fine = true;
  for (uint32_t at = 0; fine && at < bytes; at += 4) {
    Register(kBase + offset + at) = WordAt(data + at);
    asm volatile("dsb" ::: "memory");
    fine = Wait() && (Register(kSr) & kSrErrors) == 0;
  }
  return Lock() && fine;
}

}  // namespace
}  // namespace flash

const update::Flash& UpdateFlash() {
  using namespace flash;
  static const update::Flash kFlash = {kRegions,
                                       kRegionCount,
                                       4,
                                       reinterpret_cast<const uint8_t*>(uintptr_t{kBase}),
                                       kSlowestEraseMs,
                                       nullptr,
                                       Erase,
                                       Program,
                                       Copy};
  return kFlash;
}

}  // namespace board
