// The records at the beginning of a slot, one slot at a time: where they lie, what they say, how they are
// written. docs/update.md draws them.
//
// A record is one or more granules. A granule is a unit of the flash, or 16 bytes where units are smaller.
// Small records hold each word and its complement: whatever a program that is interrupted leaves (fewer zeros
// than wanted) is not such a pair. Marks say what they say by not being erased: a mark that is written only
// in part, or that cannot be read, counts.
#ifndef FIRMWARE_CPP_UPDATE_SLOT_RECORDS_H_
#define FIRMWARE_CPP_UPDATE_SLOT_RECORDS_H_

#include <stdint.h>

#include "update/flash.h"
#include "update/manifest.h"

namespace update {

constexpr uint32_t kActivations = 2;  // the second one: should the first be interrupted
constexpr uint32_t kAttempts = 2;
constexpr uint32_t kCheckpoints = 24;

// What a slot's records say.
struct SlotState {
  bool described;  // there is a manifest
  bool given_up;   // to be erased; its manifest still counts for the floor
  bool activated;
  bool confirmed;
  uint32_t attempts;       // 0 to kAttempts
  uint32_t sequence;       // of the activation: the highest is the newest
  uint32_t base;           // of the firmware that activated it
  uint32_t floor;          // 0, or the least counter that the device took when this came
  uint32_t checkpoint;     // bytes of the model that are known to be there
  uint32_t checkpoint_at;  // the next free record for one, up to kCheckpoints
  uint32_t activation_at;  // and the next free activation, up to kActivations
};

class SlotRecords {
 public:
  // False: not whole sectors, or too small.
  bool Init(const Flash& flash, uint32_t offset, uint32_t bytes);

  // The manifest and the rest. `manifest` is written in any case, and means something where `described`.
  SlotState Read(Manifest* manifest) const;

  uint32_t Begins() const { return offset_; }
  uint32_t Ends() const { return offset_ + bytes_; }
  uint32_t DataBegins() const;  // offset in the flash
  uint32_t Capacity() const;    // bytes of a model

  // Gives the slot up: it never starts and is never resumed. In two places, so that an erase which is
  // interrupted in the middle of the sector leaves one of them, or no manifest.
  bool GiveUp() const;

  // Erases the sectors that hold records. `keep_floor` > 0: that counter outlives it, in the last sector.
  // From there to the end of the last sector erased, DataBegins() on, data may be written.
  bool Clear(uint32_t keep_floor) const;
  uint32_t ClearedTo() const;

  // Each returns false where the flash does not take the record, or does not hold it afterwards.
  bool Describe(const Manifest& manifest, uint32_t floor) const;
  bool Checkpoint(uint32_t at, uint32_t bytes) const;
  bool Activate(uint32_t at, uint32_t sequence, uint32_t base) const;
  bool Attempt(uint32_t number) const;  // from 0 on
  bool Confirm(uint32_t number) const;

 private:
  uint32_t Granule() const;
  uint32_t ManifestBytes() const;
  uint32_t Place(uint32_t index) const;  // of the small records behind the manifest
  bool Blank(uint32_t offset) const;
  bool Pair(uint32_t offset, uint32_t* first, uint32_t* second) const;
  bool WritePair(uint32_t offset, uint32_t first, uint32_t second) const;
  bool Mark(uint32_t offset) const;
  bool CanGoOnAt(uint32_t received, uint32_t bytes) const;

  Flash flash_;
  uint32_t offset_;
  uint32_t bytes_;
};

// Erases the sector at `offset` and looks whether it is erased; programs and looks whether it is there.
bool EraseAndCheck(const Flash& flash, uint32_t offset);
bool ProgramAndCheck(const Flash& flash, uint32_t offset, const uint8_t* data, uint32_t bytes);

}  // namespace update

#endif  // FIRMWARE_CPP_UPDATE_SLOT_RECORDS_H_
