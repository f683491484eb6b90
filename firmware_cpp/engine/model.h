// A parsed model: a view of the blob, which stays where it is.
#ifndef SQUEEZE_ENGINE_MODEL_H_
#define SQUEEZE_ENGINE_MODEL_H_

#include <stddef.h>
#include <stdint.h>

#include "engine/format.h"
#include "engine/status.h"

namespace squeeze {

class Model {
 public:
  // Checks every offset, size and relation in `blob` before anything uses it.
  // The blob must be 4-byte aligned and stay valid as long as the model.
  Status Parse(const uint8_t* blob, size_t size);

  bool parsed() const { return header_ != nullptr; }

  // All below: valid once Parse has returned kOk.
  const Header& header() const { return *header_; }
  const BufferRecord& buffer(int i) const { return buffers_[i]; }
  const LayerRecord& layer(int i) const { return layers_[i]; }
  int buffer_count() const { return header_->buffer_count; }
  int layer_count() const { return header_->layer_count; }
  size_t ArenaBytes() const { return header_->arena_bytes; }
  const uint8_t* SourceSha256() const { return header_->source_sha256; }
  const BufferRecord& Input() const { return buffers_[header_->input_buffer]; }
  int OutputSize() const { return buffers_[header_->output_buffer].channels; }

  template <typename T>
  const T* At(uint32_t offset) const {
    return reinterpret_cast<const T*>(blob_ + offset);
  }

 private:
  const uint8_t* blob_ = nullptr;
  const Header* header_ = nullptr;
  const BufferRecord* buffers_ = nullptr;
  const LayerRecord* layers_ = nullptr;
};

// Kinds that fold one input row a step into partial output rows.
inline bool Accumulates(LayerKind kind) {
  return kind == LayerKind::kMaxPool || kind == LayerKind::kAveragePool || kind == LayerKind::kMean ||
         kind == LayerKind::kDense;
}

// Kinds that two workers can share: they make each row from rows that are there from the beginning of a step,
// or, the pools, each column from others.
inline bool Shareable(LayerKind kind) {
  return kind != LayerKind::kMean && kind != LayerKind::kDense && kind != LayerKind::kPad &&
         kind != LayerKind::kSoftmax;
}

// First layer of the stage (the layers that write one buffer) that holds `layer`.
inline int StageStart(const Model& model, int layer) {
  while (layer > 0 && model.layer(layer - 1).output == model.layer(layer).output) --layer;
  return layer;
}

// What a worker makes of a step that two share: kAll, where there is but one, or another half.
enum class Part : uint8_t { kAll, kFirst, kSecond };

// A step of a layer that accumulates: it folds row `in_row` of the input into row `out_row` of the output,
// whose window has the rows first_row to last_row. Of other layers all four are the same.
struct Window {
  int in_row;
  int out_row;
  int first_row;
  int last_row;
};

// Where the second worker has its scratch, of a shared CONV_2D.
inline uint32_t SecondScratch(const LayerRecord& layer) {
  return static_cast<uint32_t>(layer.params[kSecondScratch]);
}

inline uint32_t RowBytes(const BufferRecord& buffer) {
  return static_cast<uint32_t>(buffer.width) * buffer.channels;
}

// Where the ring of `buffer` in `arena` has its row `row`.
inline int8_t* RingRow(const BufferRecord& buffer, uint8_t* arena, int row) {
  return reinterpret_cast<int8_t*>(arena) + buffer.offset +
         static_cast<uint32_t>(row % buffer.ring_rows) * RowBytes(buffer);
}

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_MODEL_H_
