// Runs a model row by row: no image, no feature map is ever held whole.
//
//   Model model;   model.Parse(blob, size);
//   Engine engine; engine.Init(model, arena, sizeof(arena));
//   engine.Reset();
//   while (!engine.Done()) engine.PushRow(next_row);
//   engine.Logits(), engine.Probabilities(): OutputSize() int8 each
#ifndef SQUEEZE_ENGINE_ENGINE_H_
#define SQUEEZE_ENGINE_ENGINE_H_

#include <stddef.h>
#include <stdint.h>

#include "engine/model.h"
#include "engine/status.h"

namespace squeeze {

// Another core, or a thread, that makes half of a step's rows while the caller of PushRow makes the others.
// The engine has no atomics and no barriers of its own: start and wait are the memory barriers.
struct Worker {
  // Has the other core call run(half), once. It must see then what this core has written before.
  void (*start)(void* context, void (*run)(void* half), void* half);
  // Returns once that call has returned, and this core sees what it wrote. Each start has its wait.
  void (*wait)(void* context);
  void* context;
};

class Engine {
 public:
  // Called when a row of a buffer is complete: tests compare it, profilers count.
  using RowObserver = void (*)(void* context, int buffer, int row, const int8_t* data);

  // Called before and after each layer's work on a step: profilers time it. What another core does is not
  // told.
  using StepObserver = void (*)(void* context, int layer, bool begins);

  // `arena`: at least model.ArenaBytes(), 8-byte aligned, the engine's alone
  // until it is done with. The model's blob must outlive the engine.
  Status Init(const Model& model, uint8_t* arena, size_t arena_bytes);

  // Starts an image; drops one that is under way.
  void Reset();

  // Takes the next row, top row first: width * channels int8 in HWC. Computes
  // everything that this row makes possible before it returns.
  Status PushRow(const int8_t* row);

  // Where PushRow keeps the next row. A driver may fill it in place (DMA, a
  // serial port) and call PushRow(InputRow()). Null when the image is complete.
  int8_t* InputRow();

  // All rows are in and the results are ready; they stay until Reset.
  bool Done() const;
  // Null until Done().
  const int8_t* Logits() const { return Done() ? Row(model_.header().logits_buffer, 0) : nullptr; }
  const int8_t* Probabilities() const { return Done() ? Row(model_.header().output_buffer, 0) : nullptr; }
  // 0 before Init has succeeded.
  int OutputSize() const { return ready() ? model_.OutputSize() : 0; }
  bool ready() const { return arena_ != nullptr; }
  const Model& model() const { return model_; }

  void SetObserver(RowObserver observer, void* context) {
    observer_ = observer;
    observer_context_ = context;
  }

  void SetStepObserver(StepObserver observer, void* context) {
    step_observer_ = observer;
    step_context_ = context;
  }

  // Gives half of each step to another core; {} takes it back. With a worker or without, a model gives the
  // same bytes; one that was made for one core never calls it. Not while PushRow runs.
  void SetWorker(const Worker& worker) { worker_ = worker; }

 private:
  class StepMark;
  struct Half;
  // Output rows for one worker to make, in its own scratch.
  struct Rows {
    int first;
    int count;
    Part scratch;  // kFirst or kSecond
  };

  int8_t* Row(int buffer, int row) const { return RingRow(model_.buffer(buffer), arena_, row); }
  int LastRowNeeded(const LayerRecord& layer, int out_row) const;
  int BatchRows(int stage) const;
  bool Ready(int stage) const;
  bool Drains(int stage) const;
  bool RunStage(int stage);
  static void RunHalf(void* half);
  bool Hand(Half* half);
  void MakeRows(int stage, const Rows& rows, bool told);
  bool Accumulate(int stage);
  void RunReaders(int stage);
  void Compute(const LayerRecord& layer, const Rows& rows);
  void Convolve(const LayerRecord& layer, const Rows& rows);
  void Fold(const LayerRecord& layer, const Window& window, Part part);
  void CompleteRow(int buffer);

  Model model_;
  uint8_t* arena_ = nullptr;
  uint16_t* rows_done_ = nullptr;  // [buffers], in the arena
  uint16_t* in_row_ = nullptr;     // [layers], in the arena: next input row of the accumulating ones
  RowObserver observer_ = nullptr;
  void* observer_context_ = nullptr;
  StepObserver step_observer_ = nullptr;
  void* step_context_ = nullptr;
  Worker worker_ = {};
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_ENGINE_H_
