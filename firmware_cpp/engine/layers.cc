// From a layer's record to its kernel's arguments.
#include "engine/conv_kernels.h"
#include "engine/engine.h"
#include "engine/huffman_layer.h"
#include "engine/kernels.h"
#include "engine/packed_params.h"

namespace squeeze {

bool LayerKernelBuilt(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConv2D:
#if SQUEEZE_KERNEL_MAX_POOL
    case LayerKind::kMaxPool:
#endif
#if SQUEEZE_KERNEL_AVERAGE_POOL
    case LayerKind::kAveragePool:
#endif
#if SQUEEZE_KERNEL_MEAN
    case LayerKind::kMean:
#endif
#if SQUEEZE_KERNEL_ADD
    case LayerKind::kAdd:
#endif
#if SQUEEZE_KERNEL_PAD
    case LayerKind::kPad:
#endif
#if SQUEEZE_KERNEL_REQUANTIZE
    case LayerKind::kRequantize:
#endif
#if SQUEEZE_KERNEL_SOFTMAX
    case LayerKind::kSoftmax:
#endif
#if SQUEEZE_KERNEL_LOOKUP
    case LayerKind::kLookup:
#endif
#if SQUEEZE_KERNEL_MUL_CONSTANT
    case LayerKind::kMulConstant:
#endif
#if SQUEEZE_KERNEL_ADD_CONSTANT
    case LayerKind::kAddConstant:
#endif
#if SQUEEZE_KERNEL_DEPTHWISE
    case LayerKind::kDepthwise:
#endif
#if SQUEEZE_KERNEL_DENSE
    case LayerKind::kDense:
#endif
      return true;
    default:
      return false;
  }
}

void Engine::Convolve(const LayerRecord& layer, int out_row, int rows) {
  const BufferRecord& in = model_.buffer(layer.inputs[0]);
  const BufferRecord& out = model_.buffer(layer.output);
  ConvRows conv = {};
  const int top = out_row * layer.stride_h - layer.pad_top;
  const int in_rows = (rows - 1) * layer.stride_h + layer.kernel_h;
  for (int k = 0; k < in_rows; ++k) {
    const int row = top + k;
    conv.rows[k] = row >= 0 && row < in.height ? Row(layer.inputs[0], row) : nullptr;
  }
  for (int k = 0; k < rows; ++k) conv.out[k] = Row(layer.output, out_row + k) + layer.out_channel;
  conv.weights = model_.At<uint8_t>(layer.weights_offset);
  const auto at = [&layer](int i) { return static_cast<uint32_t>(layer.params[i]); };
  conv.scratch = arena_ + layer.scratch_offset;
  conv.scratch_bytes = layer.scratch_bytes;
  conv.out_pixel_stride = out.channels;
  conv.in_width = in.width;
  conv.in_channels = in.channels;
  conv.out_width = out.width;
  conv.out_channels = layer.out_channels;
  conv.out_rows = static_cast<uint8_t>(rows);
  conv.kernel_h = layer.kernel_h;
  conv.kernel_w = layer.kernel_w;
  conv.stride_h = layer.stride_h;
  conv.stride_w = layer.stride_w;
  conv.pad_left = layer.pad_left;
  conv.in_zero_point = in.zero_point;
  conv.out_zero_point = out.zero_point;
  conv.act_min = layer.act_min;
  conv.act_max = layer.act_max;
  conv.encoding = layer.encoding;
#if SQUEEZE_KERNEL_HUFFMAN
  if (layer.encoding == WeightEncoding::kHuffman) {
    const uint32_t taps = uint32_t{layer.kernel_h} * layer.kernel_w * in.channels;
    const HuffmanScratch place(layer.kernel, layer.out_channels, taps);
    int32_t* const bias = reinterpret_cast<int32_t*>(conv.scratch);
    int32_t* const multipliers = reinterpret_cast<int32_t*>(conv.scratch + place.multipliers);
    int8_t* const shifts = reinterpret_cast<int8_t*>(conv.scratch + place.shifts);
    UnpackParams(model_.At<uint8_t>(at(0)), layer.out_channels, bias, multipliers, shifts);
    HuffmanWeights weights(
        {conv.weights, model_.At<uint8_t>(model_.header().codes_offset), taps, in.channels},
        reinterpret_cast<HuffmanTables*>(conv.scratch + place.tables), bias, in.zero_point);
    conv.huffman = &weights;
    conv.huffman_rows = reinterpret_cast<int8_t*>(conv.scratch + place.rows);
    conv.bias = bias;
    conv.multipliers = multipliers;
    conv.shifts = shifts;
    conv.scratch += place.bytes;
    conv.scratch_bytes -= place.bytes;
    RunConvKernel(layer.kernel, conv);
    return;
  }
#endif
  conv.bias = model_.At<int32_t>(at(0));
  conv.multipliers = model_.At<int32_t>(at(1));
  conv.shifts = model_.At<int8_t>(at(2));
  RunConvKernel(layer.kernel, conv);
}

