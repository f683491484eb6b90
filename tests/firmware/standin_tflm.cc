// A stand-in for libtensorflow-microlite.a where no real one is: it has the interpreter's interface and runs
// the model's operators in their order through the registrations that the resolver gives, but what they
// "compute" is a formula. Value j of the output of operator i is (sum of the image + 7 * i + j) as an int8.
//
// It reaches for what real libraries do: a global constructor, libm, a virtual destructor, the log, abort(),
// and libstdc++, which in turn reaches for libm.
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <unordered_map>

#include "model_settings.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" void DebugLog(const char* text, va_list arguments);

namespace tflite_micro {
namespace {

struct Base {
  virtual ~Base() = default;
  virtual int Seven() const = 0;
};
struct Constructed final : Base {
  Constructed() {
    volatile float log_of_49 = 3.8918203f;  // volatile: libm computes, not the compiler
    seven = static_cast<int>(lroundf(sqrtf(expf(log_of_49))));
  }
  ~Constructed() override { seven = 0; }
  int Seven() const override { return seven; }
  volatile int seven;
};
Constructed g_constructed;

constexpr int kMostOps = 64;
constexpr size_t kImageBytes = MODEL_INPUT_HEIGHT * MODEL_ROW_BYTES;
const Model* g_model;
const MicroOpResolver* g_resolver;
int8_t* g_image;
size_t g_arena_bytes;
TfLiteTensor g_input;
int8_t g_values[MODEL_CLASSES];
TfLiteEvalTensor g_output;
struct {
  int size;
  int data[2];
} g_input_dims = {1, {kImageBytes, 0}}, g_output_dims = {2, {1, MODEL_CLASSES}};
struct {
  int size;
  int data[1];
} g_outputs[kMostOps];
TfLiteNode g_nodes[kMostOps];

TfLiteStatus Eval(TfLiteContext* /*context*/, TfLiteNode* node) {
  int sum = g_constructed.Seven() * static_cast<int>(node - g_nodes);
  for (size_t i = 0; i < kImageBytes; ++i) sum += g_image[i];
  for (int j = 0; j < MODEL_CLASSES; ++j) g_values[j] = static_cast<int8_t>(sum + j);
  return kTfLiteOk;
}

const SubGraph& Graph() { return *g_model->subgraphs()->Get(0); }

BuiltinOperator CodeOf(size_t op) {
  const uint32_t index = Graph().operators()->Get(static_cast<uint32_t>(op))->opcode_index();
  const OperatorCode* code = g_model->operator_codes()->Get(index);
  const int8_t old = code->deprecated_builtin_code();
  return old > code->builtin_code() ? static_cast<BuiltinOperator>(old) : code->builtin_code();
}

TFLMRegistration Registration() { return {nullptr, nullptr, nullptr, Eval, nullptr, 0, nullptr}; }

}  // namespace

// MicroInterpreter's constructor by its linker's name: in C++ it would have to build every member.
extern "C" MicroInterpreter*
Construct(MicroInterpreter* self, const Model* model, const MicroOpResolver& resolver, uint8_t* arena, size_t bytes) asm(
    "_ZN12tflite_micro16MicroInterpreterC1EPKNS_5ModelERKNS_15MicroOpResolverEPhjPNS_"
    "22MicroResourceVariablesEPNS_22MicroProfilerInterfaceEb");
extern "C" MicroInterpreter* Construct(MicroInterpreter* self, const Model* model,
                                       const MicroOpResolver& resolver, uint8_t* arena, size_t bytes) {
  g_model = model;
  g_resolver = &resolver;
  g_image = reinterpret_cast<int8_t*>(arena);
  g_arena_bytes = bytes;
  return self;
}

TfLiteStatus MicroInterpreter::AllocateTensors() {
  va_list none = {};
  if (g_arena_bytes < kImageBytes) {
    DebugLog("too small", none);
    return kTfLiteError;
  }
  if (reinterpret_cast<uintptr_t>(g_image) % 16 != 0) abort();
  std::__detail::_Prime_rehash_policy buckets;  // of an unordered_map, whose other parts want a heap
  if (buckets._M_next_bkt(20) < 20) abort();
  g_input.type = kTfLiteInt8;
  g_input.data.int8 = g_image;
  g_input.dims = reinterpret_cast<TfLiteIntArray*>(&g_input_dims);
  g_output.type = kTfLiteInt8;
  g_output.data.int8 = g_values;
  g_output.dims = reinterpret_cast<TfLiteIntArray*>(&g_output_dims);
  for (size_t i = 0; i < Graph().operators()->size(); ++i) {
    if (g_resolver->FindOp(CodeOf(i)) == nullptr || g_resolver->GetOpDataParser(CodeOf(i)) == nullptr) {
      return kTfLiteError;
    }
    const Operator& op = *Graph().operators()->Get(static_cast<uint32_t>(i));
    g_outputs[i] = {1, {op.outputs()->Get(0)}};
    g_nodes[i].outputs = reinterpret_cast<TfLiteIntArray*>(&g_outputs[i]);
  }
  return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke() {
  for (size_t i = 0; i < Graph().operators()->size(); ++i) {
    if (g_resolver->FindOp(CodeOf(i))->invoke(nullptr, &g_nodes[i]) != kTfLiteOk) return kTfLiteError;
  }
  return kTfLiteOk;
}

TfLiteTensor* MicroInterpreter::input(size_t /*index*/) { return &g_input; }

size_t MicroAllocator::used_bytes() const { return kImageBytes; }

TfLiteEvalTensor* micro::GetEvalOutput(const TfLiteContext* /*context*/, const TfLiteNode* /*node*/,
                                       int /*index*/) {
  return &g_output;
}

TFLMRegistration Register_ADD() { return Registration(); }
TFLMRegistration Register_CONCATENATION() { return Registration(); }
TFLMRegistration Register_CONV_2D() { return Registration(); }
TFLMRegistration Register_MAX_POOL_2D() { return Registration(); }
TFLMRegistration Register_MEAN() { return Registration(); }
TFLMRegistration Register_SOFTMAX() { return Registration(); }

#if defined(CMSIS_NN)  // as a library with CMSIS-NN's kernels, which has registrations for int8 alone, too
TFLMRegistration Register_ADD_INT8() { return Registration(); }
TFLMRegistration Register_CONV_2D_INT8() { return Registration(); }
TFLMRegistration Register_MAX_POOL_2D_INT8() { return Registration(); }
TFLMRegistration Register_SOFTMAX_INT8() { return Registration(); }
#endif

#define PARSER(name) \
  TfLiteStatus name(const Operator*, ErrorReporter*, BuiltinDataAllocator*, void**) { return kTfLiteOk; }
PARSER(ParseAdd)
PARSER(ParseConcatenation)
PARSER(ParseConv2D)
PARSER(ParsePool)
PARSER(ParseReducer)
PARSER(ParseSoftmax)

}  // namespace tflite_micro
