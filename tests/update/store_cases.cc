// What the slots do and refuse, a case at a time: store_cases GEOMETRY CASE. Ends with status 0, or with 1 and why.
#include <string.h>

#include <map>
#include <string>

#include "device.h"

using update::Check;
using update::Manifest;
using update::Status;

namespace {

bool Never(void* /*context*/, const Manifest& /*manifest*/, const uint8_t* /*data*/) { return false; }
constexpr Check kNothing = {Never, nullptr};

// Two slots, unless a case wants one; `old` runs from slot 0 and is confirmed.
struct Bench {
  explicit Bench(const Case& of, int slots = 2)
      : of(of), nor(of.geometry), device(&nor, of, slots), old(MakeModel(5000, 3, 1)) {
    device.Install(old);
    device.Reset();
  }
  ~Bench() { Want(nor.broken().empty(), nor.broken()); }

  void WantOld(const std::string& when) {
    device.Reset();
    Want(device.Runs(old) && !device.running.trial, when + ": the old model does not run");
  }

  const Case& of;
  NorModel nor;
  Device device;
  const Model old;
};

void Refuses(Bench* bench, const Manifest& manifest, Status wanted, const std::string& what) {
  const long before = bench->nor.operations();
  WantStatus(bench->device.store.Begin(manifest), wanted, what);
  Want(bench->nor.operations() == before, what + ": the flash was touched");
}

void Refusals(const Case& of) {
  Bench bench(of);
  update::SlotStore& store = bench.device.store;
  const uint8_t byte = 0;
  WantStatus(store.Append(&byte, 1), Status::kNotBegun, "Append before Begin");
  WantStatus(store.Finish(kAnything), Status::kNotBegun, "Finish before Begin");
  Manifest manifest = MakeModel(6000, 3, 2).manifest;
  manifest.bytes = store.Capacity() + 1;
  Refuses(&bench, manifest, Status::kTooLarge, "too large");
  manifest.bytes = 0;
  Refuses(&bench, manifest, Status::kManifest, "no bytes");
  manifest.bytes = 6000;
  manifest.version = 2;
  Refuses(&bench, manifest, Status::kManifest, "another version");
  manifest.version = update::kManifestVersion;
  manifest.counter = 2;
  Refuses(&bench, manifest, Status::kOlder, "an older counter");
  bench.WantOld("after refusals");

  const Model next = MakeModel(6000, 3, 2);  // the same counter is fine
  WantStatus(store.Begin(next.manifest), Status::kOk, "Begin");
  WantStatus(store.Append(next.bytes.data(), 5000), Status::kOk, "Append");
  WantStatus(store.Finish(kAnything), Status::kIncomplete, "Finish too early");
  WantStatus(store.Append(next.bytes.data() + 5000, 1001), Status::kTooMuch, "a byte too many");
  bench.WantOld("after half a model");
}

void Fits(const Case& of) {
  Bench bench(of);
  const Model full = MakeModel(bench.device.store.Capacity(), 3, 2);
  bench.device.Install(full);
}

void WrongSha(const Case& of) {
  Bench bench(of);
  Model next = MakeModel(6000, 4, 2);
  next.bytes[3000] ^= 1;
  WantStatus(bench.device.Update(next), Status::kWrongSha, "a wrong byte");
  Want(bench.device.store.Pending() == nullptr, "what was given up is to be resumed");
  bench.WantOld("after a wrong SHA-256");
  next.bytes[3000] ^= 1;
  bench.device.Install(next);  // and the right one is taken from its beginning
}

void NotAccepted(const Case& of) {
  Bench bench(of);
  const Model next = MakeModel(6000, 4, 2);
  WantStatus(bench.device.Send(next), Status::kOk, "Send");
  WantStatus(bench.device.store.Finish(kNothing), Status::kNotAccepted, "Finish");
  bench.WantOld("after a model that was not accepted");
  Want(bench.device.store.Counter() == 3, "its counter counts");
}

void RollBack(const Case& of) {
  Bench bench(of);
  const Model next = MakeModel(6000, 4, 2);
  WantStatus(bench.device.Update(next), Status::kOk, "Update");
  for (int start = 0; start < 2; ++start) {
    bench.device.Reset();
    Want(bench.device.Runs(next) && bench.device.running.trial, "the new model does not start on trial");
    WantStatus(bench.device.store.Begin(next.manifest), Status::kUnconfirmed, "Begin while on trial");
  }
  bench.WantOld("after two starts without a confirmation");
  const long before = bench.nor.operations();
  bench.WantOld("for good");
  Want(bench.nor.operations() == before, "a start of a confirmed model writes to the flash");
  Want(bench.device.store.Counter() == 3, "the counter of a model that never answered counts");
  bench.device.Install(next);  // may be sent again
}

void Reject(const Case& of) {
  Bench bench(of);
  WantStatus(bench.device.Update(MakeModel(6000, 4, 2)), Status::kOk, "Update");
  for (int start = 0; start < 2; ++start) {
    Want(bench.device.Reset().trial, "no trial");
    bench.device.store.Reject();
    bench.device.running = bench.device.store.Boot(kAnything);
    Want(bench.device.Runs(bench.old), "the old model does not run after Reject()");
  }
  bench.WantOld("after it was rejected twice");
}

void Resume(const Case& of) {
  Bench bench(of);
  const Model next = MakeModel(of.model_bytes, 4, 2);
  Device& device = bench.device;
  WantStatus(device.store.Begin(next.manifest), Status::kOk, "Begin");
  const uint32_t sent = of.model_bytes - 100;
  WantStatus(device.store.Append(next.bytes.data(), sent), Status::kOk, "Append");
  bench.WantOld("in the middle of an update");
  const Manifest* pending = device.store.Pending();
  Want(pending != nullptr && memcmp(pending, &next.manifest, sizeof(*pending)) == 0, "not to be resumed");
  const uint32_t there = device.store.Received();
  Want(there > 0 && there <= sent, "resumes at " + std::to_string(there));
  WantStatus(device.store.Begin(next.manifest), Status::kOk, "Begin again");
  Want(device.store.Received() == there, "Begin() goes on elsewhere");
  WantStatus(device.Update(next), Status::kOk, "the rest");
  device.Reset();
  Want(device.Runs(next), "the resumed model does not run");
  WantStatus(device.store.Confirm(), Status::kOk, "Confirm");

  // All bytes were there.
  const Model third = MakeModel(of.model_bytes + 1, 4, 5);
  WantStatus(device.Send(third), Status::kOk, "Send");
  device.Reset();
  Want(device.store.Received() == third.bytes.size(), "the last bytes are lost");
  // Another manifest begins anew.
  const Model other = MakeModel(6000, 4, 6);
  WantStatus(device.store.Begin(other.manifest), Status::kOk, "Begin of another");
  Want(device.store.Received() == 0, "bytes of another model count");
  device.Install(other);
}

void OtherFirmware(const Case& of) {
  Bench bench(of);
  bench.device.Reset(kBase + 1);
  Want(bench.device.running.slot == update::kLinked, "a model of another firmware starts");
  Want(bench.device.store.Counter() == 3, "another firmware takes an older model");
  bench.device.Reset(kBase, 9);
  Want(bench.device.store.Counter() == 9, "the linked model's counter does not count");
  const Check nothing = kNothing;
  Want(bench.device.store.Boot(nothing).slot == update::kLinked, "what does not fit starts");
}

void Age(const Case& of) {
  Bench bench(of);
  bench.device.Install(MakeModel(6000, 4, 2));
  bench.nor.Spoil(static_cast<uint32_t>(bench.device.running.data - bench.nor.flash().base) + 4321);
  bench.WantOld("after a byte of the new model has changed");
  Want(bench.device.store.Counter() == 4, "the counter went with it");
}

void OneSlot(const Case& of) {
  Bench bench(of, 1);
  Device& device = bench.device;
  const Model next = MakeModel(6000, 4, 2);
  WantStatus(device.store.Begin(next.manifest), Status::kInUse, "Begin of the slot that runs");
  bench.WantOld("after that");
  device.store.Vacate();
  WantStatus(device.store.Begin(next.manifest), Status::kOk, "Begin");
  device.Reset();
  Want(device.running.slot == update::kLinked, "no linked model while the slot is written");
  Want(device.store.Counter() == 3, "the counter is lost while the slot is written");
  device.Install(next);
  WantStatus(device.Update(MakeModel(6000, 5, 3)), Status::kOk, "Update");
  Want(device.Reset().trial && device.Reset().trial && device.Reset().slot == update::kLinked,
       "no linked model after two starts without a confirmation");
  Want(device.store.Counter() == 4, "the counter of the model before is lost");
}

void Slots(const Case& of) {
  NorModel nor(of.geometry);
  update::SlotStore store;
  const update::Slot good = of.slots[0], other = of.slots[1];
  const uint32_t sector = update::SectorOf(nor.flash(), good.offset).bytes;
  const auto refused = [&](update::Slot a, update::Slot b, const char* what) {
    const update::Slot slots[] = {a, b};
    Want(!store.Init(nor.flash(), slots, 2, kBase, 0), std::string("takes ") + what);
    Want(store.Boot(kAnything).slot == update::kLinked, what);
    WantStatus(store.Begin(MakeModel(100, 1, 1).manifest), Status::kNoSlots, what);
  };
  refused({good.offset + 256, good.bytes}, other, "half a sector");
  refused({good.offset, good.bytes - 256}, other, "half a sector at the end");
  refused({good.offset, sector}, other, "a single sector");
  refused(good, {good.offset + good.bytes - update::SectorOf(nor.flash(), good.offset + good.bytes - 1).bytes,
                 other.bytes + update::SectorOf(nor.flash(), good.offset + good.bytes - 1).bytes},
          "slots that overlap");
  refused(good, {1u << 30, good.bytes}, "a slot behind the flash");
}

void Wear(const Case& of) {
  Bench bench(of);
  for (uint32_t i = 0; i < 20; ++i) bench.device.Install(MakeModel(6000 + i, 4, i));
  Want(bench.nor.most_erases() <= 11, "more erases than updates of a slot");
}

// Cut at random, again and again, until the update is through.
void RandomCuts(const Case& of) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    const int slots = seed % 3 == 0 ? 1 : 2;
    NorModel nor(of.geometry, seed);
    Device device(&nor, of, slots);
    std::minstd_rand random(seed);
    const Model old = MakeModel(3000, 7, seed), next = MakeModel(of.model_bytes, 8, seed + 100);
    device.Install(old);
    const std::string what = "seed " + std::to_string(seed) + ": ";
    for (int cut = 0; cut < 12; ++cut) {
      const bool late = random() % 2 == 0;
      nor.CutAt(1 + static_cast<long>(random() % (late ? 100 : of.model_bytes / of.geometry.unit)),
                static_cast<Torn>(random() % 6));
      if (!device.Runs(next)) device.Update(next);
      const bool recovers = slots == 1 && (device.Reset(), device.running.slot == update::kLinked);
      if (slots == 2) device.Reset();
      Want(recovers || device.Runs(old) || device.Runs(next), what + "neither the old nor the new model starts");
      Want(device.store.Counter() >= 7, what + "an older counter is taken");
      if (random() % 3 == 0) device.store.Confirm();
    }
    nor.PowerOn();
    device.Reset();
    WantStatus(device.store.Confirm(), Status::kOk, what + "Confirm");
    if (!device.Runs(next)) device.Install(next);
    Want(nor.broken().empty(), what + nor.broken());
  }
}

const std::map<std::string, void (*)(const Case&)> kAll = {
    {"refusals", Refusals}, {"fits", Fits},        {"wrong_sha", WrongSha},
    {"not_accepted", NotAccepted}, {"roll_back", RollBack}, {"reject", Reject},
    {"resume", Resume},     {"other_firmware", OtherFirmware}, {"age", Age},
    {"one_slot", OneSlot},  {"slots", Slots},      {"wear", Wear},
    {"random_cuts", RandomCuts}};

}  // namespace

int main(int count, char** arguments) {
  Want(count == 3 && kAll.count(arguments[2]) == 1, "want: GEOMETRY CASE");
  kAll.at(arguments[2])(*FindCase(arguments[1]));
}
