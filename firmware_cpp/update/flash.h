// The flash that an update goes to: what the slots (slot_store.h) ask of a board's driver. NOR rules: an
// erase makes all bits of a sector 1; a unit can be programmed once between two erases, as a whole.
#ifndef FIRMWARE_CPP_UPDATE_FLASH_H_
#define FIRMWARE_CPP_UPDATE_FLASH_H_

#include <stdint.h>

namespace update {

// The largest unit of any flash here: a page of the RP2040's.
constexpr uint32_t kMaxUnitBytes = 256;

// A run of sectors of one size.
struct Region {
  uint32_t offset;  // of the first sector
  uint32_t sector_bytes;
  uint32_t sectors;
};

// Offsets count from `base`. The functions block, and may hold interrupts off and stop a second core
// meanwhile. Each returns false where the flash reports an error.
struct Flash {
  const Region* regions;  // ascending, without overlap; they cover the slots
  uint32_t region_count;
  uint32_t unit;              // bytes, a power of two up to kMaxUnitBytes
  const uint8_t* base;        // where offset 0 is read as memory
  uint32_t slowest_erase_ms;  // the data sheet's maximum for the largest sector: what a host must wait
  void* context;              // handed to each function

  // Erases the sector that begins at `offset`.
  bool (*erase)(void* context, uint32_t offset);

  // Programs `bytes` bytes: both multiples of `unit`, the range within one sector, all of it erased.
  bool (*program)(void* context, uint32_t offset, const uint8_t* data, uint32_t bytes);

  // Copies what the flash holds. False: it cannot be read, as a word whose error correction fails after its
  // program or erase was interrupted. Never faults, which a plain read of such a word may do.
  bool (*read)(void* context, uint32_t offset, uint8_t* out, uint32_t bytes);
};

// The sector that `offset` lies in; `bytes` 0: in none of the regions.
struct Sector {
  uint32_t offset;
  uint32_t bytes;
};
constexpr Sector SectorOf(const Region* regions, uint32_t region_count, uint32_t offset) {
  for (uint32_t i = 0; i < region_count; ++i) {
    const Region& region = regions[i];
    if (offset < region.offset) break;
    const uint32_t index = (offset - region.offset) / region.sector_bytes;
    if (index < region.sectors) return {region.offset + index * region.sector_bytes, region.sector_bytes};
  }
  return {0, 0};
}

// True if [offset, offset + bytes) consists of whole sectors.
constexpr bool WholeSectors(const Region* regions, uint32_t region_count, uint32_t offset, uint32_t bytes) {
  const uint32_t end = offset + bytes;
  if (bytes == 0 || end < offset) return false;
  while (offset < end) {
    const Sector sector = SectorOf(regions, region_count, offset);
    if (sector.bytes == 0 || sector.offset != offset) return false;
    offset += sector.bytes;
  }
  return offset == end;
}

Sector SectorOf(const Flash& flash, uint32_t offset);
bool WholeSectors(const Flash& flash, uint32_t offset, uint32_t bytes);

}  // namespace update

#endif  // FIRMWARE_CPP_UPDATE_FLASH_H_
