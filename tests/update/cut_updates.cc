// Cuts the power at the operations of a whole update, each in every way that the operation can be torn:
//   cut_updates GEOMETRY SLOTS STRIDE ENDS
// STRIDE: all erases and records, and every STRIDEth program of the model's bytes. After each the device must
// start the old or the new model (with one slot: or the linked one), and take no lower counter. ENDS: after
// every ENDSth cut it must also bring the update to its end.
// Prints "operations N cuts N ended N erases N", the latter of the most worn sector.
#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "device.h"
#include "update/slot_records.h"

using update::Status;

namespace {

class Cutter {
 public:
  Cutter(const Case& of, int slots, long stride, long ends)
      : case_(of), slots_(slots), stride_(stride), ends_(ends), nor_(of.geometry), device_(&nor_, of, slots) {}

  void Run() {
    if (slots_ == 2) device_.Install(MakeModel(case_.model_bytes / 2, 2, 1));  // so that both slots are used
    device_.Install(old_);
    device_.Reset();
    Want(device_.Runs(old_), "the old model does not start");
    const long begin = nor_.operations();
    nor_.before = [this](const NorModel::Operation& operation) { Try(operation); };
    WantStatus(device_.Update(new_), Status::kOk, "the update");
    device_.Reset();
    Want(device_.Runs(new_), "the new model does not start");
    WantStatus(device_.store.Confirm(), Status::kOk, "Confirm");
    nor_.before = nullptr;
    Want(nor_.broken().empty(), nor_.broken());
    printf("operations %ld cuts %ld ended %ld erases %u\n", nor_.operations() - begin, cuts_, ended_,
           nor_.most_erases());
  }

 private:
  bool IsRecord(uint32_t offset) const {
    for (int i = 0; i < slots_; ++i) {
      update::SlotRecords records;
      const update::Slot& slot = case_.slots[i];
      Want(records.Init(nor_.flash(), slot.offset, slot.bytes), "a slot");
      if (offset >= records.DataBegins() && offset < records.DataBegins() + records.Capacity()) return false;
    }
    return true;
  }

  void Try(const NorModel::Operation& operation) {
    const long number = ++number_;
    const bool special = operation.erases || IsRecord(operation.offset);
    if (!special && number % stride_ != 0) return;
    if (operation.erases) {
      for (const Torn torn : kTornErases) Cut(operation, torn);
    } else {
      for (const Torn torn : kTornPrograms) Cut(operation, torn);
    }
  }

  void Cut(const NorModel::Operation& operation, Torn torn) {
    const std::string what = "operation " + std::to_string(number_) + ", torn " +
                             std::to_string(static_cast<int>(torn)) + ": ";
    ++cuts_;
    operation.cut(torn);
    Device after(&nor_, case_, slots_);
    const bool linked = slots_ == 1 && after.running.slot == update::kLinked;
    Want(linked || after.Runs(old_) || after.Runs(new_), what + "neither the old nor the new model starts");
    Want(after.store.Counter() >= old_.manifest.counter, what + "an older counter is taken");
    if (cuts_ % ends_ == 0) {
      ++ended_;
      WantStatus(after.store.Confirm(), Status::kOk, what + "Confirm");
      if (!after.Runs(new_)) after.Install(new_);
      after.Reset();
      Want(after.Runs(new_) && !after.running.trial, what + "the new model does not stay");
    }
    operation.take_back();
    Want(nor_.broken().empty(), what + nor_.broken());
  }

  const Case& case_;
  int slots_;
  long stride_, ends_;
  NorModel nor_;
  Device device_;
  const Model old_ = MakeModel(700, 3, 2);
  const Model new_ = MakeModel(case_.model_bytes, 4, 3);
  long number_ = 0, cuts_ = 0, ended_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  Want(count == 5, "want: GEOMETRY SLOTS STRIDE ENDS");
  Cutter(*FindCase(arguments[1]), atoi(arguments[2]), atol(arguments[3]), atol(arguments[4])).Run();
}
