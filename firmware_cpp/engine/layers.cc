// From a layer's record to its kernel's arguments.
#include "engine/conv_kernels.h"
#include "engine/engine.h"
#include "engine/huffman_layer.h"
#include "engine/kernels.h"
#include "engine/layer_steps.h"
#include "engine/packed_params.h"

namespace squeeze {

bool LayerKernelBuilt(LayerKind kind) {
  return kind == LayerKind::kConv2D || kLayerFunctions[static_cast<int>(kind)] != nullptr;
}

void Engine::Convolve(const LayerRecord& layer, const Rows& rows) {
  const BufferRecord& in = model_.buffer(layer.inputs[0]);
  const BufferRecord& out = model_.buffer(layer.output);
  ConvRows conv = {};
  const int top = rows.first * layer.stride_h - layer.pad_top;
  const int in_rows = (rows.count - 1) * layer.stride_h + layer.kernel_h;
  for (int k = 0; k < in_rows; ++k) {
    const int row = top + k;
    conv.rows[k] = row >= 0 && row < in.height ? Row(layer.inputs[0], row) : nullptr;
  }
  for (int k = 0; k < rows.count; ++k) conv.out[k] = Row(layer.output, rows.first + k) + layer.out_channel;
  conv.weights = model_.At<uint8_t>(layer.weights_offset);
  const auto at = [&layer](int i) { return static_cast<uint32_t>(layer.params[i]); };
  conv.scratch = arena_ + (rows.scratch == Part::kFirst ? layer.scratch_offset : SecondScratch(layer));
  conv.scratch_bytes = layer.scratch_bytes;
  conv.out_pixel_stride = out.channels;
  conv.in_width = in.width;
  conv.in_channels = in.channels;
  conv.out_width = out.width;
  conv.out_channels = layer.out_channels;
  conv.out_rows = static_cast<uint8_t>(rows.count);
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

void Engine::Compute(const LayerRecord& layer, const Rows& rows) {
  if (layer.kind == LayerKind::kConv2D) return Convolve(layer, rows);
  for (int row = rows.first; row < rows.first + rows.count; ++row)
    Fold(layer, {row, row, row, row}, Part::kAll);
}

// Model::Parse lets no layer through whose kernel is not in this build.
void Engine::Fold(const LayerRecord& layer, const Window& window, Part part) {
  int8_t* const in_data = Row(layer.inputs[0], window.in_row);
  int8_t* const out_data = Row(layer.output, window.out_row) + layer.out_channel;
  const BufferRecord& in = model_.buffer(layer.inputs[0]);
  const BufferRecord& out = model_.buffer(layer.output);
  const LayerStep step = {
      model_,         arena_,           layer,           in,  out, in_data, out_data, window.in_row,
      window.out_row, window.first_row, window.last_row, part};
  kLayerFunctions[static_cast<int>(layer.kind)](step);
}

}  // namespace squeeze
