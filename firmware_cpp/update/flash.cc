#include "update/flash.h"

namespace update {

Sector SectorOf(const Flash& flash, uint32_t offset) {
  for (uint32_t i = 0; i < flash.region_count; ++i) {
    const Region& region = flash.regions[i];
    if (offset < region.offset) break;
    const uint32_t index = (offset - region.offset) / region.sector_bytes;
    if (index < region.sectors) return {region.offset + index * region.sector_bytes, region.sector_bytes};
  }
  return {0, 0};
}

bool WholeSectors(const Flash& flash, uint32_t offset, uint32_t bytes) {
  const uint32_t end = offset + bytes;
  if (bytes == 0 || end < offset) return false;
  while (offset < end) {
    const Sector sector = SectorOf(flash, offset);
    if (sector.bytes == 0 || sector.offset != offset) return false;
    offset += sector.bytes;
  }
  return offset == end;
}

}  // namespace update
