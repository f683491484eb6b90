// Models in slots of the flash, beside the one that is linked into the firmware: which one starts, and how a
// new one takes its place so that a power cut at any moment leaves the old one or the new one.
// docs/update.md says how the records lie in the flash.
//
//   SlotStore store;                                   // static; 0.8 KB
//   store.Init(flash, slots, count, base, counter);
//   Running running = store.Boot({fits, context});     // load it; if it does not load: store.Reject(),
//   Boot() store.Confirm();                                   // once it has answered
//
//   store.Begin(manifest);                             // after all checks of the manifest
//   while (store.Received() < manifest.bytes) store.Append(data, bytes);
//   store.Finish({accept, context});                   // then reset the board: Boot() takes the new model
#ifndef FIRMWARE_CPP_UPDATE_SLOT_STORE_H_
#define FIRMWARE_CPP_UPDATE_SLOT_STORE_H_

#include <stdint.h>

#include "update/flash.h"
#include "update/manifest.h"
#include "update/slot_records.h"

namespace update {

// 0: fine. The others end an update; the model that runs stays what it is.
enum class Status : uint8_t {
  kOk = 0,
  kTooLarge,     // the model does not fit into the slot: Capacity()
  kOlder,        // its counter is below Counter()
  kManifest,     // of another version, or of 0 bytes
  kNotBegun,     // no Begin() since the start, or the update has ended
  kTooMuch,      // more bytes than the manifest says
  kIncomplete,   // Finish() before all bytes were there
  kWrongSha,     // what lies in the flash is not what the manifest says; the slot is given up
  kNotAccepted,  // the check that Finish() was given refused the model; the slot is given up
  kFlash,        // the flash reports an error, or does not hold what was written
  kUnconfirmed,  // the model that runs has not been confirmed: Begin() would take what to roll back to
  kInUse,        // one slot, and its model runs: load the linked model, then Vacate(), then Begin() again
  kNoSlots,      // the board has none
};

// Whole sectors each, without overlap. One: the linked model runs while the slot is written.
struct Slot {
  uint32_t offset;
  uint32_t bytes;
};
constexpr int kMaxSlots = 2;
constexpr int kLinked = -1;

// What starts.
struct Running {
  int slot;                  // an index, or kLinked
  bool trial;                // not confirmed yet
  const uint8_t* data;       // the model as memory; null for kLinked
  uint32_t bytes;            // 0 for kLinked
  const Manifest* manifest;  // stays as it is until the next Boot(); null for kLinked
};

// A check of a model by the caller. `data`: the model in the flash as memory, null where only the manifest
// counts. False refuses.
struct Check {
  bool (*accept)(void* context, const Manifest& manifest, const uint8_t* data);
  void* context;
};

class SlotStore {
 public:
  // `base`: of the firmware, a number that changes with the linked model (as its CRC-32): a model that came
  // to another firmware does not start on this one. `linked_counter`: the linked model's. False: slots that
  // are not whole sectors, are too small for their records or overlap; then nothing but the linked model ever
  // starts.
  bool Init(const Flash& flash, const Slot* slots, int count, uint32_t base, uint32_t linked_counter);

  // Which model starts, and counts the attempt in the flash if it is not confirmed. Of the slots whose
  // records and SHA-256 are right and which `fits` accepts (it gets `data` null), the one activated last; one
  // that did not confirm in two attempts is passed over. Call once after a reset; again only after Reject().
  Running Boot(const Check& fits);

  // The model that Boot() gave cannot be loaded: Boot() will not give it again before the next reset.
  void Reject();

  // The model that runs has answered: it is not rolled back any more. Does nothing where there is nothing to
  // confirm.
  Status Confirm();

  // What runs is now the linked model: before Begin() on a board with one slot (kInUse).
  void Vacate();

  // What the next Begin() would use: bytes that a model may have; 0 without slots.
  uint32_t Capacity() const;

  // The least counter that Begin() takes: the highest of the linked model and all models ever confirmed.
  uint32_t Counter() const;

  // Begins or resumes: with the manifest of an update that was interrupted, Received() tells where it goes
  // on. With another one the slot that does not run is begun anew. Erases the slot's first sectors only, the
  // others as Append() comes to them. Whatever else must hold of a manifest, check it before.
  Status Begin(const Manifest& manifest);

  // The manifest of the update under way, or null. Also right after Boot(): that of an update which a reset
  // has interrupted; then Begin() with it resumes.
  const Manifest* Pending() const;

  // Bytes that are there. After a reset fewer than before: those of the last checkpoint.
  uint32_t Received() const;

  // The next bytes, any number, at any address. Blocks while sectors are erased and programmed.
  Status Append(const uint8_t* data, uint32_t bytes);

  // All bytes are there: verifies the SHA-256 of what lies in the flash, asks `accept`, and writes the record
  // that makes it start at the next reset.
  Status Finish(const Check& accept);

  // Ends the update under way. Begin() with the same manifest goes on from the last checkpoint.
  void Cancel();

 private:
  void Refresh(int slot);
  bool Startable(int slot, const Check& fits) const;
  bool RightSha(int slot) const;
  bool Resumable(int slot) const;
  int Target() const;
  uint32_t NextSequence() const;
  Status StartAnew(const Manifest& manifest);
  Status GiveUp(Status why);
  Status ProgramNext(const uint8_t* data, uint32_t bytes);
  Status Fail();

  Flash flash_;
  SlotRecords records_[kMaxSlots];
  SlotState states_[kMaxSlots];
  Manifest manifests_[kMaxSlots];
  bool rejected_[kMaxSlots];
  int count_;
  uint32_t base_;
  uint32_t linked_counter_;
  int running_;
  bool trial_;
  uint32_t attempt_;  // of this start, from 0 on

  // The update under way.
  int target_;           // kLinked: none
  uint32_t programmed_;  // bytes of the model in the flash
  uint32_t erased_to_;   // offset: from the next byte to there the flash is erased
  uint32_t waiting_;     // bytes in unit_, for the rest of which it waits
  uint8_t unit_[kMaxUnitBytes];
};

}  // namespace update

#endif  // FIRMWARE_CPP_UPDATE_SLOT_STORE_H_
