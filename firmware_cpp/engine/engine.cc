#include "engine/engine.h"

#include <string.h>

#include "engine/huffman_layer.h"

// The schedule. convert/schedule/rows.py simulates these functions step by step to
// plan the memory: change them together.

namespace squeeze {

Status Engine::Init(const Model& model, uint8_t* arena, size_t arena_bytes) {
  arena_ = nullptr;
  if (!model.parsed()) return Status::kNotReady;
  if (arena == nullptr) return Status::kNull;
  if (reinterpret_cast<uintptr_t>(arena) % kArenaAlignment != 0) return Status::kMisaligned;
  if (arena_bytes < model.ArenaBytes()) return Status::kArenaTooSmall;
#if SQUEEZE_KERNEL_HUFFMAN
  if (!HuffmanLayersOk(model, arena)) return Status::kBadLayer;
#endif
  model_ = model;
  arena_ = arena;
  rows_done_ = reinterpret_cast<uint16_t*>(arena + model_.header().state_offset);
  in_row_ = rows_done_ + model_.buffer_count();
  Reset();
  return Status::kOk;
}

void Engine::Reset() {
  if (arena_ == nullptr) return;
  const size_t counters = static_cast<size_t>(model_.buffer_count() + model_.layer_count());
  memset(rows_done_, 0, counters * sizeof(uint16_t));
}

bool Engine::Done() const {
  return arena_ != nullptr && rows_done_[model_.header().input_buffer] == model_.Input().height &&
         rows_done_[model_.header().output_buffer] == 1;
}

int8_t* Engine::InputRow() {
  if (arena_ == nullptr) return nullptr;
  const int input = model_.header().input_buffer;
  const int row = rows_done_[input];
  return row < model_.Input().height ? Row(input, row) : nullptr;
}

Status Engine::PushRow(const int8_t* row) {
  if (arena_ == nullptr) return Status::kNotReady;
  int8_t* place = InputRow();
  if (place == nullptr) return Status::kTooManyRows;
  if (row == nullptr) return Status::kNull;
  if (row != place) memcpy(place, row, RowBytes(model_.Input()));
  CompleteRow(model_.header().input_buffer);

  // Deepest stage first, so that rows are used up before more are made.
  int stage = StageStart(model_, model_.header().input_resume);
  bool completed = false;
  while (stage >= 0) {
    if (Ready(stage)) {
      const bool done = RunStage(stage);
      completed = done || completed;
      if ((Drains(stage) || !done) && Ready(stage)) {
        if (completed && Accumulates(model_.layer(stage).kind)) RunReaders(stage);
        continue;
      }
    }
    if (completed) {
      stage = StageStart(model_, model_.layer(stage).resume);
    } else {
      stage = stage == 0 ? -1 : StageStart(model_, stage - 1);
    }
    completed = false;
  }
  const bool complete = rows_done_[model_.header().input_buffer] == model_.Input().height;
  return !complete || Done() ? Status::kOk : Status::kIncomplete;
}

// Tells the step observer of a layer's work, from construction to the end; not of layer -1.
class Engine::StepMark {
 public:
  StepMark(const Engine& engine, int layer) : engine_(engine), layer_(layer) { Tell(true); }
  ~StepMark() { Tell(false); }
  StepMark(const StepMark&) = delete;
  StepMark& operator=(const StepMark&) = delete;

 private:
  void Tell(bool begins) const {
    if (layer_ < 0 || engine_.step_observer_ == nullptr) return;
    engine_.step_observer_(engine_.step_context_, layer_, begins);
  }

