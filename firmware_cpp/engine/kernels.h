// The kernels: one function a file in portable/, with the same signature in
// the folders of faster ones. All rows are HWC int8: pixel after pixel,
// channel after channel.
#ifndef SQUEEZE_ENGINE_KERNELS_H_
#define SQUEEZE_ENGINE_KERNELS_H_

#include <stdint.h>

#include "engine/format.h"

namespace squeeze {

class HuffmanWeights;

// `out_rows` output rows of a convolution, at once: a kernel unpacks a channel's weights once for all of
// them.
//   acc[y][x][o] = bias[o] + sum over ky, kx, c of
//                  rows[y * stride_h + ky][x * stride_w - pad_left + kx][c] * weights[o][ky][kx][c]
// with in_zero_point wherever the tap lies outside the row or its row is null
// (the zero point of the real taps is folded into bias, so padding counts too).
// |acc| stays below 2^31 for kernels up to 7x7x512: 7*7*512*128*128 < 2^29.
struct ConvRows {
  const int8_t* rows[kMaxConvInputRows];  // (out_rows - 1) * stride_h + kernel_h rows; null: a row of padding
  int8_t* out[kMaxBatch];                 // of each output row: pixel 0, first channel written
  const uint8_t* weights;                 // as `encoding` says
  HuffmanWeights* huffman;                // kHuffman: gives them, channel by channel; else null
  int8_t* huffman_rows;                   // kHuffman: room for two channels' weights, 4-byte aligned each
  const int32_t* bias;                    // [out_channels]; kHuffman: of channels given so far
  const int32_t* multipliers;             // [out_channels], never negative
  const int8_t* shifts;                   // [out_channels], -31 to 30
  uint8_t* scratch;                       // 8-byte aligned, the kernel's alone during the call
  uint32_t scratch_bytes;                 // at least what ConvScratchBytes says
  uint32_t out_pixel_stride;              // bytes from pixel to pixel of `out`
  uint16_t in_width;
  uint16_t in_channels;
  uint16_t out_width;
  uint16_t out_channels;
  uint8_t out_rows;  // 1 to kMaxBatch
  uint8_t kernel_h;
  uint8_t kernel_w;
  uint8_t stride_h;
  uint8_t stride_w;
  uint8_t pad_left;
  int8_t in_zero_point;
  int8_t out_zero_point;
  int8_t act_min;
  int8_t act_max;
  WeightEncoding encoding;
};
void Conv2DRows(const ConvRows& conv);        // portable/: any shape; kDense, kSparse, kHuffman
void ConvGemmRows(const ConvRows& conv);      // dsp/: any shape; kDense, kSparse, kHuffman
void ConvWinogradRows(const ConvRows& conv);  // dsp/: 3x3, stride 1
void ConvLanesRows(const ConvRows& conv);     // dsp/: few input channels (the first layer); kDense, kHuffman
void ConvSparseListRows(const ConvRows& conv);     // dsp/: stride 1; kSparse, kHuffman
void ConvFastFirRows(const ConvRows& conv);        // dsp/: 3x3, stride 2; kFastFir
void ConvSlicesRows(const ConvRows& conv);         // mve/: any shape, kSlices
void ConvPixelPairsRows(const ConvRows& conv);     // portable/: any shape; kDense, kSparse, kHuffman
void ConvWinogradWordsRows(const ConvRows& conv);  // v6m/: 3x3, stride 1; kDense, kSparse, kHuffman

// One input row folded into one output row of a pool. `first`: the row starts
// the window; `last`: it completes it. Taps outside the row are left out.
struct PoolRow {
  const int8_t* row;
  int8_t* out;            // pixel 0, first channel; MAX_POOL keeps its maxima here
  int32_t* accumulators;  // [out_width][channels], AVERAGE_POOL only
  uint32_t out_pixel_stride;
  uint32_t window_rows;  // rows of the window inside the map (AVERAGE_POOL)
  uint16_t in_width;
  uint16_t out_width;
  uint16_t channels;
  uint8_t kernel_w;
  uint8_t stride_w;
  uint8_t pad_left;
  int8_t act_min;
  int8_t act_max;
  bool first;
  bool last;
};
void MaxPoolRow(const PoolRow& pool);
void AveragePoolRow(const PoolRow& pool);

// One input row folded into the global mean; on the last row, the means. The
// multiplier holds the division by the number of pixels.
struct MeanRow {
  const int8_t* row;
  int32_t* accumulators;  // [channels]
  int8_t* out;            // [channels], written on the last row
  uint32_t pixels;        // of the whole map
  uint16_t width;
  uint16_t channels;
  int32_t multiplier;
  int32_t shift;
  int8_t in_zero_point;
  int8_t out_zero_point;
  bool first;
  bool last;
};
void MeanRowStep(const MeanRow& mean);

// out = a + b, each with its own quantization.
struct AddRow {
  const int8_t* a;
  const int8_t* b;
  int8_t* out;
  uint32_t out_pixel_stride;
  uint16_t width;
  uint16_t channels;
  const int32_t* params;  // multipliers of a, b, out, then their shifts
  int8_t a_zero_point;
  int8_t b_zero_point;
  int8_t out_zero_point;
  int8_t act_min;
  int8_t act_max;
};
void AddRowStep(const AddRow& add);

// out = table[value], for each value of the row.
struct LookupRow {
  const int8_t* row;
  int8_t* out;
  const int8_t* table;  // [256], for -128 to 127
  uint32_t out_pixel_stride;
  uint16_t width;
  uint16_t channels;
};
void LookupRowStep(const LookupRow& lookup);

// out = row * constant, one for each channel; TFLite's MUL.
struct MulConstantRow {
  const int8_t* row;
  int8_t* out;
  const int16_t* factors;  // [channels], -255 to 255: the constant less its zero point
  uint32_t out_pixel_stride;
  uint16_t width;
  uint16_t channels;
  int32_t multiplier;
  int32_t shift;
  int8_t in_zero_point;
  int8_t out_zero_point;
  int8_t act_min;
  int8_t act_max;
};
void MulConstantRowStep(const MulConstantRow& mul);

// out = row + constant, one for each channel; TFLite's ADD, and SUB of a constant.
struct AddConstantRow {
  const int8_t* row;
  int8_t* out;
  const int32_t* addends;  // [channels], as TFLite has them when it adds: shifted and rescaled
  uint32_t out_pixel_stride;
  uint16_t width;
  uint16_t channels;
  const int32_t* params;  // multipliers of input and output, then their shifts
  int8_t in_zero_point;
  int8_t out_zero_point;
  int8_t act_min;
  int8_t act_max;
};
void AddConstantRowStep(const AddConstantRow& add);

// One output row of a depthwise convolution: each channel by a kernel of its own.
//   acc[x][c] = bias[c] + sum over ky, kx of
//               rows[ky][x * stride_w - pad_left + kx][c] * weights[ky][kx][c]
// Padding as in ConvRows.
struct DepthwiseRow {
  const int8_t* rows[kMaxKernel];  // kernel_h of them; null: a row of padding
  int8_t* out;
  const int8_t* weights;
  const int32_t* bias;         // [channels]
  const int32_t* multipliers;  // [channels], never negative
  const int8_t* shifts;        // [channels], -31 to 30
  uint32_t out_pixel_stride;
  uint16_t in_width;
  uint16_t out_width;
  uint16_t channels;
  uint8_t kernel_h;
  uint8_t kernel_w;
  uint8_t stride_w;
  uint8_t pad_left;
  int8_t in_zero_point;
  int8_t out_zero_point;
  int8_t act_min;
  int8_t act_max;
};
void DepthwiseRowStep(const DepthwiseRow& depthwise);

// One input row folded into a layer that is fully connected to a whole map; on the last row, its outputs.
struct DenseRow {
  const int8_t* row;
  const int8_t* weights;  // of the first output, for this row
  const int32_t* bias;
  const int32_t* multipliers;
  const int8_t* shifts;
  int32_t* accumulators;  // [outputs]
  int8_t* out;            // [outputs], written on the last row
  uint32_t row_bytes;
  uint32_t weights_stride;  // bytes from an output's weights to the next one's
  uint16_t outputs;
  int8_t out_zero_point;
  int8_t act_min;
  int8_t act_max;
  bool first;
  bool last;
};
void DenseRowStep(const DenseRow& dense);

// out = row with another quantization (or a plain copy: multiplier 2^30, shift 1).
struct RequantizeRow {
  const int8_t* row;
  int8_t* out;
  uint32_t out_pixel_stride;
  uint16_t width;
  uint16_t channels;
  int32_t multiplier;
  int32_t shift;
  int8_t in_zero_point;
  int8_t out_zero_point;
};
void RequantizeRowStep(const RequantizeRow& requantize);

// One row with `pad_left` pixels of the zero point before, and as many after
// as out_width leaves; a null row is all padding.
struct PadRow {
  const int8_t* row;
  int8_t* out;
  uint32_t out_pixel_stride;
  uint16_t in_width;
  uint16_t out_width;
  uint16_t channels;
  uint8_t pad_left;
  int8_t zero_point;
};
void PadRowStep(const PadRow& pad);

// Softmax of int8 logits to int8 probabilities (scale 1/256, zero point -128).
// params: multiplier, left shift, smallest difference to the maximum that counts.
void Softmax(const int8_t* logits, int8_t* out, uint16_t size, const int32_t* params);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_KERNELS_H_
