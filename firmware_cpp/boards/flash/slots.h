// Included by each driver in this folder, behind its kBase (the address of offset 0) and its kRegions, in
// namespace board::flash: the slots of board.toml, and that they are whole sectors of this flash.
#ifndef FIRMWARE_CPP_BOARDS_FLASH_SLOTS_H_
#define FIRMWARE_CPP_BOARDS_FLASH_SLOTS_H_

#include <stdint.h>

#include "board_slots.h"  // written by cmake/slots.cmake
#include "update_flash.h"

namespace board {
namespace flash {

constexpr uint32_t kRegionCount = sizeof(kRegions) / sizeof(kRegions[0]);

constexpr bool WholeSectors(uint32_t address, uint32_t bytes) {
  return address >= kBase && update::WholeSectors(kRegions, kRegionCount, address - kBase, bytes);
}
static_assert(
    WholeSectors(kSlotAddresses[0], kSlotBytes[0]) &&
        WholeSectors(kSlotAddresses[kSlotCount - 1], kSlotBytes[kSlotCount - 1]),
    "[update] in board.toml: a slot is not whole sectors of the flash, which kRegions of the driver has");

constexpr update::Slot kSlots[update::kMaxSlots] = {
    {kSlotAddresses[0] - kBase, kSlotBytes[0]},
    {kSlotAddresses[kSlotCount - 1] - kBase, kSlotBytes[kSlotCount - 1]}};

// A plain copy, for a flash that every word can be read of.
inline bool Copy(void* /*context*/, uint32_t offset, uint8_t* out, uint32_t bytes) {
  __builtin_memcpy(out, reinterpret_cast<const uint8_t*>(uintptr_t{kBase} + offset), bytes);
  return true;
}

// Its word at `data`, whatever the alignment.
inline uint32_t WordAt(const uint8_t* data) {
  uint32_t word;
  __builtin_memcpy(&word, data, sizeof(word));
  return word;
}

}  // namespace flash

int UpdateSlots(const update::Slot** slots) {
  *slots = flash::kSlots;
  return kSlotCount;
}

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_FLASH_SLOTS_H_