  const Engine& engine_;
  int layer_;
};

void Engine::CompleteRow(int buffer) {
  const int row = rows_done_[buffer]++;
  if (observer_ != nullptr) observer_(observer_context_, buffer, row, Row(buffer, row));
}

// The last row of its input that `layer` reads for output row `out_row`; -1 when it reads none.
int Engine::LastRowNeeded(const LayerRecord& layer, int out_row) const {
  const int in_height = model_.buffer(layer.inputs[0]).height;
  if (layer.kind == LayerKind::kConv2D || layer.kind == LayerKind::kDepthwise) {
    const int last = out_row * layer.stride_h - layer.pad_top + layer.kernel_h - 1;
    return last < in_height ? last : in_height - 1;
  }
  if (layer.kind == LayerKind::kPad) {
    const int row = out_row - layer.pad_top;
    return row >= 0 && row < in_height ? row : -1;
  }
  return out_row;
}

// Whether to use up all rows that wait for a stage before going on: where its own rows are the smaller ones.
bool Engine::Drains(int stage) const {
  const LayerRecord& layer = model_.layer(stage);
  return RowBytes(model_.buffer(layer.output)) < RowBytes(model_.buffer(layer.inputs[0]));
}

// Output rows that the next step of a stage makes that does not accumulate.
int Engine::BatchRows(int stage) const {
  const LayerRecord& layer = model_.layer(stage);
  const int left = model_.buffer(layer.output).height - rows_done_[layer.output];
  return layer.batch_rows < left ? layer.batch_rows : left;
}

bool Engine::Ready(int stage) const {
  const uint16_t output = model_.layer(stage).output;
  const int out_row = rows_done_[output];
  if (out_row >= model_.buffer(output).height) return false;
  if (Accumulates(model_.layer(stage).kind)) {
    return in_row_[stage] < rows_done_[model_.layer(stage).inputs[0]];
  }
  if (rows_done_[model_.layer(stage).inputs[0]] < model_.layer(stage).defer_rows) return false;
  const int last_row = out_row + BatchRows(stage) - 1;
  for (int i = stage; i < model_.layer_count() && model_.layer(i).output == output; ++i) {
    const LayerRecord& layer = model_.layer(i);
    if (LastRowNeeded(layer, last_row) >= rows_done_[layer.inputs[0]]) return false;
    if (layer.kind == LayerKind::kAdd && last_row >= rows_done_[layer.inputs[1]]) return false;
  }
  return true;
}

// The other core's part of a step. It stands on the stack of the core that waits for it.
struct Engine::Half {
  Engine* engine;
  int stage;
  union {
    Rows rows;      // of a stage that does not accumulate
    Window window;  // of one that does
  };
};

// On the other core: it writes rows of its own and its own scratch, and no counter.
void Engine::RunHalf(void* half) {
  const Half& own = *static_cast<const Half*>(half);
  const LayerRecord& layer = own.engine->model_.layer(own.stage);
  if (Accumulates(layer.kind)) return own.engine->Fold(layer, own.window, Part::kSecond);
  own.engine->MakeRows(own.stage, own.rows, false);
}

// Gives a half to the other core; false where there is none.
[[gnu::noinline]] bool Engine::Hand(Half* half) {
  if (worker_.start == nullptr) return false;
  worker_.start(worker_.context, &RunHalf, half);
  return true;
}

// Rows of all layers of a stage. `told`: to the step observer.
void Engine::MakeRows(int stage, const Rows& rows, bool told) {
  const uint16_t output = model_.layer(stage).output;
  for (int i = stage; i < model_.layer_count() && model_.layer(i).output == output; ++i) {
    const StepMark mark(*this, told ? i : -1);
    Compute(model_.layer(i), rows);
  }
}

// One step; true when it completes rows of the stage's output.
bool Engine::RunStage(int stage) {
  if (Accumulates(model_.layer(stage).kind)) return Accumulate(stage);
  const LayerRecord& layer = model_.layer(stage);
  const int out_row = rows_done_[layer.output];
  const int rows = BatchRows(stage);
  // The lower half of the rows is the second worker's. Without one, the caller's as well.
  const int second = layer.shared != 0 ? rows / kWorkers : 0;
  const int first = rows - second;
  Half half = {this, stage, {{out_row + first, second, Part::kSecond}}};
  const bool handed = second > 0 && Hand(&half);
  MakeRows(stage, {out_row, first, Part::kFirst}, true);
  if (handed) {
    worker_.wait(worker_.context);
  } else if (second > 0) {
    MakeRows(stage, half.rows, true);
  }
  for (int i = 0; i < rows; ++i) CompleteRow(layer.output);
  return true;
}

// Folds one input row into every output row whose window holds it.
bool Engine::Accumulate(int stage) {
  const LayerRecord& layer = model_.layer(stage);
  const int in_height = model_.buffer(layer.inputs[0]).height;
  const int out_height = model_.buffer(layer.output).height;
  const int row = in_row_[stage]++;
  const int below = row + layer.pad_top;
  // The window of a MEAN or a dense layer is the whole map, which may be higher than the record's byte can
  // say.
  const bool whole = layer.kind == LayerKind::kMean || layer.kind == LayerKind::kDense;
  const int kernel_h = whole ? in_height : layer.kernel_h;
  const int over = below - kernel_h + 1;  // of the window's first row, before the stride
  int out_row = over <= 0 ? 0 : (over + layer.stride_h - 1) / layer.stride_h;
  const int bottom = below / layer.stride_h;
  const int end = bottom < out_height ? bottom + 1 : out_height;
  const bool shared = layer.shared != 0 && model_.buffer(layer.output).width > 1;
  bool completed = false;
  for (; out_row < end; ++out_row) {
    // Use up the finished row before the next window needs its place.
    if (completed) RunReaders(stage);
    const int top = out_row * layer.stride_h - layer.pad_top;
    const int last = top + kernel_h - 1;
    const int first_row = top > 0 ? top : 0;
    const int last_row = last < in_height ? last : in_height - 1;
    Half half = {this, stage, {}};
    half.window = {row, out_row, first_row, last_row};
    const bool handed = shared && Hand(&half);
    {
      const StepMark mark(*this, stage);
      Fold(layer, half.window, handed ? Part::kFirst : Part::kAll);
    }
    if (handed) worker_.wait(worker_.context);
    if (row == last_row) {
      CompleteRow(layer.output);
      completed = true;
    }
  }
  return completed;
}

// Runs the stages that do not accumulate and read the output of `stage`, as far as they go.
void Engine::RunReaders(int stage) {
  const uint16_t output = model_.layer(stage).output;
  int reader = stage + 1;
  while (reader < model_.layer_count()) {
    const uint16_t target = model_.layer(reader).output;
    bool reads = false;
    int next = reader;
    for (; next < model_.layer_count() && model_.layer(next).output == target; ++next) {
      const LayerRecord& layer = model_.layer(next);
      if (Accumulates(layer.kind)) continue;
      reads =
          reads || layer.inputs[0] == output || (layer.kind == LayerKind::kAdd && layer.inputs[1] == output);
    }
    while (reads && Ready(reader)) RunStage(reader);
    reader = next;
  }
}

}  // namespace squeeze
