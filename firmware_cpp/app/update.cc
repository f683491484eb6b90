#include "app/update.h"

#include <stddef.h>
#include <stdint.h>

#include "app/model_shape.h"
#include "app/models.h"
#include "bench/pseudo_image.h"
#include "board.h"
#include "engine/built_kernels.h"
#include "engine/crc32.h"
#include "engine/format.h"
#include "protocol/bytes.h"
#include "protocol/upload.h"
#include "start_again.h"
#include "update/slot_store.h"
#include "update_flash.h"
#if APP_UPDATE_SIGNED
#include "monocypher.h"
#include "update_key.h"
#endif

namespace app {
namespace {

using squeeze::link::Refusal;
using squeeze::link::UploadReason;
using update::Manifest;

update::SlotStore g_store;
squeeze::link::UploadLink g_upload;
uint8_t g_slot = squeeze::link::kLinkedModel;  // whose model runs

#if APP_UPDATE_SIGNED
constexpr const uint8_t* kPublicKey = kUpdateKey;

bool SignedBy(const uint8_t* public_key, const Manifest& manifest) {
  return crypto_eddsa_check(manifest.signature, public_key, reinterpret_cast<const uint8_t*>(&manifest),
                            update::kSignedBytes) == 0;
}
#else
constexpr const uint8_t* kPublicKey = nullptr;

bool SignedBy(const uint8_t* /*public_key*/, const Manifest& /*manifest*/) { return true; }
#endif

// CRC-32 of the logits of the golden input, which is cut out of the model itself; false: there is no answer.
bool GoldenAnswer(uint32_t* crc) {
  const Bytes model = Model();
  const uint32_t row_bytes = uint32_t{kModelShape.width} * kModelShape.channels;
  if (model.size <= row_bytes) return false;
  Begin();
  for (uint32_t row = 0; row < kModelShape.height; ++row) {
    const uint32_t offset = bench::RowOffset(row, row_bytes, static_cast<uint32_t>(model.size));
    if (PushRow(reinterpret_cast<const int8_t*>(model.data + offset)) != kOk) return false;
  }
  if (!Done()) return false;
  const Bytes logits = Logits();
  *crc = squeeze::Crc32(0, logits.data, logits.size);
  return true;
}

bool AnswersRight(const Manifest& manifest) {
  uint32_t crc;
  return GoldenAnswer(&crc) && crc == manifest.golden_crc32;
}

// What this firmware can run at all: it may not be the one that has put the model into the slot.
bool Fits(void* /*context*/, const Manifest& m, const uint8_t* /*data*/) {
  const uint32_t kernels = squeeze::BuiltKernels();
  return m.height == kModelShape.height && m.width == kModelShape.width &&
         m.channels == kModelShape.channels && m.classes == kModelShape.classes &&
         m.arena_bytes <= kArenaBytes && (m.kernels & ~kernels) == 0 &&
         m.kernels >> squeeze::kKernelBitsVersion == kernels >> squeeze::kKernelBitsVersion &&
         SignedBy(kPublicKey, m);
}

squeeze::link::RunningModel RunningModel(void* /*context*/) {
  const Bytes model = Model();
  return {model.data, static_cast<uint32_t>(model.size), g_slot};
}

void LeaveSlot(void* /*context*/) {
  LoadModel(LinkedModel());
  g_slot = squeeze::link::kLinkedModel;
  g_store.Vacate();
}

Refusal Try(const Manifest& manifest, Bytes model) {
  const Status status = LoadModel(model);
  if (status != kOk) return {UploadReason::kModel, status, 0};
  const auto* header = reinterpret_cast<const squeeze::Header*>(model.data);
  if (header->arena_bytes != manifest.arena_bytes ||
      __builtin_memcmp(header->source_sha256, manifest.source_sha256, sizeof(manifest.source_sha256)) != 0) {
    return {UploadReason::kOtherModel, 0, 0};
  }
  uint32_t crc = ~manifest.golden_crc32;  // no answer is a wrong one
  GoldenAnswer(&crc);
  if (crc != manifest.golden_crc32) return {UploadReason::kAnswer, crc, manifest.golden_crc32};
  return {UploadReason::kNone, 0, 0};
}

Refusal TryModel(void* /*context*/, const Manifest& manifest, const uint8_t* data) {
  const Bytes running = Model();
  const Refusal refusal = Try(manifest, {data, manifest.bytes});
  LoadModel(running);
  return refusal;
}

void OpenUpload(int slots) {
  squeeze::link::UploadSetup setup = {};
  setup.store = &g_store;
  setup.kernels = squeeze::BuiltKernels();
  setup.arena_bytes = kArenaBytes;
  setup.height = kModelShape.height;
  setup.width = kModelShape.width;
  setup.channels = kModelShape.channels;
  setup.classes = kModelShape.classes;
  setup.slowest_erase_ms = board::UpdateFlash().slowest_erase_ms;
  setup.slots = static_cast<uint8_t>(slots);
  setup.public_key = kPublicKey;
  setup.signed_by = SignedBy;
  setup.running = RunningModel;
  setup.leave_slot = LeaveSlot;
  setup.try_model = TryModel;
  g_upload.Init(setup);
}

}  // namespace

Status LoadNewest() {
  const Status linked = Load();  // first: it starts a second core, and checks the linked model
  const update::Slot* slots = nullptr;
  const int count = board::UpdateSlots(&slots);
  const uint32_t base = squeeze::link::LoadU32(LinkedModel().data + offsetof(squeeze::Header, crc32));
  const bool usable = g_store.Init(board::UpdateFlash(), slots, count, base, 0);
  OpenUpload(usable ? count : 0);
  for (;;) {
    const update::Running running = g_store.Boot({Fits, nullptr});
    if (running.slot == update::kLinked) break;
    g_slot = static_cast<uint8_t>(running.slot);
    if (LoadModel({running.data, running.bytes}) == kOk &&
        (!running.trial || AnswersRight(*running.manifest))) {
      if (running.trial) g_store.Confirm();
      return kOk;
    }
    g_store.Reject();
  }
  g_slot = squeeze::link::kLinkedModel;
  return linked == kOk ? LoadModel(LinkedModel()) : linked;
}

bool HandleUpload(const squeeze::link::FrameReader& request, squeeze::link::FrameWriter* reply) {
  return g_upload.Handle(request, reply);
}

void RestartIfWanted() {
  if (g_upload.restart_wanted()) board::StartAgain();
}

}  // namespace app
