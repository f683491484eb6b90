// app/inference.h by TensorFlow Lite Micro: the one file that includes its headers. Its public API, as in the
// headers of 2024 to 2026: MicroInterpreter, MicroMutableOpResolver, TFLMRegistration, and of what kernels
// are written with GetEvalOutput.
//
// Each operator runs through a function of ours, in any build of the library: TFLM's own profiler is not
// compiled into its release builds, and a tensor between two operators, as the logits before a SOFTMAX are,
// can be read only while its memory is not used for another.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <new>
#include <utility>

#include "app/inference.h"
#include "model_settings.h"
#include "model_tflite.h"
#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "tflm/int8_registrations.h"
#include "tflm/run_constructors.h"

#if !defined(MODEL_TFLITE_SHA256) || !defined(MODEL_INT8_KERNELS)
#error "model_settings.h is of an older version: convert the model again (make convert)"
#endif

#if !defined(TFLM_ARENA_BYTES)
#if !defined(MODEL_TFLM_ARENA_BYTES)
#error "the model's TFLM arena has not been measured: give TFLM_ARENA_BYTES="
#endif
#define TFLM_ARENA_BYTES MODEL_TFLM_ARENA_BYTES
#endif

namespace app {

#if defined(TFLM_NAMESPACE)
namespace tflite = ::TFLM_NAMESPACE;  // of a TFLM whose vendor has renamed it
#endif

namespace {

// Numbers are part of the link protocol; in words: convert/verify/engine_status.py.
constexpr Status kNotRegistered = 64;  // an operator could not be registered
constexpr Status kNotAllocated = 65;   // the arena is too small, or an operator refuses its tensors
constexpr Status kOtherTensors = 66;   // input or answers are not what model_settings.h says
constexpr Status kOpFailed = 67;
constexpr Status kTooManyRows = 68;

using Invoke = TfLiteStatus (*)(TfLiteContext* context, TfLiteNode* node);

// Of each kind of operator: what TFLM registered, and its copy with our function in place of `invoke`.
struct Kind {
  TFLMRegistration registration;
  Invoke invoke;
};

struct Answer {
  int tensor;
  int8_t values[MODEL_CLASSES];
  bool ready;
};

alignas(16) __attribute__((section(".arena"))) uint8_t g_arena[TFLM_ARENA_BYTES];
Kind g_kinds[MODEL_OP_COUNT];
size_t g_kind_count;
Answer g_logits = {MODEL_LOGITS_TENSOR, {}, false};
Answer g_probabilities = {MODEL_OUTPUT_TENSOR, {}, false};
LayerObserver g_observer;
void* g_observer_context;
int g_layer;  // the operator that runs next: they run in the file's order
int g_layer_count;
uint32_t g_arena_used = sizeof(g_arena);
uint32_t g_row;
bool g_ready;

size_t Elements(const TfLiteIntArray& dims) {
  size_t elements = 1;
  for (int i = 0; i < dims.size; ++i) elements *= static_cast<size_t>(dims.data[i]);
  return elements;
}

// Copies the tensor that `node` has just made, where it is this answer's.
void Keep(TfLiteContext* context, TfLiteNode* node, Answer* answer) {
  if (node->outputs->size < 1 || node->outputs->data[0] != answer->tensor) return;
  const TfLiteEvalTensor* tensor = tflite::micro::GetEvalOutput(context, node, 0);
  answer->ready = tensor->type == kTfLiteInt8 && Elements(*tensor->dims) == sizeof(answer->values);
  if (answer->ready) memcpy(answer->values, tensor->data.raw, sizeof(answer->values));
}

template <size_t kKind>
TfLiteStatus Run(TfLiteContext* context, TfLiteNode* node) {
  if (g_observer != nullptr) g_observer(g_observer_context, g_layer, true);
  const TfLiteStatus status = g_kinds[kKind].invoke(context, node);
  if (g_observer != nullptr) g_observer(g_observer_context, g_layer, false);
  ++g_layer;
  Keep(context, node, &g_logits);
  Keep(context, node, &g_probabilities);
  return status;
}

template <size_t... kKinds>
Invoke RunOf(size_t kind, std::index_sequence<kKinds...> /*all*/) {
  static constexpr Invoke kRuns[] = {Run<kKinds>...};
  return kRuns[kind];
}

#if MODEL_INT8_KERNELS
using Operators = Int8OpResolver<MODEL_OP_COUNT>;
#else
using Operators = tflite::MicroMutableOpResolver<MODEL_OP_COUNT>;
#endif

// The operators of the model and no others, each with Run() around it.
class Resolver final : public Operators {
 public:
  TF_LITE_REMOVE_VIRTUAL_DELETE

  using Base = Operators;
  using Base::FindOp;

