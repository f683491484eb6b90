#include "update/slot_records.h"

#include <stddef.h>
#include <string.h>

#include "engine/crc32.h"

namespace update {
namespace {

constexpr uint32_t kMagic = 0x544F4C53;  // "SLOT"
constexpr uint32_t kSmallestGranule = 16;
constexpr uint8_t kErased = 0xFF;

// As it lies in the flash.
struct Description {
  uint32_t magic;
  uint32_t floor;
  Manifest manifest;
  uint32_t crc32;  // of all before it
};
static_assert(sizeof(Description) == 172);

// The small records behind the manifest, in this order.
constexpr uint32_t kActivationAt = 0;
constexpr uint32_t kAttemptAt = kActivationAt + kActivations;
constexpr uint32_t kConfirmAt = kAttemptAt + kAttempts;
constexpr uint32_t kGivenUpAt = kConfirmAt + kAttempts;  // the other one is the slot's first granule
constexpr uint32_t kCheckpointAt = kGivenUpAt + 1;
constexpr uint32_t kSmallRecords = kCheckpointAt + kCheckpoints;

uint32_t RoundUp(uint32_t value, uint32_t to) { return (value + to - 1) / to * to; }

uint32_t CrcOf(const Description& description) {
  return squeeze::Crc32(0, reinterpret_cast<const uint8_t*>(&description), offsetof(Description, crc32));
}

bool Erased(const uint8_t* data, uint32_t bytes) {
  uint8_t all = kErased;
  for (uint32_t i = 0; i < bytes; ++i) all &= data[i];
  return all == kErased;
}

}  // namespace

bool EraseAndCheck(const Flash& flash, uint32_t offset) {
  const Sector sector = SectorOf(flash, offset);
  if (sector.bytes == 0 || !flash.erase(flash.context, sector.offset)) return false;
  uint8_t chunk[64];
  for (uint32_t at = 0; at < sector.bytes; at += sizeof(chunk)) {
    if (!flash.read(flash.context, sector.offset + at, chunk, sizeof(chunk))) return false;
    if (!Erased(chunk, sizeof(chunk))) return false;
  }
  return true;
}

bool ProgramAndCheck(const Flash& flash, uint32_t offset, const uint8_t* data, uint32_t bytes) {
  if (!flash.program(flash.context, offset, data, bytes)) return false;
  uint8_t chunk[32];
  for (uint32_t at = 0; at < bytes; at += sizeof(chunk)) {
    const uint32_t count = bytes - at < sizeof(chunk) ? bytes - at : static_cast<uint32_t>(sizeof(chunk));
    if (!flash.read(flash.context, offset + at, chunk, count)) return false;
    if (memcmp(chunk, data + at, count) != 0) return false;
  }
  return true;
}

bool SlotRecords::Init(const Flash& flash, uint32_t offset, uint32_t bytes) {
  flash_ = flash;
  offset_ = offset;
  bytes_ = bytes;
  const uint32_t unit = flash.unit;
  if (unit == 0 || unit > kMaxUnitBytes || (unit & (unit - 1)) != 0) return false;
  if (!WholeSectors(flash, offset, bytes)) return false;
  const uint32_t header = Granule() + ManifestBytes() + kSmallRecords * Granule();
  if (bytes < header + 2 * Granule()) return false;
  // What decides whether it starts vanishes in one erase; the floor's sector is none of those with records.
  const Sector first = SectorOf(flash, offset);
  const Sector last = SectorOf(flash, offset + bytes - 1);
  return Place(kGivenUpAt + 1) <= first.offset + first.bytes && last.offset >= DataBegins();
}

uint32_t SlotRecords::Granule() const {
  return flash_.unit < kSmallestGranule ? kSmallestGranule : flash_.unit;
}

uint32_t SlotRecords::ManifestBytes() const { return RoundUp(sizeof(Description), Granule()); }

uint32_t SlotRecords::Place(uint32_t index) const {
  return offset_ + Granule() + ManifestBytes() + index * Granule();
}

uint32_t SlotRecords::DataBegins() const { return Place(kSmallRecords); }

uint32_t SlotRecords::Capacity() const { return Ends() - Granule() - DataBegins(); }

uint32_t SlotRecords::ClearedTo() const {
  const Sector sector = SectorOf(flash_, DataBegins() - 1);
  return sector.offset + sector.bytes;
}

bool SlotRecords::Blank(uint32_t offset) const {
  uint8_t chunk[kSmallestGranule];
  for (uint32_t at = 0; at < Granule(); at += sizeof(chunk)) {
    if (!flash_.read(flash_.context, offset + at, chunk, sizeof(chunk))) return false;
    if (!Erased(chunk, sizeof(chunk))) return false;
  }
  return true;
}

bool SlotRecords::Pair(uint32_t offset, uint32_t* first, uint32_t* second) const {
  uint32_t words[4];
  uint8_t bytes[sizeof(words)];
  if (!flash_.read(flash_.context, offset, bytes, sizeof(bytes))) return false;
  memcpy(words, bytes, sizeof(words));
  *first = words[0];
  *second = words[2];
  return words[1] == ~words[0] && words[3] == ~words[2];
}

bool SlotRecords::WritePair(uint32_t offset, uint32_t first, uint32_t second) const {
  const uint32_t words[4] = {first, ~first, second, ~second};
  uint8_t granule[kMaxUnitBytes] = {};
  memcpy(granule, words, sizeof(words));
  return ProgramAndCheck(flash_, offset, granule, Granule());
}

bool SlotRecords::Mark(uint32_t offset) const {
  const uint8_t zeros[kMaxUnitBytes] = {};
  return ProgramAndCheck(flash_, offset, zeros, Granule());
}

// Where a sector begins, or the end: whatever else a damaged flash says, the next byte could not be
// programmed.
bool SlotRecords::CanGoOnAt(uint32_t received, uint32_t bytes) const {
  if (bytes > Capacity() || received >= bytes) return received == bytes;
  const uint32_t at = DataBegins() + received;
  return SectorOf(flash_, at).offset == at;
}

SlotState SlotRecords::Read(Manifest* manifest) const {
  SlotState state = {};
  Description description;
  uint8_t bytes[sizeof(Description)] = {};
  const bool readable = flash_.read(flash_.context, offset_ + Granule(), bytes, sizeof(bytes));
  memcpy(&description, bytes, sizeof(description));
  *manifest = description.manifest;
  state.described = readable && description.magic == kMagic && description.crc32 == CrcOf(description);
  uint32_t floor, unused;
  if (Pair(Ends() - Granule(), &floor, &unused)) state.floor = unused == kMagic ? floor : 0;
  if (!state.described) return state;
  if (description.floor > state.floor) state.floor = description.floor;
  state.given_up = !Blank(offset_) || !Blank(Place(kGivenUpAt));
  for (uint32_t i = 0; i < kActivations; ++i) {
    const uint32_t place = Place(kActivationAt + i);
    if (Pair(place, &state.sequence, &state.base)) state.activated = true;
    if (!Blank(place)) state.activation_at = i + 1;
    if (state.activated) break;
    state.sequence = state.base = 0;
  }
  for (uint32_t i = 0; i < kAttempts; ++i) {
    if (!Blank(Place(kAttemptAt + i))) state.attempts = i + 1;
    if (!Blank(Place(kConfirmAt + i))) state.confirmed = true;
  }
  for (uint32_t i = 0; i < kCheckpoints; ++i) {
    const uint32_t place = Place(kCheckpointAt + i);
    if (Blank(place)) continue;
    state.checkpoint_at = i + 1;
    uint32_t there;
    if (Pair(place, &there, &unused) && CanGoOnAt(there, description.manifest.bytes))
      state.checkpoint = there;
  }
  return state;
}

bool SlotRecords::GiveUp() const {
  const auto marked = [this](uint32_t place) { return !Blank(place) || Mark(place); };
  return marked(offset_) && marked(Place(kGivenUpAt));
}

bool SlotRecords::Clear(uint32_t keep_floor) const {
  if (keep_floor > 0) {
    const uint32_t place = Ends() - Granule();
    uint32_t there, magic;
    if (!Pair(place, &there, &magic) || magic != kMagic || there < keep_floor) {
      if (!EraseAndCheck(flash_, place) || !WritePair(place, keep_floor, kMagic)) return false;
    }
  }
  // The first one last: while its manifest is there, so are the marks that give it up.
  for (uint32_t end = ClearedTo(); end > offset_;) {
    const Sector sector = SectorOf(flash_, end - 1);
    if (!EraseAndCheck(flash_, sector.offset)) return false;
    end = sector.offset;
  }
  return true;
}

bool SlotRecords::Describe(const Manifest& manifest, uint32_t floor) const {
  Description description = {kMagic, floor, manifest, 0};
  description.crc32 = CrcOf(description);
  uint8_t bytes[kMaxUnitBytes] = {};
  static_assert(sizeof(Description) <= sizeof(bytes));
  memcpy(bytes, &description, sizeof(description));
  return ProgramAndCheck(flash_, offset_ + Granule(), bytes, ManifestBytes());
}

bool SlotRecords::Checkpoint(uint32_t at, uint32_t bytes) const {
  return WritePair(Place(kCheckpointAt + at), bytes, 0);
}

bool SlotRecords::Activate(uint32_t at, uint32_t sequence, uint32_t base) const {
  return WritePair(Place(kActivationAt + at), sequence, base);
}

bool SlotRecords::Attempt(uint32_t number) const { return Mark(Place(kAttemptAt + number)); }

bool SlotRecords::Confirm(uint32_t number) const { return Mark(Place(kConfirmAt + number)); }

}  // namespace update
