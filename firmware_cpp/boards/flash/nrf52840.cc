// The flash of an nRF52840: pages of 4 KB, words of 32 bits. Product specification 1.7, section 4.3 (NVMC).
// The core stops by itself while a word is written or a page erased. A word may be written twice between two
// erases; we do so once.
#include <stdint.h>

#include "cortex_m/cortex_m.h"
#include "cortex_m/registers.h"
#include "update/flash.h"

namespace board {
namespace flash {

constexpr uint32_t kPage = 4096;
constexpr uint32_t kBase = kPage;  // not 0, which would be a null pointer; nobody wants the first page
constexpr update::Region kRegions[] = {{0, kPage, 255}};

}  // namespace flash
}  // namespace board

#include "flash/slots.h"

namespace board {
namespace flash {
namespace {

using cortex_m::Register;

constexpr uint32_t kReady = 0x4001E400;
constexpr uint32_t kConfig = 0x4001E504;
constexpr uint32_t kConfigRead = 0, kConfigWrite = 1, kConfigErase = 2;
constexpr uint32_t kErasePage = 0x4001E508;

// 4.3.12: 85 ms for a page, 41 us for a word. A look takes no less than 30 ns.
constexpr uint32_t kWaitLimit = 10000000;
constexpr uint32_t kSlowestEraseMs = 90;

bool Wait() { return cortex_m::WaitFor(kReady, 1, 1, kWaitLimit); }

// 4.3.1 and 4.3.3: what may be done is chosen, and takes effect before the next access.
bool Allow(uint32_t what) {
  Register(kConfig) = what;
  asm volatile("dsb\n isb" ::: "memory");
  return Wait();
}

bool Erase(void* /*context*/, uint32_t offset) {
  if (!Wait() || !Allow(kConfigErase)) return false;
  Register(kErasePage) = kBase + offset;
  asm volatile("dsb" ::: "memory");
  const bool done = Wait();
  return Allow(kConfigRead) && done;
}

bool Program(void* /*context*/, uint32_t offset, const uint8_t* data, uint32_t bytes) {
  if (!Wait() || !Allow(kConfigWrite)) return false;
  bool done = true;
  for (uint32_t at = 0; done && at < bytes; at += 4) {
    Register(kBase + offset + at) = WordAt(data + at);
    asm volatile("dsb" ::: "memory");
    done = Wait();
  }
  return Allow(kConfigRead) && done;
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