#if SQUEEZE_KERNEL_DEPTHWISE
void Engine::ConvolveDepthwise(const LayerRecord& layer, int out_row) {
  const BufferRecord& in = model_.buffer(layer.inputs[0]);
  const BufferRecord& out = model_.buffer(layer.output);
  const auto at = [&layer](int i) { return static_cast<uint32_t>(layer.params[i]); };
  DepthwiseRow d = {};
  for (int k = 0; k < layer.kernel_h; ++k) {
    const int row = out_row * layer.stride_h - layer.pad_top + k;
    d.rows[k] = row >= 0 && row < in.height ? Row(layer.inputs[0], row) : nullptr;
  }
  d.out = Row(layer.output, out_row) + layer.out_channel;
  d.weights = model_.At<int8_t>(layer.weights_offset);
  d.bias = model_.At<int32_t>(at(0));
  d.multipliers = model_.At<int32_t>(at(1));
  d.shifts = model_.At<int8_t>(at(2));
  d.out_pixel_stride = out.channels;
  d.in_width = in.width;
  d.out_width = out.width;
  d.channels = in.channels;
  d.kernel_h = layer.kernel_h;
  d.kernel_w = layer.kernel_w;
  d.stride_w = layer.stride_w;
  d.pad_left = layer.pad_left;
  d.in_zero_point = in.zero_point;
  d.out_zero_point = out.zero_point;
  d.act_min = layer.act_min;
  d.act_max = layer.act_max;
  DepthwiseRowStep(d);
}
#endif

// With few kernels in the build some of what they share goes unused.
void Engine::Compute(const LayerRecord& layer, int out_row, int rows) {
  [[maybe_unused]] const BufferRecord& in = model_.buffer(layer.inputs[0]);
  [[maybe_unused]] const BufferRecord& out = model_.buffer(layer.output);
  [[maybe_unused]] int8_t* out_data = Row(layer.output, out_row) + layer.out_channel;
  switch (layer.kind) {
    case LayerKind::kConv2D:
      Convolve(layer, out_row, rows);
      return;
#if SQUEEZE_KERNEL_ADD
    case LayerKind::kAdd: {
      AddRow add = {};
      add.a = Row(layer.inputs[0], out_row);
      add.b = Row(layer.inputs[1], out_row);
      add.out = out_data;
      add.out_pixel_stride = out.channels;
      add.width = out.width;
      add.channels = layer.out_channels;
      add.params = layer.params;
      add.a_zero_point = in.zero_point;
      add.b_zero_point = model_.buffer(layer.inputs[1]).zero_point;
      add.out_zero_point = out.zero_point;
      add.act_min = layer.act_min;
      add.act_max = layer.act_max;
      AddRowStep(add);
      return;
    }
#endif
#if SQUEEZE_KERNEL_PAD
    case LayerKind::kPad: {
      const int row = out_row - layer.pad_top;
      PadRow pad = {};
      pad.row = row >= 0 && row < in.height ? Row(layer.inputs[0], row) : nullptr;
      pad.out = out_data;
      pad.out_pixel_stride = out.channels;
      pad.in_width = in.width;
      pad.out_width = out.width;
      pad.channels = in.channels;
      pad.pad_left = layer.pad_left;
      pad.zero_point = out.zero_point;
      PadRowStep(pad);
      return;
    }
#endif
#if SQUEEZE_KERNEL_REQUANTIZE
    case LayerKind::kRequantize: {
      RequantizeRow requantize = {};
      requantize.row = Row(layer.inputs[0], out_row);
      requantize.out = out_data;
      requantize.out_pixel_stride = out.channels;
      requantize.width = out.width;
      requantize.channels = layer.out_channels;
      requantize.multiplier = layer.params[0];
      requantize.shift = layer.params[1];
      requantize.in_zero_point = in.zero_point;
      requantize.out_zero_point = out.zero_point;
      RequantizeRowStep(requantize);
      return;
    }
#endif
#if SQUEEZE_KERNEL_SOFTMAX
    case LayerKind::kSoftmax:
      Softmax(Row(layer.inputs[0], 0), out_data, out.channels, layer.params);
      return;
#endif
#if SQUEEZE_KERNEL_LOOKUP
    case LayerKind::kLookup: {
      LookupRow lookup = {};
      lookup.row = Row(layer.inputs[0], out_row);
      lookup.out = out_data;
      lookup.table = model_.At<int8_t>(layer.weights_offset);
      lookup.out_pixel_stride = out.channels;
      lookup.width = out.width;
      lookup.channels = layer.out_channels;
      LookupRowStep(lookup);
      return;
    }
#endif
#if SQUEEZE_KERNEL_MUL_CONSTANT
    case LayerKind::kMulConstant: {
      MulConstantRow mul = {};
      mul.row = Row(layer.inputs[0], out_row);
      mul.out = out_data;
      mul.factors = model_.At<int16_t>(layer.weights_offset);
      mul.out_pixel_stride = out.channels;
      mul.width = out.width;
      mul.channels = layer.out_channels;
      mul.multiplier = layer.params[0];
      mul.shift = layer.params[1];
      mul.in_zero_point = in.zero_point;
      mul.out_zero_point = out.zero_point;
      mul.act_min = layer.act_min;
      mul.act_max = layer.act_max;
      MulConstantRowStep(mul);
      return;
    }
#endif
#if SQUEEZE_KERNEL_ADD_CONSTANT
    case LayerKind::kAddConstant: {
      AddConstantRow add = {};
      add.row = Row(layer.inputs[0], out_row);
      add.out = out_data;
      add.addends = model_.At<int32_t>(layer.weights_offset);
      add.out_pixel_stride = out.channels;
      add.width = out.width;
      add.channels = layer.out_channels;
      add.params = layer.params;
      add.in_zero_point = in.zero_point;
      add.out_zero_point = out.zero_point;
      add.act_min = layer.act_min;
      add.act_max = layer.act_max;
      AddConstantRowStep(add);
      return;
    }
#endif
#if SQUEEZE_KERNEL_DEPTHWISE
    case LayerKind::kDepthwise:
      ConvolveDepthwise(layer, out_row);
      return;
#endif
    default:
      return;  // those that fold: see Fold; Model::Parse lets no other through
  }
}

