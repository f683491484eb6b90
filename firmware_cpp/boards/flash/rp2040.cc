// The flash beside an RP2040, a W25Q16JV: sectors of 4 KB, pages of 256 bytes. RP2040 datasheet,
// section 2.8.3.1.3 (the boot ROM's functions) and 4.10.13 (SSI); W25Q16JV data sheet, section 9.6 (times).
// Meanwhile nothing can be read from the flash: the code that does it lies in SRAM, interrupts are off, and
// core 1 is held in reset.
#include <stdint.h>

#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"
#include "update/flash.h"
#if SQUEEZE_CORES == 2
#include "common/second_core_hooks.h"
#include "second_core.h"
#endif

namespace board {
namespace flash {

constexpr uint32_t kBase = 0x10000000;
constexpr uint32_t kSector = 4096, kPage = 256;
constexpr update::Region kRegions[] = {{0, kSector, 512}};

}  // namespace flash
}  // namespace board

#include "flash/slots.h"

#define RAM_CODE __attribute__((section(".ram_code"), noinline))

namespace board {
namespace flash {
namespace {

using cortex_m::Register;

constexpr uint32_t kSlowestEraseMs = 400;
constexpr uint32_t kEraseBlock = 65536,
                   kEraseBlockCommand = 0xD8;  // what the ROM takes where so much is asked for

// SSI, as second_stage.cc sets it; the registers and their fields are described there.
constexpr uint32_t kSsi = 0x18000000;
constexpr uint32_t kControl0 = kSsi + 0x00, kControl1 = kSsi + 0x04, kEnable = kSsi + 0x08;
constexpr uint32_t kSlaves = kSsi + 0x10, kBaud = kSsi + 0x14, kStatus = kSsi + 0x28, kData = kSsi + 0x60;
constexpr uint32_t kSampleDelay = kSsi + 0xF0, kSpiControl0 = kSsi + 0xF4;
constexpr uint32_t kReadSerial = 0x001F0300, kSpiSerial = 0x03000218;
constexpr uint32_t kReadQuad = 0x005F0300, kSpiQuadFirst = 0x00002221, kSpiQuadNext = 0xA0002022;
constexpr uint32_t kQuadCommand = 0xEB, kContinuous = 0xA0;
constexpr uint32_t kStatusMask = 5, kStatusAllSent = 4;

struct Work {
  uint32_t connect, exit_xip, operation, flush;  // functions of the boot ROM
  uint32_t arguments[4];
  bool quad;  // how the flash was read before
};

// From SRAM to the end, and calls nothing but the ROM.
RAM_CODE void Run(const Work* work) {
  cortex_m::Call(work->connect, 0, 0);
  cortex_m::Call(work->exit_xip, 0, 0);
  cortex_m::Call(work->operation, work->arguments[0], work->arguments[1], work->arguments[2],
                 work->arguments[3]);
  cortex_m::Call(work->flush, 0, 0);
  // As before, not as the ROM's flash_enter_cmd_xip() would leave it: by one line, and slowly.
  Register(kEnable) = 0;
  Register(kBaud) = 4;
  Register(kSampleDelay) = 1;
  Register(kControl0) = work->quad ? kReadQuad : kReadSerial;
  Register(kControl1) = 0;
  Register(kSpiControl0) = work->quad ? kSpiQuadFirst : kSpiSerial;
  Register(kSlaves) = 1;
  Register(kEnable) = 1;
  if (!work->quad) return;
  Register(kData) = kQuadCommand;
  Register(kData) = kContinuous;
  while ((Register(kStatus) & kStatusMask) != kStatusAllSent) {
  }
  Register(kEnable) = 0;
  Register(kSpiControl0) = kSpiQuadNext;
  Register(kEnable) = 1;
}

// 2.8.3: where the table of functions is, and the function that looks a code of two letters up in it.
uint32_t LookUp(char first, char second) {
  const uint32_t table = cortex_m::RomWord(0x14) & 0xFFFF;
  const uint32_t look_up = cortex_m::RomWord(0x18) & 0xFFFF;
  if (look_up == 0) return 0;
  return cortex_m::Call(look_up, table, static_cast<uint32_t>(first) | static_cast<uint32_t>(second) << 8);
}

bool Do(uint32_t operation, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  const Work work = {LookUp('I', 'F'), LookUp('E', 'X'), operation,
                     LookUp('F', 'C'), {a, b, c, d},     Register(kSpiControl0) == kSpiQuadNext};
  if (work.connect == 0 || work.exit_xip == 0 || work.operation == 0 || work.flush == 0) return false;
#if SQUEEZE_CORES == 2
  if (!second_core::Hold()) return false;
#endif
  {
    const cortex_m::InterruptsOff off;
    Run(&work);
  }
#if SQUEEZE_CORES == 2
  if (!second_core::Launch()) return false;
#endif
  return true;
}

bool Erase(void* /*context*/, uint32_t offset) {
  return Do(LookUp('R', 'E'), offset, kSector, kEraseBlock, kEraseBlockCommand);
}

bool Program(void* /*context*/, uint32_t offset, const uint8_t* data, uint32_t bytes) {
  for (uint32_t at = 0; at < bytes; at += kPage) {
    uint8_t page[kPage];  // in SRAM: what is to be written may lie in the flash
    __builtin_memcpy(page, data + at, kPage);
    const uint32_t from = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(page));
    if (!Do(LookUp('R', 'P'), offset + at, from, kPage, 0)) return false;
  }
  return true;
}

}  // namespace
}  // namespace flash

const update::Flash& UpdateFlash() {
  using namespace flash;
  static const update::Flash kFlash = {kRegions,
                                       kRegionCount,
                                       kPage,
                                       reinterpret_cast<const uint8_t*>(uintptr_t{kBase}),
                                       kSlowestEraseMs,
                                       nullptr,
                                       Erase,
                                       Program,
                                       Copy};
  return kFlash;
}

}  // namespace board
