#include "protocol/inspect.h"

#include <string.h>

#include "engine/crc32.h"
#include "protocol/bytes.h"
#include "protocol/device_link.h"
#include "protocol/wire.h"

namespace squeeze::link {
namespace {

constexpr uint32_t kTries = 256;  // a coarse counter is right only on average

// SEEN without its entries.
constexpr size_t kSeenHeader = 4 + 1 + 2 + 2 + 4 + 2 + 2;

size_t RowBytes(const MapShape& shape) { return size_t{shape.width} * shape.channels; }

size_t EntryBytes(What what) {
  switch (what) {
    case What::kMaps:
      return sizeof(uint16_t) * 3 + sizeof(uint32_t);
    case What::kRows:
      return sizeof(uint32_t);
    case What::kTime:
      return sizeof(uint64_t) + sizeof(uint32_t);
    default:
      return 1;
  }
}

uint16_t AtMost(size_t value, size_t limit) { return static_cast<uint16_t>(value < limit ? value : limit); }

}  // namespace

void Inspector::Init(const Watched& watched) {
  watched_ = watched;
  asked_ = {};
  watch_ = {};
}

bool Inspector::Ask(const Watch& watch) {
  const bool of_a_map = watch.what == What::kRows || watch.what == What::kBytes;
  if (of_a_map) {
    if (watch.map >= watched_.maps) return false;
    const MapShape shape = watched_.shape(watch.map);
    if (watch.row >= shape.height || watch.offset >= RowBytes(shape)) return false;
  }
  if (watch.what == What::kMaps && watched_.maps > kRoom / sizeof(uint32_t)) return false;
  if (watch.what == What::kTime && watched_.layers + 1u > kSlots) return false;
  asked_ = watch;
  return true;
}

const Watch& Inspector::Begin() {
  watch_ = asked_;
  if (watch_.what == What::kTime) Calibrate();
  memset(seen_, 0, sizeof(seen_));
  return watch_;
}

void Inspector::OnRow(void* inspector, int map, int row, const int8_t* data) {
  static_cast<Inspector*>(inspector)->Row(map, row, data);
}

void Inspector::Row(int map, int row, const int8_t* data) {
  if (map >= watched_.maps) return;
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(data);
  const size_t size = RowBytes(watched_.shape(map));
  if (watch_.what == What::kMaps) {
    seen_[map] = Crc32(seen_[map], bytes, size);
    return;
  }
  if (map != watch_.map || row < watch_.row) return;
  const auto index = static_cast<uint32_t>(row - watch_.row);
  if (watch_.what == What::kRows) {
    if (index < SeenCount()) seen_[index] = Crc32(0, bytes, size);
  } else if (watch_.what == What::kBytes && index == 0) {
    memcpy(seen_, bytes + watch_.offset, SeenCount());
  }
}

void Inspector::OnStep(void* inspector, int layer, bool begins) {
  Inspector& self = *static_cast<Inspector*>(inspector);
  if (layer < self.watched_.layers) self.Charge(begins ? layer : self.watched_.layers);
}

// What has passed since the last call belongs to whatever was going on then; from now on it is `next`.
void Inspector::Charge(int next) {
  const uint64_t now = watched_.counter();
  SetTicks(slot_, Ticks(slot_) + now - since_);
  ++Charges(slot_);
  slot_ = static_cast<uint32_t>(next);
  since_ = now;
}

void Inspector::Work(bool begins) {
  if (watch_.what != What::kTime) return;
  if (begins) {
    slot_ = watched_.layers;
    since_ = watched_.counter();
  } else {
    Charge(watched_.layers);
  }
}

// Measures what a charge itself takes.
void Inspector::Calibrate() {
  slot_ = 0;
  SetTicks(0, 0);
  since_ = watched_.counter();
  for (uint32_t i = 0; i < kTries; ++i) OnStep(this, 0, true);
  empty_ = Ticks(0);
}

uint64_t Inspector::Ticks(uint32_t slot) const {
  return seen_[2 * slot] | (uint64_t{seen_[2 * slot + 1]} << 32);
}

void Inspector::SetTicks(uint32_t slot, uint64_t ticks) {
  seen_[2 * slot] = static_cast<uint32_t>(ticks);
  seen_[2 * slot + 1] = static_cast<uint32_t>(ticks >> 32);
}

// Without what the charges took.
uint64_t Inspector::Spent(uint32_t slot) {
  const uint64_t own = Charges(slot) * empty_ / kTries;
  return Ticks(slot) > own ? Ticks(slot) - own : 0;
}

uint16_t Inspector::SeenCount() const {
  switch (watch_.what) {
    case What::kMaps:
      return watched_.maps;
    case What::kRows:
      return AtMost(size_t{watched_.shape(watch_.map).height} - watch_.row, kRoom / sizeof(uint32_t));
    case What::kBytes:
      return AtMost(RowBytes(watched_.shape(watch_.map)) - watch_.offset, kRoom);
    case What::kTime:
      return static_cast<uint16_t>(watched_.layers + 1);
    default:
      return 0;
  }
}

void Inspector::WriteSeen(FrameWriter* writer, uint16_t first) {
  const uint16_t total = SeenCount();
  writer->U8(static_cast<uint8_t>(watch_.what));
  writer->U16(watch_.map);
  writer->U16(watch_.row);
  writer->U32(watch_.offset);
  writer->U16(total);
  writer->U16(first);
  if (first >= total) return;
  const size_t fit = (kMaxPayload - kSeenHeader) / EntryBytes(watch_.what);
  const uint32_t end = uint32_t{first} + AtMost(size_t{total} - first, fit);
  for (uint32_t i = first; i < end; ++i) {
    if (watch_.what == What::kTime) {
      writer->U64(Spent(i));
      writer->U32(Charges(i));
    } else if (watch_.what == What::kBytes) {
      writer->U8(reinterpret_cast<const uint8_t*>(seen_)[i]);
    } else {
      if (watch_.what == What::kMaps) {
        const MapShape shape = watched_.shape(static_cast<int>(i));
        writer->U16(shape.height);
        writer->U16(shape.width);
        writer->U16(shape.channels);
      }
      writer->U32(seen_[i]);
    }
  }
}

// DeviceLink's part of it.

void DeviceLink::HandleWatch(const uint8_t* payload, size_t size) {
  if (size != 9) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  const bool known = payload[0] < kWhats;
  const Watch watch = {static_cast<What>(payload[0]), LoadU16(payload + 1), LoadU16(payload + 3),
                       LoadU32(payload + 5)};
  if (inspector_ == nullptr || !known || !inspector_->Ask(watch)) {
    SendError(ErrorCode::kUnknownData, payload[0]);
    return;
  }
  writer_.Begin(static_cast<uint8_t>(Reply::kWatching), reader_.sequence());
  writer_.Bytes(payload, size);
  writer_.U16(inspector_->watched().maps);
  writer_.U16(inspector_->watched().layers);
  writer_.U16(static_cast<uint16_t>(Inspector::kRoom));
  writer_.End();
}

void DeviceLink::HandleSeen(const uint8_t* payload, size_t size) {
  if (size != 6) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  if (!Current(LoadU32(payload))) return;
  if (state_ != State::kDone || inspector_ == nullptr) {
    SendStatus();
    return;
  }
  writer_.Begin(static_cast<uint8_t>(Reply::kSeen), reader_.sequence());
  writer_.U32(image_);
  inspector_->WriteSeen(&writer_, LoadU16(payload + 4));
  writer_.End();
}

}  // namespace squeeze::link
