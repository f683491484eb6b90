// app/inference.h by our own engine.
#include <stddef.h>
#include <stdint.h>

#include "app/inference.h"
#include "app/model_shape.h"
#if APP_UPDATE
#include "app/models.h"
#endif
#include "board.h"
#include "engine/engine.h"
#include "engine/format.h"
#include "engine/model.h"
#include "engine/status.h"
#include "model_settings.h"
#include "model_sqz.h"
#if SQUEEZE_CORES == 2
#include "second_core.h"
#endif

namespace app {
namespace {

static_assert(kMaxLayers == squeeze::kMaxLayers);

alignas(16) BOARD_ARENA uint8_t g_arena[MODEL_ARENA_BYTES];
squeeze::Model g_model;
squeeze::Engine g_engine;

Bytes Answer(const int8_t* values) {
  return {reinterpret_cast<const uint8_t*>(values), static_cast<size_t>(g_engine.OutputSize())};
}

}  // namespace

Status Load() {
  const squeeze::Status status = g_model.Parse(g_model_sqz, g_model_sqz_len);
  if (status != squeeze::Status::kOk) return static_cast<Status>(status);
  const squeeze::BufferRecord& input = g_model.Input();
  const bool described = input.height == kModelShape.height && input.width == kModelShape.width &&
                         input.channels == kModelShape.channels &&
                         g_model.OutputSize() == kModelShape.classes;
  if (!described) __builtin_trap();  // model_settings.h is of another model; the fault handler says where
#if SQUEEZE_CORES == 2
  // If it does not answer, this core does all the work: that takes longer, and gives the same bytes.
  if (second_core::Launch()) g_engine.SetWorker({second_core::Start, second_core::Wait, nullptr});
#endif
  return static_cast<Status>(g_engine.Init(g_model, g_arena, kArenaBytes));
}

#if APP_UPDATE
namespace {

Bytes g_loaded = {nullptr, 0};  // of LoadModel()

}  // namespace

Bytes LinkedModel() { return {g_model_sqz, g_model_sqz_len}; }

Bytes Model() { return g_loaded.data == nullptr ? LinkedModel() : g_loaded; }

Status LoadModel(Bytes model) {
  g_loaded = model;
  const squeeze::Status status = g_model.Parse(model.data, model.size);
  if (status != squeeze::Status::kOk) return static_cast<Status>(status);
  const squeeze::BufferRecord& input = g_model.Input();
  if (input.height != kModelShape.height || input.width != kModelShape.width ||
      input.channels != kModelShape.channels || g_model.OutputSize() != kModelShape.classes) {
    return kForeignShape;
  }
  return static_cast<Status>(g_engine.Init(g_model, g_arena, kArenaBytes));
}
#else
Bytes Model() { return {g_model_sqz, g_model_sqz_len}; }
#endif

// The one in the blob, whether the rest of it is sound or not: the host must know which model to mend.
const uint8_t* ModelSha256() {
  static constexpr uint8_t kNone[32] = {};
  const Bytes model = Model();
  return model.size < sizeof(squeeze::Header) ? kNone : model.data + offsetof(squeeze::Header, source_sha256);
}

uint32_t ArenaBytes() { return kArenaBytes; }

void Begin() { g_engine.Reset(); }

Status PushRow(const int8_t* row) { return static_cast<Status>(g_engine.PushRow(row)); }

bool Done() { return g_engine.Done(); }

Bytes Logits() { return Answer(g_engine.Logits()); }

Bytes Probabilities() { return Answer(g_engine.Probabilities()); }

int LayerCount() { return g_model.layer_count(); }

void Observe(LayerObserver observer, void* context) { g_engine.SetStepObserver(observer, context); }

#if SQUEEZE_INSPECT
int MapCount() { return g_engine.ready() ? g_model.buffer_count() : 0; }

MapShape MapShapeOf(int map) {
  const squeeze::BufferRecord& buffer = g_model.buffer(map);
  return {buffer.height, buffer.width, buffer.channels};
}

void ObserveRows(RowObserver observer, void* context) { g_engine.SetObserver(observer, context); }
#endif

}  // namespace app
