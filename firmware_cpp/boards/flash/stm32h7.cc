// The flash of an STM32H743: two banks of eight sectors of 128 KB, programmed by flash words of 256 bits with
// an error correction of ten bits. RM0433 rev 8, sections 4.3.9 (program), 4.3.10 (erase), 4.3.12 (error
// correction) and 4.9 (registers). While one bank is busy the core goes on in the other one: the slots lie in
// the second.
#include <stdint.h>

#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"
#include "update/flash.h"

namespace board {
namespace flash {

constexpr uint32_t kBase = 0x08000000;
constexpr uint32_t kSector = 131072, kSectorsOfABank = 8;
constexpr uint32_t kBank = kSector * kSectorsOfABank;
constexpr uint32_t kWordBytes = 32;
constexpr update::Region kRegions[] = {{0, kSector, 2 * kSectorsOfABank}};

}  // namespace flash
}  // namespace board

#include "flash/slots.h"

namespace board {
namespace flash {
namespace {

using cortex_m::Register;
using cortex_m::SetBits;

// Of bank 1; those of bank 2 are kSecondBank behind.
constexpr uint32_t kKeyr = 0x52002004, kCr = 0x5200200C, kSr = 0x52002010, kCcr = 0x52002014;
constexpr uint32_t kSecondBank = 0x100;
constexpr uint32_t kKey1 = 0x45670123, kKey2 = 0xCDEF89AB;  // 4.5.1
constexpr uint32_t kCrLock = 1u << 0;
constexpr uint32_t kCrProgram = 1u << 1;
constexpr uint32_t kCrSectorErase = 1u << 2;
constexpr uint32_t kCrWords = 2u << 4;  // PSIZE: 32 bits in parallel
constexpr uint32_t kCrStart = 1u << 7;
constexpr uint32_t kCrSectorShift = 8;
constexpr uint32_t kSrQueue = 1u << 2;  // QW: an operation waits or runs
constexpr uint32_t kSrUncorrectable = 1u << 26;
// WRPERR, PGSERR, STRBERR, INCERR, OPERR.
constexpr uint32_t kSrErrors = 1u << 17 | 1u << 18 | 1u << 19 | 1u << 21 | 1u << 22;
constexpr uint32_t kCcrAll = kSrErrors | 1u << 16 | 1u << 23 | 1u << 24 | 1u << 25 | kSrUncorrectable;

// ARMv7-M Architecture Reference Manual, B3.2.8 and B1.5.14: with FAULTMASK set, a bus fault of a load is
// ignored.
constexpr uint32_t kCcrIgnoreBusFault = 1u << 8;
constexpr uint32_t kInvalidateDataByAddress = 0xE000EF5C;  // DCIMVAC, B3.2.29
constexpr uint32_t kCacheLine = 32;

// DS12110, table 55: 4 s for 128 KB at 8 bits in parallel, 2 s at 32. A look takes no less than 10 ns.
constexpr uint32_t kWaitLimit = 400000000;
constexpr uint32_t kSlowestEraseMs = 4000;

uint32_t BankOf(uint32_t offset) { return offset < kBank ? 0 : kSecondBank; }

bool Wait(uint32_t bank) { return cortex_m::WaitFor(kSr + bank, kSrQueue, 0, kWaitLimit); }

bool Unlock(uint32_t bank) {
  if (!Wait(bank)) return false;
  Register(kCcr + bank) = kCcrAll;
  if ((Register(kCr + bank) & kCrLock) != 0) {
    Register(kKeyr + bank) = kKey1;
    Register(kKeyr + bank) = kKey2;
  }
  return (Register(kCr + bank) & kCrLock) == 0;
}

bool Lock(uint32_t bank) {
  const bool done = Wait(bank) && (Register(kSr + bank) & kSrErrors) == 0;
  Register(kCr + bank) = 0;  // PG and SER would stay set: the write that locks changes nothing else (4.9.4)
  Register(kCr + bank) = kCrLock;
  return done;
}

// What the data cache has of it is old.
void Forget(uint32_t offset, uint32_t bytes) {
  asm volatile("dsb" ::: "memory");
  for (uint32_t at = 0; at < bytes; at += kCacheLine) {
    Register(kInvalidateDataByAddress) = kBase + offset + at;
  }
  asm volatile("dsb\n isb" ::: "memory");
}

bool Erase(void* /*context*/, uint32_t offset) {
  const uint32_t bank = BankOf(offset);
  if (!Unlock(bank)) return false;
  Register(kCr + bank) = kCrWords | kCrSectorErase | (offset % kBank) / kSector << kCrSectorShift;
  SetBits(kCr + bank, kCrStart);
  asm volatile("dsb" ::: "memory");
  const bool done = Lock(bank);
  Forget(offset, kSector);
  return done;
}

bool Program(void* /*context*/, uint32_t offset, const uint8_t* data, uint32_t bytes) {
  const uint32_t bank = BankOf(offset);
  if (!Unlock(bank)) return false;
  Register(kCr + bank) = kCrWords | kCrProgram;
  bool fine = true;
  for (uint32_t at = 0; fine && at < bytes; at += kWordBytes) {
    asm volatile("dsb\n isb" ::: "memory");
    for (uint32_t i = 0; i < kWordBytes; i += 4) Register(kBase + offset + at + i) = WordAt(data + at + i);
    asm volatile("dsb" ::: "memory");
    fine = Wait(bank) && (Register(kSr + bank) & kSrErrors) == 0;
  }
  const bool done = Lock(bank);
  Forget(offset, bytes);
  return done && fine;
}

// A flash word whose program or erase was interrupted may not be correctable: a load of it is a bus fault,
// and DBECCERR says so afterwards.
bool Read(void* /*context*/, uint32_t offset, uint8_t* out, uint32_t bytes) {
  const uint32_t bank = BankOf(offset);
  Register(kCcr + bank) = kSrUncorrectable;
  const uint32_t before = Register(cortex_m::kCcr);
  asm volatile("cpsid f" ::: "memory");
  Register(cortex_m::kCcr) = before | kCcrIgnoreBusFault;
  asm volatile("dsb\n isb" ::: "memory");
  for (uint32_t at = 0; at < bytes; ++at) {
    const uint32_t address = kBase + offset + at;
    const uint32_t word = Register(address & ~3u);
    out[at] = static_cast<uint8_t>(word >> 8 * (address & 3));
  }
  asm volatile("dsb" ::: "memory");
  const bool right = (Register(kSr + bank) & kSrUncorrectable) == 0;
  Register(cortex_m::kCcr) = before;
  Register(cortex_m::kCfsr) = cortex_m::kCfsrBus;  // a 1 clears: nobody is to take it for a fault of ours
  asm volatile("dsb\n isb\n cpsie f" ::: "memory");
  Register(kCcr + bank) = kSrUncorrectable;
  return right;
}

}  // namespace
}  // namespace flash

const update::Flash& UpdateFlash() {
  using namespace flash;
  static const update::Flash kFlash = {kRegions,
                                       kRegionCount,
                                       kWordBytes,
                                       reinterpret_cast<const uint8_t*>(uintptr_t{kBase}),
                                       kSlowestEraseMs,
                                       nullptr,
                                       Erase,
                                       Program,
                                       Read};
  return kFlash;
}

}  // namespace board