  bool AddAll() {
    bool added = true;
#define ADD_OP(method) added = this->method() == kTfLiteOk && added;
    MODEL_OPS(ADD_OP)
#undef ADD_OP
    return added;
  }

  const TFLMRegistration* FindOp(tflite::BuiltinOperator op) const override {
    const TFLMRegistration* found = Base::FindOp(op);
    if (found == nullptr) return nullptr;
    for (size_t i = 0; i < g_kind_count; ++i) {
      if (g_kinds[i].registration.builtin_code == found->builtin_code) return &g_kinds[i].registration;
    }
    Kind& kind = g_kinds[g_kind_count];
    kind.registration = *found;
    kind.invoke = found->invoke;
    kind.registration.invoke = RunOf(g_kind_count, std::make_index_sequence<MODEL_OP_COUNT>());
    ++g_kind_count;
    return &kind.registration;
  }
};

// Room for an object that is made in Load(): neither a heap nor a constructor before main().
template <typename T>
class Room {
 public:
  template <typename... Arguments>
  T* Make(Arguments&&... arguments) {
    return new (bytes_) T(std::forward<Arguments>(arguments)...);
  }

 private:
  alignas(T) uint8_t bytes_[sizeof(T)];
};

Room<Resolver> g_resolver_room;
Room<tflite::MicroInterpreter> g_interpreter_room;
tflite::MicroInterpreter* g_interpreter;

// Whether the input's values come as int8: as they are, or as an edge's QUANTIZE gets them from others.
bool TakesImages(const TfLiteTensor& input) {
  const bool type = input.type == kTfLiteInt8 || input.type == kTfLiteUInt8 || input.type == kTfLiteFloat32;
  return type && Elements(*input.dims) == MODEL_INPUT_HEIGHT * MODEL_ROW_BYTES;
}

void Store(const int8_t* row, uint32_t number, TfLiteTensor* input) {
  const uint32_t first = number * MODEL_ROW_BYTES;
  if (input->type == kTfLiteInt8) {
    memcpy(input->data.int8 + first, row, MODEL_ROW_BYTES);
    return;
  }
  for (uint32_t i = 0; i < MODEL_ROW_BYTES; ++i) {
    if (input->type == kTfLiteUInt8) {
      input->data.uint8[first + i] = static_cast<uint8_t>(row[i] + 128);
    } else {
      input->data.f[first + i] = static_cast<float>(row[i] - MODEL_INPUT_ZERO_POINT) * MODEL_INPUT_SCALE;
    }
  }
}

Bytes ValuesOf(const Answer& answer) {
  return {reinterpret_cast<const uint8_t*>(answer.values), sizeof(answer.values)};
}

}  // namespace

Status Load() {
  tflm::RunConstructors();
  Resolver* resolver = g_resolver_room.Make();
  if (!resolver->AddAll()) return kNotRegistered;
  const tflite::Model* model = tflite::GetModel(g_model_tflite);
  g_layer_count = static_cast<int>(model->subgraphs()->Get(0)->operators()->size());
  g_interpreter = g_interpreter_room.Make(model, *resolver, g_arena, sizeof(g_arena));
  if (g_interpreter->AllocateTensors() != kTfLiteOk) return kNotAllocated;
  g_arena_used = static_cast<uint32_t>(g_interpreter->arena_used_bytes());
  if (!TakesImages(*g_interpreter->input(0))) return kOtherTensors;
  g_ready = true;
  return kOk;
}

Bytes Model() { return {g_model_tflite, g_model_tflite_len}; }

const uint8_t* ModelSha256() {
  static constexpr uint8_t kSha256[] = {MODEL_TFLITE_SHA256};
  static_assert(sizeof(kSha256) == 32);
  return kSha256;
}

uint32_t ArenaBytes() { return g_arena_used; }

void Begin() {
  g_row = 0;
  g_logits.ready = false;
  g_probabilities.ready = false;
}

Status PushRow(const int8_t* row) {
  if (!g_ready) return kNotAllocated;
  if (g_row == MODEL_INPUT_HEIGHT) return kTooManyRows;
  Store(row, g_row, g_interpreter->input(0));
  if (++g_row < MODEL_INPUT_HEIGHT) return kOk;
  g_layer = 0;
  if (g_interpreter->Invoke() != kTfLiteOk) return kOpFailed;
  return Done() ? kOk : kOtherTensors;
}

bool Done() { return g_logits.ready && g_probabilities.ready; }

Bytes Logits() { return ValuesOf(g_logits); }

Bytes Probabilities() { return ValuesOf(g_probabilities); }

int LayerCount() { return g_layer_count; }

void Observe(LayerObserver observer, void* context) {
  g_observer = observer;
  g_observer_context = context;
}

}  // namespace app
