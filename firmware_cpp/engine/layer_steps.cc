#include "engine/layer_steps.h"

#include "engine/kernels.h"

// Each function is external, and those that several kinds call are never made part of their callers: else it
// would depend on the other kernels of a build how large one kernel is.
namespace squeeze {

[[gnu::noinline]] int8_t* LayerStep::Input(int i, int row) const {
  return RingRow(model.buffer(layer.inputs[i]), arena, row);
}

#if SQUEEZE_KERNEL_MAX_POOL || SQUEEZE_KERNEL_AVERAGE_POOL
// What the two kinds of pools have in common.
void FillPool(const LayerStep& step, PoolRow* pool);
[[gnu::noinline]] void FillPool(const LayerStep& step, PoolRow* pool) {
  const LayerRecord& layer = step.layer;
  // The left half of the columns is the first worker's. A part of a row is a row, with padding on its left
  // only where the whole one has it there.
  const int half = step.out.width - step.out.width / kWorkers;
  const int begin = step.part == Part::kSecond ? half : 0;
  const int end = step.part == Part::kFirst ? half : step.out.width;
  const int column = begin * layer.stride_w - layer.pad_left;
  const int skipped = column > 0 ? column : 0;
  pool->row = step.in_data + skipped * step.in.channels;
  pool->out = step.out_data + begin * step.out.channels;
  pool->accumulators = step.Accumulators() + begin * step.in.channels;
  pool->out_pixel_stride = step.out.channels;
  pool->window_rows = static_cast<uint32_t>(step.last_row - step.first_row + 1);
  pool->in_width = static_cast<uint16_t>(step.in.width - skipped);
  pool->out_width = static_cast<uint16_t>(end - begin);
  pool->channels = step.in.channels;
  pool->kernel_w = layer.kernel_w;
  pool->stride_w = layer.stride_w;
  pool->pad_left = static_cast<uint8_t>(column < 0 ? -column : 0);
  pool->act_min = layer.act_min;
  pool->act_max = layer.act_max;
  pool->first = step.in_row == step.first_row;
  pool->last = step.in_row == step.last_row;
}
#endif

#if SQUEEZE_KERNEL_MAX_POOL
void StepMaxPool(const LayerStep& step);
void StepMaxPool(const LayerStep& step) {
  PoolRow pool;
  FillPool(step, &pool);
  MaxPoolRow(pool);
}
#else
constexpr LayerFunction StepMaxPool = nullptr;
#endif

#if SQUEEZE_KERNEL_AVERAGE_POOL
void StepAveragePool(const LayerStep& step);
void StepAveragePool(const LayerStep& step) {
  PoolRow pool;
  FillPool(step, &pool);
  pool.accumulators +=
      static_cast<uint32_t>(step.out_row % step.layer.params[0]) * step.out.width * pool.channels;
  AveragePoolRow(pool);
}
#else
constexpr LayerFunction StepAveragePool = nullptr;
#endif

#if SQUEEZE_KERNEL_MEAN
void StepMean(const LayerStep& step);
void StepMean(const LayerStep& step) {
  MeanRow mean = {};
  mean.row = step.in_data;
  mean.accumulators = step.Accumulators();
  mean.out = step.out_data;
  mean.pixels = uint32_t{step.in.height} * step.in.width;
  mean.width = step.in.width;
  mean.channels = step.in.channels;
  mean.multiplier = step.layer.params[0];
  mean.shift = step.layer.params[1];
  mean.in_zero_point = step.in.zero_point;
  mean.out_zero_point = step.out.zero_point;
  mean.first = step.in_row == step.first_row;
  mean.last = step.in_row == step.last_row;
  MeanRowStep(mean);
}
#else
constexpr LayerFunction StepMean = nullptr;
#endif

#if SQUEEZE_KERNEL_ADD
void StepAdd(const LayerStep& step);
void StepAdd(const LayerStep& step) {
  AddRow add = {};
  add.a = step.in_data;
  add.b = step.Input(1, step.out_row);
  add.out = step.out_data;
  add.out_pixel_stride = step.out.channels;
  add.width = step.out.width;
  add.channels = step.layer.out_channels;
  add.params = step.layer.params;
  add.a_zero_point = step.in.zero_point;
  add.b_zero_point = step.model.buffer(step.layer.inputs[1]).zero_point;
  add.out_zero_point = step.out.zero_point;
  add.act_min = step.layer.act_min;
  add.act_max = step.layer.act_max;
  AddRowStep(add);
}
#else
constexpr LayerFunction StepAdd = nullptr;
#endif

#if SQUEEZE_KERNEL_PAD
void StepPad(const LayerStep& step);
void StepPad(const LayerStep& step) {
  const int row = step.out_row - step.layer.pad_top;
  PadRow pad = {};
  pad.row = row >= 0 && row < step.in.height ? step.Input(0, row) : nullptr;
  pad.out = step.out_data;
  pad.out_pixel_stride = step.out.channels;
  pad.in_width = step.in.width;
  pad.out_width = step.out.width;
  pad.channels = step.in.channels;
  pad.pad_left = step.layer.pad_left;
  pad.zero_point = step.out.zero_point;
  PadRowStep(pad);
}
#else
constexpr LayerFunction StepPad = nullptr;
#endif

#if SQUEEZE_KERNEL_REQUANTIZE
void StepRequantize(const LayerStep& step);
void StepRequantize(const LayerStep& step) {
  RequantizeRow requantize = {};
  requantize.row = step.in_data;
  requantize.out = step.out_data;
  requantize.out_pixel_stride = step.out.channels;
  requantize.width = step.out.width;
  requantize.channels = step.layer.out_channels;
  requantize.multiplier = step.layer.params[0];
  requantize.shift = step.layer.params[1];
  requantize.in_zero_point = step.in.zero_point;
  requantize.out_zero_point = step.out.zero_point;
  RequantizeRowStep(requantize);
}
#else
constexpr LayerFunction StepRequantize = nullptr;
#endif

#if SQUEEZE_KERNEL_SOFTMAX
void StepSoftmax(const LayerStep& step);
void StepSoftmax(const LayerStep& step) {
  Softmax(step.in_data, step.out_data, step.out.channels, step.layer.params);
}
#else
constexpr LayerFunction StepSoftmax = nullptr;
#endif

#if SQUEEZE_KERNEL_LOOKUP
void StepLookup(const LayerStep& step);
void StepLookup(const LayerStep& step) {
  LookupRow lookup = {};
  lookup.row = step.in_data;
  lookup.out = step.out_data;
  lookup.table = step.model.At<int8_t>(step.layer.weights_offset);
  lookup.out_pixel_stride = step.out.channels;
  lookup.width = step.out.width;
  lookup.channels = step.layer.out_channels;
  LookupRowStep(lookup);
}
#else
constexpr LayerFunction StepLookup = nullptr;
#endif

#if SQUEEZE_KERNEL_MUL_CONSTANT
void StepMulConstant(const LayerStep& step);
void StepMulConstant(const LayerStep& step) {
  MulConstantRow mul = {};
  mul.row = step.in_data;
  mul.out = step.out_data;
  mul.factors = step.model.At<int16_t>(step.layer.weights_offset);
  mul.out_pixel_stride = step.out.channels;
  mul.width = step.out.width;
  mul.channels = step.layer.out_channels;
  mul.multiplier = step.layer.params[0];
  mul.shift = step.layer.params[1];
  mul.in_zero_point = step.in.zero_point;
  mul.out_zero_point = step.out.zero_point;
  mul.act_min = step.layer.act_min;
  mul.act_max = step.layer.act_max;
  MulConstantRowStep(mul);
}
#else
constexpr LayerFunction StepMulConstant = nullptr;
#endif

#if SQUEEZE_KERNEL_ADD_CONSTANT
void StepAddConstant(const LayerStep& step);
void StepAddConstant(const LayerStep& step) {
  AddConstantRow add = {};
  add.row = step.in_data;
  add.out = step.out_data;
  add.addends = step.model.At<int32_t>(step.layer.weights_offset);
  add.out_pixel_stride = step.out.channels;
  add.width = step.out.width;
  add.channels = step.layer.out_channels;
  add.params = step.layer.params;
  add.in_zero_point = step.in.zero_point;
  add.out_zero_point = step.out.zero_point;
  add.act_min = step.layer.act_min;
  add.act_max = step.layer.act_max;
  AddConstantRowStep(add);
}
#else
constexpr LayerFunction StepAddConstant = nullptr;
#endif

#if SQUEEZE_KERNEL_DEPTHWISE
void StepDepthwise(const LayerStep& step);
void StepDepthwise(const LayerStep& step) {
  const LayerRecord& layer = step.layer;
  DepthwiseRow d = {};
  for (int k = 0; k < layer.kernel_h; ++k) {
    const int row = step.out_row * layer.stride_h - layer.pad_top + k;
    d.rows[k] = row >= 0 && row < step.in.height ? step.Input(0, row) : nullptr;
  }
  d.out = step.out_data;
  d.weights = step.model.At<int8_t>(layer.weights_offset);
  d.bias = step.Param<int32_t>(0);
  d.multipliers = step.Param<int32_t>(1);
  d.shifts = step.Param<int8_t>(2);
  d.out_pixel_stride = step.out.channels;
  d.in_width = step.in.width;
  d.out_width = step.out.width;
  d.channels = step.in.channels;
  d.kernel_h = layer.kernel_h;
  d.kernel_w = layer.kernel_w;
  d.stride_w = layer.stride_w;
  d.pad_left = layer.pad_left;
  d.in_zero_point = step.in.zero_point;
  d.out_zero_point = step.out.zero_point;
  d.act_min = layer.act_min;
  d.act_max = layer.act_max;
  DepthwiseRowStep(d);
}
#else
constexpr LayerFunction StepDepthwise = nullptr;
#endif

#if SQUEEZE_KERNEL_DENSE
void StepDense(const LayerStep& step);
void StepDense(const LayerStep& step) {
  DenseRow dense = {};
  dense.row = step.in_data;
  dense.row_bytes = RowBytes(step.in);
  dense.weights_stride = step.in.height * dense.row_bytes;
  dense.weights =
      step.model.At<int8_t>(step.layer.weights_offset) + static_cast<uint32_t>(step.in_row) * dense.row_bytes;
  dense.bias = step.Param<int32_t>(0);
  dense.multipliers = step.Param<int32_t>(1);
  dense.shifts = step.Param<int8_t>(2);
  dense.accumulators = step.Accumulators();
  dense.out = step.out_data;
  dense.outputs = step.layer.out_channels;
  dense.out_zero_point = step.out.zero_point;
  dense.act_min = step.layer.act_min;
  dense.act_max = step.layer.act_max;
  dense.first = step.in_row == step.first_row;
  dense.last = step.in_row == step.last_row;
  DenseRowStep(dense);
}
#else
constexpr LayerFunction StepDense = nullptr;
#endif

const LayerFunction kLayerFunctions[] = {
    nullptr,     nullptr,  // no kind has the number 0; 1 are convolutions
    StepMaxPool, StepAveragePool, StepMean,        StepAdd,         StepPad,       StepRequantize,
    StepSoftmax, StepLookup,      StepMulConstant, StepAddConstant, StepDepthwise, StepDense,
};
static_assert(sizeof(kLayerFunctions) / sizeof(kLayerFunctions[0]) == static_cast<int>(LayerKind::kDense) + 1,
              "one for each kind");

}  // namespace squeeze
