#include "update/slot_store.h"

#include <string.h>

#include "engine/sha256.h"

namespace update {
namespace {

constexpr uint32_t kCheckpointsOfASlot = 16;  // and a few more for those that a reset interrupts

}  // namespace

bool SlotStore::Init(const Flash& flash, const Slot* slots, int count, uint32_t base,
                     uint32_t linked_counter) {
  flash_ = flash;
  count_ = 0;
  base_ = base;
  linked_counter_ = linked_counter;
  running_ = target_ = kLinked;
  trial_ = false;
  if (count < 0 || count > kMaxSlots) return false;
  for (int i = 0; i < count; ++i) {
    if (!records_[i].Init(flash, slots[i].offset, slots[i].bytes)) return false;
    rejected_[i] = false;
  }
  if (count == 2 && records_[0].Begins() < records_[1].Ends() && records_[1].Begins() < records_[0].Ends()) {
    return false;
  }
  count_ = count;
  for (int i = 0; i < count; ++i) Refresh(i);
  return true;
}

void SlotStore::Refresh(int slot) { states_[slot] = records_[slot].Read(&manifests_[slot]); }

bool SlotStore::RightSha(int slot) const {
  const SlotRecords& records = records_[slot];
  const Manifest& manifest = manifests_[slot];
  squeeze::Sha256 sha;
  uint8_t chunk[256];
  for (uint32_t at = 0; at < manifest.bytes; at += sizeof(chunk)) {
    const uint32_t left = manifest.bytes - at;
    const uint32_t count = left < sizeof(chunk) ? left : static_cast<uint32_t>(sizeof(chunk));
    if (!flash_.read(flash_.context, records.DataBegins() + at, chunk, count)) return false;
    sha.Update(chunk, count);
  }
  uint8_t digest[squeeze::kSha256Bytes];
  sha.Finish(digest);
  return memcmp(digest, manifest.sha256, sizeof(digest)) == 0;
}

bool SlotStore::Startable(int slot, const Check& fits) const {
  const SlotState& state = states_[slot];
  const Manifest& manifest = manifests_[slot];
  return state.described && !state.given_up && state.activated && state.base == base_ && !rejected_[slot] &&
         (state.confirmed || state.attempts < kAttempts) && manifest.version == kManifestVersion &&
         manifest.bytes > 0 && manifest.bytes <= records_[slot].Capacity() &&
         fits.accept(fits.context, manifest, nullptr) && RightSha(slot);
}

Running SlotStore::Boot(const Check& fits) {
  running_ = target_ = kLinked;
  trial_ = false;
  for (int i = 0; i < count_; ++i) Refresh(i);
  const bool swap = count_ == 2 && states_[1].sequence > states_[0].sequence;
  for (int i = 0; i < count_; ++i) {
    const int slot = swap ? 1 - i : i;
    if (!Startable(slot, fits)) continue;
    const SlotState& state = states_[slot];
    // A start that cannot be counted might be repeated for ever.
    if (!state.confirmed && !records_[slot].Attempt(state.attempts)) continue;
    running_ = slot;
    trial_ = !state.confirmed;
    attempt_ = state.attempts;
    const Manifest& manifest = manifests_[slot];
    return {slot, trial_, flash_.base + records_[slot].DataBegins(), manifest.bytes, &manifest};
  }
  return {kLinked, false, nullptr, 0, nullptr};
}

void SlotStore::Reject() {
  if (running_ != kLinked) rejected_[running_] = true;
  Vacate();
}

Status SlotStore::Confirm() {
  if (!trial_) return Status::kOk;
  if (!records_[running_].Confirm(attempt_)) return Status::kFlash;
  trial_ = false;
  Refresh(running_);
  return Status::kOk;
}

void SlotStore::Vacate() {
  running_ = kLinked;
  trial_ = false;
}

// The slot that does not run. If neither does: the one of an update that was interrupted, or the older one.
int SlotStore::Target() const {
  if (count_ == 0) return kLinked;
  if (count_ == 1) return 0;
  if (running_ != kLinked) return 1 - running_;
  for (int i = 0; i < count_; ++i) {
    if (Resumable(i)) return i;
  }
  return states_[1].sequence < states_[0].sequence ? 1 : 0;
}

uint32_t SlotStore::Capacity() const {
  const int slot = Target();
  return slot == kLinked ? 0 : records_[slot].Capacity();
}

uint32_t SlotStore::Counter() const {
  uint32_t counter = linked_counter_;
  for (int i = 0; i < count_; ++i) {
    const SlotState& state = states_[i];
    if (state.floor > counter) counter = state.floor;
    if (state.described && state.confirmed && manifests_[i].counter > counter)
      counter = manifests_[i].counter;
  }
  return counter;
}

uint32_t SlotStore::NextSequence() const {
  uint32_t sequence = 0;
  for (int i = 0; i < count_; ++i) {
    if (states_[i].sequence > sequence) sequence = states_[i].sequence;
  }
  return sequence + 1;
}

bool SlotStore::Resumable(int slot) const {
  const SlotState& state = states_[slot];
  return slot != running_ && state.described && !state.given_up && !state.activated &&
         state.activation_at < kActivations && state.checkpoint > 0;
}

const Manifest* SlotStore::Pending() const {
  if (target_ != kLinked) return &manifests_[target_];
  const int slot = Target();
  return slot != kLinked && Resumable(slot) ? &manifests_[slot] : nullptr;
}

uint32_t SlotStore::Received() const {
  if (target_ != kLinked) return programmed_ + waiting_;
  return Pending() == nullptr ? 0 : states_[Target()].checkpoint;
}

Status SlotStore::Begin(const Manifest& manifest) {
  Cancel();
  const int slot = Target();
  if (slot == kLinked) return Status::kNoSlots;
  if (manifest.version != kManifestVersion || manifest.bytes == 0) return Status::kManifest;
  if (manifest.bytes > records_[slot].Capacity()) return Status::kTooLarge;
  if (manifest.counter < Counter()) return Status::kOlder;
  if (slot == running_) return Status::kInUse;
  if (trial_) return Status::kUnconfirmed;
  if (!Resumable(slot) || memcmp(&manifests_[slot], &manifest, sizeof(manifest)) != 0) {
    return StartAnew(manifest);
  }
  target_ = slot;
  programmed_ = states_[slot].checkpoint;
  waiting_ = 0;
  erased_to_ =
      records_[slot].DataBegins() + programmed_;  // a checkpoint is where a sector begins, or the end
  return Status::kOk;
}

Status SlotStore::StartAnew(const Manifest& manifest) {
  const int slot = Target();
  const SlotRecords& records = records_[slot];
  const uint32_t floor = Counter();
  // Without what this slot's manifest says: does any other record still say so?
  SlotState& state = states_[slot];
  const SlotState before = state;
  state = {};
  const bool keep = Counter() < floor;
  state = before;
  if (before.described && !before.given_up && !records.GiveUp()) return Fail();
  if (!records.Clear(keep ? floor : 0) || !records.Describe(manifest, floor)) return Fail();
  Refresh(slot);
  target_ = slot;
  programmed_ = waiting_ = 0;
  erased_to_ = records.ClearedTo();
  return Status::kOk;
}

// What lies in the flash is read anew: the records tell how far it came.
Status SlotStore::Fail() {
  Cancel();
  return Status::kFlash;
}

void SlotStore::Cancel() {
  target_ = kLinked;
  programmed_ = waiting_ = 0;
  for (int i = 0; i < count_; ++i) Refresh(i);
}

// Whole units, as many as are in the sector of the next one at most.
Status SlotStore::ProgramNext(const uint8_t* data, uint32_t bytes) {
  const SlotRecords& records = records_[target_];
  SlotState& state = states_[target_];
  const uint32_t at = records.DataBegins() + programmed_;
  if (at >= erased_to_) {
    const uint32_t step = records.Capacity() / kCheckpointsOfASlot;
    if (programmed_ > 0 && (state.checkpoint == 0 || programmed_ - state.checkpoint >= step) &&
        state.checkpoint_at < kCheckpoints) {
      if (!records.Checkpoint(state.checkpoint_at, programmed_)) return Fail();
      ++state.checkpoint_at;
      state.checkpoint = programmed_;
    }
    if (!EraseAndCheck(flash_, at)) return Fail();
    const Sector sector = SectorOf(flash_, at);
    erased_to_ = sector.offset + sector.bytes;
  }
  if (!ProgramAndCheck(flash_, at, data, bytes)) return Fail();
  programmed_ += bytes;
  return Status::kOk;
}

Status SlotStore::Append(const uint8_t* data, uint32_t bytes) {
  if (target_ == kLinked) return Status::kNotBegun;
  const uint32_t all = manifests_[target_].bytes;
  if (bytes > all - Received()) return Status::kTooMuch;
  const uint32_t unit = flash_.unit;
  while (bytes > 0) {
    if (waiting_ == 0 && bytes >= unit) {
      const uint32_t at = records_[target_].DataBegins() + programmed_;
      uint32_t room = erased_to_ > at ? erased_to_ - at : unit;
      if (room > bytes) room = bytes / unit * unit;
      const Status status = ProgramNext(data, room);
      if (status != Status::kOk) return status;
      data += room;
      bytes -= room;
      continue;
    }
    const uint32_t room = unit - waiting_;
    const uint32_t count = bytes < room ? bytes : room;
    memcpy(unit_ + waiting_, data, count);
    waiting_ += count;
    data += count;
    bytes -= count;
    if (waiting_ == unit) {
      waiting_ = 0;
      const Status status = ProgramNext(unit_, unit);
      if (status != Status::kOk) return status;
    }
  }
  if (Received() < all) return Status::kOk;
  if (waiting_ > 0) {
    memset(unit_ + waiting_, 0, unit - waiting_);
    waiting_ = 0;
    const Status status = ProgramNext(unit_, unit);
    if (status != Status::kOk) return status;
    programmed_ = all;
  }
  // The end is a checkpoint, too, for a reset before Finish().
  SlotState& state = states_[target_];
  if (state.checkpoint == all || state.checkpoint_at >= kCheckpoints) return Status::kOk;
  if (!records_[target_].Checkpoint(state.checkpoint_at, all)) return Fail();
  ++state.checkpoint_at;
  state.checkpoint = all;
  return Status::kOk;
}

Status SlotStore::GiveUp(Status why) {
  const bool given_up = records_[target_].GiveUp();
  Cancel();
  return given_up ? why : Status::kFlash;
}

Status SlotStore::Finish(const Check& accept) {
  if (target_ == kLinked) return Status::kNotBegun;
  const Manifest& manifest = manifests_[target_];
  if (programmed_ < manifest.bytes) return Status::kIncomplete;
  if (!RightSha(target_)) return GiveUp(Status::kWrongSha);
  const SlotRecords& records = records_[target_];
  if (!accept.accept(accept.context, manifest, flash_.base + records.DataBegins())) {
    return GiveUp(Status::kNotAccepted);
  }
  const bool activated = records.Activate(states_[target_].activation_at, NextSequence(), base_);
  Cancel();
  return activated ? Status::kOk : Status::kFlash;
}

}  // namespace update
