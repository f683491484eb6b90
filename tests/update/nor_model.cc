#include "nor_model.h"

#include <string.h>

#include <algorithm>

NorModel::NorModel(const Geometry& geometry, uint32_t seed) : geometry_(geometry), random_(seed) {
  const update::Region& last = geometry_.regions.back();
  memory_.assign(last.offset + last.sector_bytes * last.sectors, 0xA7);  // nobody has erased it yet
  units_.assign(memory_.size() / geometry_.unit, kProgrammed);
  erases_.assign(units_.size(), 0);
  flash_.regions = geometry_.regions.data();
  flash_.region_count = static_cast<uint32_t>(geometry_.regions.size());
  flash_.unit = geometry_.unit;
  flash_.base = memory_.data();
  flash_.slowest_erase_ms = 0;
  flash_.context = this;
  flash_.erase = [](void* self, uint32_t offset) { return static_cast<NorModel*>(self)->Erase(offset); };
  flash_.program = [](void* self, uint32_t offset, const uint8_t* data, uint32_t bytes) {
    return static_cast<NorModel*>(self)->Program(offset, data, bytes);
  };
  flash_.read = [](void* self, uint32_t offset, uint8_t* out, uint32_t bytes) {
    return static_cast<NorModel*>(self)->Read(offset, out, bytes);
  };
}

uint32_t NorModel::most_erases() const { return *std::max_element(erases_.begin(), erases_.end()); }

void NorModel::Break(const char* rule, uint32_t offset) {
  if (broken_.empty()) broken_ = std::string(rule) + " at " + std::to_string(offset);
}

void NorModel::Save(uint32_t offset, uint32_t bytes) {
  if (!trying_) return;
  const auto byte = memory_.begin() + offset;
  const auto unit = units_.begin() + offset / geometry_.unit;
  undo_.push_back({offset, {byte, byte + bytes}, {unit, unit + bytes / geometry_.unit}});
}

void NorModel::Try(bool erases, uint32_t offset, const std::function<void()>& operation) {
  if (!before || trying_) return;
  trying_ = true;
  const long operations = operations_, cut_at = cut_at_;
  const auto cut = [&](Torn torn) {
    CutAt(1, torn);
    operation();
  };
  const auto take_back = [&] {
    for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
      std::copy(undo->bytes.begin(), undo->bytes.end(), memory_.begin() + undo->offset);
      std::copy(undo->units.begin(), undo->units.end(), units_.begin() + undo->offset / geometry_.unit);
    }
    undo_.clear();
    operations_ = operations, cut_at_ = cut_at, off_ = false;
  };
  before({erases, offset, cut, take_back});
  trying_ = false;
}

bool NorModel::Cuts() {
  off_ = ++operations_ == cut_at_;
  return off_;
}

bool NorModel::Erase(uint32_t offset) {
  if (off_) return false;
  const update::Sector sector = update::SectorOf(flash_, offset);
  if (sector.bytes == 0 || sector.offset != offset) {
    Break("erase of no sector", offset);
    return false;
  }
  Try(true, offset, [&] { EraseSector(sector); });
  EraseSector(sector);
  return !off_;
}

void NorModel::EraseSector(update::Sector sector) {
  const bool cut = Cuts();
  const Torn torn = cut ? torn_ : Torn::kAll;
  const uint32_t first_unit = sector.offset / geometry_.unit;
  Save(sector.offset, sector.bytes);
  if (!trying_) ++erases_[first_unit];
  const uint32_t middle = random_() % sector.bytes;
  for (uint32_t i = 0; i < sector.bytes; ++i) {
    uint8_t& byte = memory_[sector.offset + i];
    const uint8_t noise = static_cast<uint8_t>(random_() >> 8);
    const bool reached = torn == Torn::kAll || (torn == Torn::kBegin && i < middle) ||
                         (torn == Torn::kEnd && i >= middle);
    if (reached) byte = 0xFF;
    if (torn == Torn::kSome) byte |= noise;
    if (torn == Torn::kGarbage) byte = noise;
  }
  const bool mixed = torn == Torn::kSome || torn == Torn::kGarbage;
  for (uint32_t i = 0; i < sector.bytes / geometry_.unit; ++i) {
    uint8_t& unit = units_[first_unit + i];
    if (!cut) {
      unit = kErased;
    } else if (torn != Torn::kNone) {
      unit = mixed && geometry_.corrects_errors && random_() % 2 == 0 ? kUnreadable : kUntrusted;
    }
  }
}

bool NorModel::Program(uint32_t offset, const uint8_t* data, uint32_t bytes) {
  if (off_) return false;
  const update::Sector sector = update::SectorOf(flash_, offset);
  if (offset % geometry_.unit != 0 || bytes % geometry_.unit != 0 || bytes == 0) {
    Break("program of no whole units", offset);
    return false;
  }
  if (sector.bytes == 0 || offset + bytes > sector.offset + sector.bytes) {
    Break("program across a sector's end", offset);
    return false;
  }
  for (uint32_t at = 0; at < bytes && !off_; at += geometry_.unit) {
    Try(false, offset + at, [&] { ProgramUnit(offset + at, data + at); });
    ProgramUnit(offset + at, data + at);
  }
  return !off_;
}

void NorModel::ProgramUnit(uint32_t offset, const uint8_t* data) {
  const bool cut = Cuts();
  const Torn torn = cut ? torn_ : Torn::kAll;
  uint8_t& unit = units_[offset / geometry_.unit];
  if (unit != kErased) Break("program of a unit that is not erased", offset);
  Save(offset, geometry_.unit);
  bool touched = torn == Torn::kAll;
  for (uint32_t i = 0; torn != Torn::kNone && i < geometry_.unit; ++i) {
    uint8_t& byte = memory_[offset + i];
    const uint8_t spared = torn == Torn::kAll ? 0 : static_cast<uint8_t>(random_() >> 8);
    const uint8_t after = static_cast<uint8_t>(byte & (data[i] | spared));
    touched = touched || after != byte;
    byte = after;
  }
  if (!touched) return;
  const bool lost = cut && torn == Torn::kSome && geometry_.corrects_errors && random_() % 2 == 0;
  unit = lost ? kUnreadable : kProgrammed;
}

bool NorModel::Read(uint32_t offset, uint8_t* out, uint32_t bytes) const {
  if (off_ || bytes == 0 || offset + bytes > memory_.size()) return false;
  memcpy(out, memory_.data() + offset, bytes);
  for (uint32_t unit = offset / geometry_.unit; unit <= (offset + bytes - 1) / geometry_.unit; ++unit) {
    if (units_[unit] == kUnreadable) return false;
  }
  return true;
}
