// A board that takes uploads: two small slots in a NOR flash in memory, and a model that runs, of noise. It
// accepts what the link itself accepts, and takes each model for a sound one.
#ifndef TESTS_FUZZ_UPLOAD_BOARD_H_
#define TESTS_FUZZ_UPLOAD_BOARD_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "protocol/upload.h"
#include "update/slot_store.h"

namespace fuzz {

class UploadBoard {
 public:
  // An erased flash, a link that knows nothing.
  static void Restart() {
    std::memset(memory_, 0xFF, sizeof(memory_));
    std::memset(programmed_, 0, sizeof(programmed_));
    static constexpr update::Region kRegions[] = {{0, kSector, 2 * kSectors}};
    const update::Flash flash = {kRegions, 1, kUnit, memory_, 1, nullptr, Erase, Program, Read};
    static constexpr update::Slot kSlots[] = {{0, kSlot}, {kSlot, kSlot}};
    store_ = {};
    if (!store_.Init(flash, kSlots, 2, 1, 0)) Break("the store refuses its slots");
    store_.Boot({Fits, nullptr});
    squeeze::link::UploadSetup setup = {};
    setup.store = &store_;
    setup.kernels = ~0u;
    setup.arena_bytes = 1000;
    setup.height = setup.width = 4;
    setup.channels = 1;
    setup.classes = 10;
    setup.slowest_erase_ms = 1;
    setup.slots = 2;
    setup.running = [](void*) -> squeeze::link::RunningModel {
      return {running_, sizeof(running_), squeeze::link::kLinkedModel};
    };
    setup.leave_slot = [](void*) { store_.Vacate(); };
    setup.try_model = [](void*, const update::Manifest& manifest, const uint8_t*) -> squeeze::link::Refusal {
      if (manifest.golden_crc32 == 0) return {squeeze::link::UploadReason::kNone, 0, 0};
      return {squeeze::link::UploadReason::kAnswer, 1, manifest.golden_crc32};
    };
    link_ = {};
    link_.Init(setup);
  }

  static bool Other(void* /*context*/, const squeeze::link::FrameReader& request,
                    squeeze::link::FrameWriter* reply) {
    return link_.Handle(request, reply);
  }

 private:
  static constexpr uint32_t kUnit = 4;
  static constexpr uint32_t kSector = 1024;
  static constexpr uint32_t kSectors = 4;  // of a slot
  static constexpr uint32_t kSlot = kSectors * kSector;

  [[noreturn]] static void Break(const char* what) {
    std::fprintf(stderr, "fuzz_link: %s\n", what);
    std::abort();
  }
  static bool Fits(void* /*context*/, const update::Manifest& /*manifest*/, const uint8_t* /*data*/) {
    return true;
  }
  static bool Erase(void* /*context*/, uint32_t offset) {
    if (offset % kSector != 0 || offset >= sizeof(memory_)) Break("erases what is no sector");
    std::memset(memory_ + offset, 0xFF, kSector);
    std::memset(programmed_ + offset / kUnit, 0, kSector / kUnit);
    return true;
  }
  static bool Program(void* /*context*/, uint32_t offset, const uint8_t* data, uint32_t bytes) {
    if (offset % kUnit != 0 || bytes % kUnit != 0) Break("programs a part of a unit");
    if (bytes > sizeof(memory_) || offset > sizeof(memory_) - bytes) Break("programs outside of the flash");
    for (uint32_t unit = offset / kUnit; unit < (offset + bytes) / kUnit; ++unit) {
      if (programmed_[unit]) Break("programs a unit twice");
      programmed_[unit] = true;
    }
    std::memcpy(memory_ + offset, data, bytes);
    return true;
  }
  static bool Read(void* /*context*/, uint32_t offset, uint8_t* out, uint32_t bytes) {
    if (bytes > sizeof(memory_) || offset > sizeof(memory_) - bytes) Break("reads outside of the flash");
    std::memcpy(out, memory_ + offset, bytes);
    return true;
  }

  inline static uint8_t memory_[2 * kSlot];
  inline static bool programmed_[2 * kSlot / kUnit];
  inline static uint8_t running_[600] = {1, 2, 3};
  inline static update::SlotStore store_;
  inline static squeeze::link::UploadLink link_;
};

}  // namespace fuzz

#endif  // TESTS_FUZZ_UPLOAD_BOARD_H_
