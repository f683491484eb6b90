#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sha256.h"

using update::Manifest;
using update::Status;

namespace {

constexpr uint32_t k4K = 4096, k128K = 131072;

bool AcceptAll(void* /*context*/, const Manifest& /*manifest*/, const uint8_t* /*data*/) { return true; }

const Case kCases[] = {
    // Words of 32 bits, without error correction. Two sectors a slot; one is a board's.
    {{"stm32f4", {{0, k128K, 4}}, 4, false}, {{0, 2 * k128K}, {2 * k128K, 2 * k128K}}, 132001},
    // The same chip's small sectors: two of 16 KB and the one of 64 KB in a slot.
    {{"stm32f4_small", {{0, 16384, 4}, {65536, 65536, 1}, {k128K, k128K, 2}}, 4, false},
     {{k128K, 2 * k128K}, {32768, 98304}},
     70001},
    {{"stm32h7", {{0, k128K, 6}}, 32, true}, {{0, 3 * k128K}, {3 * k128K, 3 * k128K}}, 133001},
    {{"rp2040", {{0, k4K, 128}}, 256, false}, {{0, 64 * k4K}, {64 * k4K, 64 * k4K}}, 100001},
    {{"nrf52840", {{0, k4K, 40}}, 4, false}, {{0, 20 * k4K}, {20 * k4K, 20 * k4K}}, 30003},
    {{"mps2", {{0, k4K, 64}}, 16, false}, {{0, 32 * k4K}, {32 * k4K, 32 * k4K}}, 60001},
};

}  // namespace

const update::Check kAnything = {AcceptAll, nullptr};

const Case* FindCase(const std::string& name) {
  for (const Case& one : kCases) {
    if (name == one.geometry.name) return &one;
  }
  Fail("no geometry " + name);
}

Model MakeModel(uint32_t bytes, uint32_t counter, uint32_t seed) {
  Model model;
  std::minstd_rand random(seed);
  model.bytes.resize(bytes);
  for (uint8_t& byte : model.bytes) byte = static_cast<uint8_t>(random() >> 8);
  // Pages that look erased, as a model may have them.
  if (bytes > 20000) memset(model.bytes.data() + 9000, 0xFF, 9000);
  Manifest& manifest = model.manifest;
  memset(&manifest, 0, sizeof(manifest));
  manifest.version = update::kManifestVersion;
  manifest.bytes = bytes;
  manifest.counter = counter;
  squeeze::Sha256 sha;
  sha.Update(model.bytes.data(), bytes);
  sha.Finish(manifest.sha256);
  return model;
}

void Fail(const std::string& what) {
  fprintf(stderr, "%s\n", what.c_str());
  exit(1);
}

void Want(bool fine, const std::string& what) {
  if (!fine) Fail(what);
}

void WantStatus(Status status, Status wanted, const std::string& what) {
  if (status != wanted) {
    Fail(what + ": status " + std::to_string(static_cast<int>(status)) + ", wanted " +
         std::to_string(static_cast<int>(wanted)));
  }
}

Device::Device(NorModel* nor, const Case& of, int slots) : running(), nor_(nor), case_(of), slots_(slots) {
  Reset();
}

update::Running Device::Reset(uint32_t base, uint32_t linked_counter) {
  nor_->PowerOn();
  memset(static_cast<void*>(&store), 0xEE, sizeof(store));  // whatever the memory holds
  Want(store.Init(nor_->flash(), case_.slots, slots_, base, linked_counter), "Init refuses the slots");
  running = store.Boot(kAnything);
  return running;
}

Status Device::Send(const Model& model, uint32_t piece) {
  Status status = store.Begin(model.manifest);
  if (status == Status::kInUse) {
    store.Vacate();
    running = {update::kLinked, false, nullptr, 0, nullptr};
    status = store.Begin(model.manifest);
  }
  while (status == Status::kOk && store.Received() < model.bytes.size()) {
    const uint32_t at = store.Received();
    const uint32_t left = static_cast<uint32_t>(model.bytes.size()) - at;
    status = store.Append(model.bytes.data() + at, left < piece ? left : piece);
  }
  return status;
}

Status Device::Update(const Model& model, uint32_t piece) {
  const Status status = Send(model, piece);
  return status == Status::kOk ? store.Finish(kAnything) : status;
}

bool Device::Runs(const Model& model) const {
  return running.data != nullptr && running.bytes == model.bytes.size() &&
         memcmp(running.data, model.bytes.data(), model.bytes.size()) == 0 &&
         memcmp(running.manifest, &model.manifest, sizeof(model.manifest)) == 0;
}

void Device::Install(const Model& model) {
  WantStatus(Update(model), Status::kOk, "an update");
  Reset();
  Want(Runs(model), "the new model does not start");
  WantStatus(store.Confirm(), Status::kOk, "Confirm");
}
