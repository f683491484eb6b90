#include "engine/squeeze.h"

#include "engine/engine.h"

namespace {

using squeeze::Engine;
using squeeze::Model;
using squeeze::Status;

static_assert(sizeof(Engine) <= sizeof(squeeze_engine), "raise SQUEEZE_ENGINE_WORDS");
static_assert(alignof(Engine) <= alignof(squeeze_engine), "the storage must be aligned for Engine");

// Can be made in given room without <new>, which a compiler without a C++ library lacks.
struct PlacedEngine : Engine {
  static void* operator new(size_t /*size*/, void* room) { return room; }
};
static_assert(sizeof(PlacedEngine) == sizeof(Engine), "the placement adds nothing");

const Engine* Of(const squeeze_engine* engine) {
  return __builtin_launder(reinterpret_cast<const PlacedEngine*>(engine->storage));
}

Engine* Of(squeeze_engine* engine) {
  return __builtin_launder(reinterpret_cast<PlacedEngine*>(engine->storage));
}

// Whether an Engine can be at `engine`.
Status Usable(const squeeze_engine* engine) {
  if (engine == nullptr) return Status::kNull;
  return reinterpret_cast<uintptr_t>(engine) % alignof(squeeze_engine) == 0 ? Status::kOk
                                                                            : Status::kMisaligned;
}

// Whether one is there that Init has succeeded for.
Status Ready(const squeeze_engine* engine) {
  const Status status = Usable(engine);
  return status == Status::kOk && !Of(engine)->ready() ? Status::kNotReady : status;
}

// That one, or null.
const Engine* ReadyOne(const squeeze_engine* engine) {
  return Ready(engine) == Status::kOk ? Of(engine) : nullptr;
}

squeeze_status InC(Status status) { return static_cast<squeeze_status>(status); }

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
    case SQUEEZE_NULL:
      return "a null pointer";
    default:
      return "unknown";
  }
}

squeeze_status squeeze_arena_bytes(const uint8_t* blob, size_t size, size_t* arena_bytes) {
  if (arena_bytes == nullptr) return SQUEEZE_NULL;
  Model model;
  const Status status = model.Parse(blob, size);
  if (status == Status::kOk) *arena_bytes = model.ArenaBytes();
  return InC(status);
}

squeeze_status squeeze_init(squeeze_engine* engine, const uint8_t* blob, size_t size, uint8_t* arena,
                            size_t arena_bytes) {
  Status status = Usable(engine);
  if (status != Status::kOk) return InC(status);
  Engine* it = new (engine->storage) PlacedEngine;
  Model model;
  status = model.Parse(blob, size);
  if (status == Status::kOk) status = it->Init(model, arena, arena_bytes);
  return InC(status);
}

squeeze_shape squeeze_get_shape(const squeeze_engine* engine) {
  const Engine* it = ReadyOne(engine);
  if (it == nullptr) return {0, 0, 0, 0};
  const squeeze::BufferRecord& input = it->model().Input();
  return {input.height, input.width, input.channels, static_cast<uint16_t>(it->OutputSize())};
}

squeeze_status squeeze_reset(squeeze_engine* engine) {
  const Status status = Ready(engine);
  if (status == Status::kOk) Of(engine)->Reset();
  return InC(status);
}

int8_t* squeeze_input_row(squeeze_engine* engine) {
  return Ready(engine) == Status::kOk ? Of(engine)->InputRow() : nullptr;
}

squeeze_status squeeze_push_row(squeeze_engine* engine, const int8_t* row) {
  const Status status = Ready(engine);
  return InC(status == Status::kOk ? Of(engine)->PushRow(row) : status);
}

int squeeze_done(const squeeze_engine* engine) {
  const Engine* it = ReadyOne(engine);
  return it != nullptr && it->Done() ? 1 : 0;
}

const int8_t* squeeze_logits(const squeeze_engine* engine) {
  const Engine* it = ReadyOne(engine);
  return it != nullptr ? it->Logits() : nullptr;
}

const int8_t* squeeze_probabilities(const squeeze_engine* engine) {
  const Engine* it = ReadyOne(engine);
  return it != nullptr ? it->Probabilities() : nullptr;
}

squeeze_status squeeze_set_observer(squeeze_engine* engine, squeeze_row_observer observer, void* context) {
  const Status status = Ready(engine);
  if (status == Status::kOk) Of(engine)->SetObserver(observer, context);
  return InC(status);
}

squeeze_status squeeze_set_worker(squeeze_engine* engine, squeeze_start start, squeeze_wait wait,
                                  void* context) {
  const Status status = Ready(engine);
  if (status != Status::kOk) return InC(status);
  if ((start == nullptr) != (wait == nullptr)) return SQUEEZE_NULL;
  Of(engine)->SetWorker({start, wait, context});
  return SQUEEZE_OK;
}

}  // extern "C"
