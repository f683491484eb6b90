// One step of a layer that is no convolution, by its kind: from its record to its kernel's arguments.
#ifndef SQUEEZE_ENGINE_LAYER_STEPS_H_
#define SQUEEZE_ENGINE_LAYER_STEPS_H_

#include <stdint.h>

#include "engine/model.h"

namespace squeeze {

// What a step makes of what.
struct LayerStep {
  const Model& model;
  uint8_t* arena;
  const LayerRecord& layer;
  const BufferRecord& in;
  const BufferRecord& out;
  const int8_t* in_data;  // row `in_row` of the first input
  int8_t* out_data;       // row `out_row` of the output, from the layer's first channel on
  int in_row;             // these four: as in Window
  int out_row;
  int first_row;
  int last_row;
  Part part;  // of a pool's columns

  int8_t* Input(int i, int row) const;  // of input `i`
  int32_t* Accumulators() const { return reinterpret_cast<int32_t*>(arena + layer.scratch_offset); }
  template <typename T>
  const T* Param(int i) const {
    return model.At<T>(static_cast<uint32_t>(layer.params[i]));
  }
};

using LayerFunction = void (*)(const LayerStep& step);

// By LayerKind; null where the kernel is not in this build, and for convolutions. Whoever calls through the
// table is the same code in each build, so the sizes of the kernels add up:
// host_tools/firmware/code_sizes.py.
extern const LayerFunction kLayerFunctions[];

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_LAYER_STEPS_H_