void Engine::Fold(const LayerRecord& layer, int in_row, int out_row, int first_row, int last_row) {
  const BufferRecord& in = model_.buffer(layer.inputs[0]);
  const BufferRecord& out = model_.buffer(layer.output);
  [[maybe_unused]] int32_t* accumulators = reinterpret_cast<int32_t*>(arena_ + layer.scratch_offset);
#if SQUEEZE_KERNEL_MEAN
  if (layer.kind == LayerKind::kMean) {
    MeanRow mean = {};
    mean.row = Row(layer.inputs[0], in_row);
    mean.accumulators = accumulators;
    mean.out = Row(layer.output, 0) + layer.out_channel;
    mean.pixels = uint32_t{in.height} * in.width;
    mean.width = in.width;
    mean.channels = in.channels;
    mean.multiplier = layer.params[0];
    mean.shift = layer.params[1];
    mean.in_zero_point = in.zero_point;
    mean.out_zero_point = out.zero_point;
    mean.first = in_row == first_row;
    mean.last = in_row == last_row;
    MeanRowStep(mean);
    return;
  }
#endif
#if SQUEEZE_KERNEL_DENSE
  if (layer.kind == LayerKind::kDense) {
    const auto at = [&layer](int i) { return static_cast<uint32_t>(layer.params[i]); };
    DenseRow dense = {};
    dense.row = Row(layer.inputs[0], in_row);
    dense.row_bytes = RowBytes(in);
    dense.weights_stride = in.height * dense.row_bytes;
    dense.weights = model_.At<int8_t>(layer.weights_offset) + static_cast<uint32_t>(in_row) * dense.row_bytes;
    dense.bias = model_.At<int32_t>(at(0));
    dense.multipliers = model_.At<int32_t>(at(1));
    dense.shifts = model_.At<int8_t>(at(2));
    dense.accumulators = accumulators;
    dense.out = Row(layer.output, 0) + layer.out_channel;
    dense.outputs = layer.out_channels;
    dense.out_zero_point = out.zero_point;
    dense.act_min = layer.act_min;
    dense.act_max = layer.act_max;
    dense.first = in_row == first_row;
    dense.last = in_row == last_row;
    DenseRowStep(dense);
    return;
  }
#endif
  [[maybe_unused]] PoolRow pool = {};
  pool.row = Row(layer.inputs[0], in_row);
  pool.out = Row(layer.output, out_row) + layer.out_channel;
  pool.out_pixel_stride = out.channels;
  pool.window_rows = static_cast<uint32_t>(last_row - first_row + 1);
  pool.in_width = in.width;
  pool.out_width = out.width;
  pool.channels = in.channels;
  pool.kernel_w = layer.kernel_w;
  pool.stride_w = layer.stride_w;
  pool.pad_left = layer.pad_left;
  pool.act_min = layer.act_min;
  pool.act_max = layer.act_max;
  pool.first = in_row == first_row;
  pool.last = in_row == last_row;
#if SQUEEZE_KERNEL_MAX_POOL
  if (layer.kind == LayerKind::kMaxPool) MaxPoolRow(pool);
#endif
#if SQUEEZE_KERNEL_AVERAGE_POOL
  if (layer.kind == LayerKind::kAveragePool) {
    pool.accumulators =
        accumulators + static_cast<uint32_t>(out_row % layer.params[0]) * out.width * in.channels;
    AveragePoolRow(pool);
  }
#endif
}

}  // namespace squeeze
