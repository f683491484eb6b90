#include "engine/squeeze.h"

#include "engine/engine.h"

namespace {

using squeeze::Engine;
using squeeze::Model;

static_assert(sizeof(Engine) <= sizeof(squeeze_engine), "raise SQUEEZE_ENGINE_WORDS");
static_assert(alignof(Engine) <= alignof(squeeze_engine), "the storage must be aligned for Engine");

// Can be made in given room without <new>, which a compiler without a C++ library lacks.
struct PlacedEngine : Engine {
  static void* operator new(size_t /*size*/, void* room) { return room; }
};
static_assert(sizeof(PlacedEngine) == sizeof(Engine), "the placement adds nothing");

Engine* Of(squeeze_engine* engine) {
  return __builtin_launder(reinterpret_cast<PlacedEngine*>(engine->storage));
}

const Engine* Of(const squeeze_engine* engine) {
  return __builtin_launder(reinterpret_cast<const PlacedEngine*>(engine->storage));
}

}  // namespace

extern "C" {

const char* squeeze_status_text(int status) {
  switch (status) {
    case SQUEEZE_OK:
      return "ok";
    case SQUEEZE_MISALIGNED:
      return "misaligned";
    case SQUEEZE_TRUNCATED:
      return "truncated";
    case SQUEEZE_BAD_MAGIC:
      return "not an engine model (bad magic)";
    case SQUEEZE_BAD_VERSION:
      return "a format version of another converter";
    case SQUEEZE_BAD_CHECKSUM:
      return "damaged (CRC-32 does not match)";
    case SQUEEZE_BAD_OFFSET:
      return "an offset lies outside the model or the arena";
    case SQUEEZE_BAD_LAYER:
      return "a layer contradicts its buffers";
    case SQUEEZE_BAD_ORDER:
      return "layers are out of order";
    case SQUEEZE_ARENA_TOO_SMALL:
      return "arena too small";
    case SQUEEZE_NOT_READY:
      return "engine not ready";
    case SQUEEZE_TOO_MANY_ROWS:
      return "more rows than the image has";
    case SQUEEZE_INCOMPLETE:
      return "the memory plan is inconsistent";
    case SQUEEZE_NO_KERNEL:
      return "made for another CPU: a kernel is not in this build";
    default:
      return "unknown";
  }
}

int squeeze_arena_bytes(const uint8_t* blob, size_t size, size_t* arena_bytes) {
  Model model;
  const squeeze::Status status = model.Parse(blob, size);
  if (status == squeeze::Status::kOk) *arena_bytes = model.ArenaBytes();
  return static_cast<int>(status);
}

int squeeze_init(squeeze_engine* engine, const uint8_t* blob, size_t size, uint8_t* arena,
                 size_t arena_bytes) {
  Engine* it = new (engine->storage) PlacedEngine;
  Model model;
  squeeze::Status status = model.Parse(blob, size);
  if (status == squeeze::Status::kOk) status = it->Init(model, arena, arena_bytes);
  return static_cast<int>(status);
}

squeeze_shape squeeze_get_shape(const squeeze_engine* engine) {
  if (!Of(engine)->ready()) return {0, 0, 0, 0};
  const Model& model = Of(engine)->model();
  return {model.Input().height, model.Input().width, model.Input().channels,
          static_cast<uint16_t>(model.OutputSize())};
}

void squeeze_reset(squeeze_engine* engine) { Of(engine)->Reset(); }

int8_t* squeeze_input_row(squeeze_engine* engine) { return Of(engine)->InputRow(); }

int squeeze_push_row(squeeze_engine* engine, const int8_t* row) {
  return static_cast<int>(Of(engine)->PushRow(row));
}

int squeeze_done(const squeeze_engine* engine) { return Of(engine)->Done() ? 1 : 0; }

const int8_t* squeeze_logits(const squeeze_engine* engine) { return Of(engine)->Logits(); }

const int8_t* squeeze_probabilities(const squeeze_engine* engine) { return Of(engine)->Probabilities(); }

void squeeze_set_observer(squeeze_engine* engine, squeeze_row_observer observer, void* context) {
  Of(engine)->SetObserver(observer, context);
}

}  // extern "C"
