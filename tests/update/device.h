// A device with slots on a NorModel, and what its tests share: geometries, models, a reset, an update.
#ifndef TESTS_UPDATE_DEVICE_H_
#define TESTS_UPDATE_DEVICE_H_

#include <stdint.h>

#include <string>
#include <vector>

#include "nor_model.h"
#include "update/slot_store.h"

// The boards' flashes, cut down to a few sectors a slot: `slots` are two; with one slot it is the first.
struct Case {
  Geometry geometry;
  update::Slot slots[2];
  uint32_t model_bytes;  // reaches over sectors of the slots, but for a rest
};
const Case* FindCase(const std::string& name);

struct Model {
  std::vector<uint8_t> bytes;
  update::Manifest manifest;
};
Model MakeModel(uint32_t bytes, uint32_t counter, uint32_t seed);

constexpr uint32_t kBase = 0x1234ABCD;
extern const update::Check kAnything;

// Ends the program with the message and status 1.
[[noreturn]] void Fail(const std::string& what);
void Want(bool fine, const std::string& what);
void WantStatus(update::Status status, update::Status wanted, const std::string& what);

class Device {
 public:
  // Switched on, with whatever the flash holds.
  Device(NorModel* nor, const Case& of, int slots);

  // Power off and on: a store that knows nothing, and what it starts.
  update::Running Reset(uint32_t base = kBase, uint32_t linked_counter = 0);

  // As firmware would: begins or resumes, leaves the slot where there is one only, sends the rest in pieces.
  update::Status Send(const Model& model, uint32_t piece = 1000);
  update::Status Update(const Model& model, uint32_t piece = 1000);

  // Update(), Reset(), Confirm(): `model` runs, or it fails.
  void Install(const Model& model);

  bool Runs(const Model& model) const;

  update::SlotStore store;
  update::Running running;

 private:
  NorModel* nor_;
  const Case& case_;
  int slots_;
};

#endif  // TESTS_UPDATE_DEVICE_H_
