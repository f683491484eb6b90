#include "update/flash.h"

namespace update {

// One copy of each in the program.
Sector SectorOf(const Flash& flash, uint32_t offset) {
  return SectorOf(flash.regions, flash.region_count, offset);
}

bool WholeSectors(const Flash& flash, uint32_t offset, uint32_t bytes) {
  return WholeSectors(flash.regions, flash.region_count, offset, bytes);
}

}  // namespace update
