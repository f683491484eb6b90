// The engine's model: one position-independent, little-endian blob, read in place from flash.
// Written by convert/encode/blob.py, which mirrors these structs field by field.
#ifndef SQUEEZE_ENGINE_FORMAT_H_
#define SQUEEZE_ENGINE_FORMAT_H_

#include <stddef.h>
#include <stdint.h>

namespace squeeze {

constexpr uint32_t kMagic = 0x315A5153;  // "SQZ1"
constexpr uint16_t kFormatVersion = 3;
constexpr size_t kBlobAlignment = 4;
constexpr size_t kArenaAlignment = 8;
constexpr size_t kCrcStart = 16;  // the CRC covers [kCrcStart, total_bytes)

// Limits of a model; the parser rejects what exceeds them.
constexpr uint16_t kMaxLayers = 128;
constexpr uint16_t kMaxBuffers = 128;
constexpr uint8_t kMaxKernel = 7;  // of convolutions
constexpr uint8_t kMaxConvStride = 2;
constexpr uint8_t kMaxPadding = 255;           // rows or columns on one side of a map
constexpr uint8_t kMaxBatch = 8;               // output rows that a convolution makes at once
constexpr uint16_t kMaxSoftmax = 4095;         // classes: sums of exp are Q12.19
constexpr uint32_t kMaxMeanPixels = 1u << 23;  // sums of (-128 to 127) - zero point stay in int32
constexpr uint32_t kMaxTaps = 65535;           // of one output: the sum of products stays below 2^30
constexpr uint8_t kWorkers = 2;                // at most, that share a step, and so many times these rows
constexpr int kSecondScratch = 3;              // of a CONV_2D's params, see there
constexpr uint8_t kMaxConvInputRows = (kMaxBatch - 1) * kMaxConvStride + kMaxKernel;

enum class LayerKind : uint8_t {
  kConv2D = 1,
  kMaxPool = 2,
  kAveragePool = 3,
  kMean = 4,
  kAdd = 5,
  kPad = 6,
  kRequantize = 7,
  kSoftmax = 8,
  kLookup = 9,        // any function of one int8, by a table
  kMulConstant = 10,  // by a constant for each channel
  kAddConstant = 11,  // of a constant for each channel
  kDepthwise = 12,
  kDense = 13,  // fully connected to all values of a map
};

enum class WeightEncoding : uint8_t {
  kNone = 0,    // the layer has no weights
  kDense = 1,   // int8, OHWI
  kSparse = 2,  // for each channel: uint16 count, then count uint16, gap in the low byte, int8 weight in the
                // high one. Position in HWI order = previous position (-1 at first) + 1 + gap. A gap over
                // 255 is bridged by entries of weight 0.
  kWinograd = 3,  // int16, transformed for ConvWinogradRows (its layout: dsp/winograd.h)
  kSlices = 4,    // int8, reordered for ConvSlicesRows (its layout: mve/slices.h)
  kHuffman = 5,   // Huffman codes: huffman.h; its biases, multipliers and shifts are packed: packed_params.h
  kFastFir = 6,   // int16, transformed for ConvFastFirRows (its layout: dsp/fast_fir.h)
};

// Which kernel runs a convolution. Each takes certain shapes and encodings: conv_kernels.h.
enum class ConvKernel : uint8_t {
  kReference = 0,
  kGemm = 1,
  kWinograd = 2,
  kLanes = 3,
  kSparseList = 4,
  kSlices = 5,
  kPixelPairs = 6,
  kFastFir = 7,
  kWinogradWords = 8,
};

struct Header {
  uint32_t magic;
  uint16_t version;
  uint16_t header_bytes;
  uint32_t total_bytes;
  uint32_t crc32;
  uint8_t source_sha256[32];  // of the .tflite
  uint32_t arena_bytes;
  uint32_t state_offset;  // of the engine's own counters in the arena
  uint16_t buffer_count;
  uint16_t layer_count;
  uint32_t buffers_offset;
  uint32_t layers_offset;
  uint16_t input_buffer;
  uint16_t logits_buffer;
  uint16_t output_buffer;
  uint16_t input_resume;  // layer at which to go on after an input row (see LayerRecord::resume)
  float input_scale;
  float logits_scale;
  float output_scale;
  uint32_t labels_offset;  // UTF-8, one label a line; 0 bytes when there are none
  uint32_t labels_bytes;
  uint32_t codes_offset;  // of the layers that are kHuffman (huffman.h); 0 bytes when there are none
  uint32_t codes_bytes;
  uint32_t reserved;
};
static_assert(sizeof(Header) == 108, "convert/encode/blob.py writes 108 bytes");

// Rows of one feature map: ring_rows rows of width * channels int8 (HWC) at `offset` in the arena.
struct BufferRecord {
  uint16_t height;
  uint16_t width;
  uint16_t channels;
  uint16_t ring_rows;
  uint32_t offset;
  int8_t zero_point;
  uint8_t reserved[3];
};
static_assert(sizeof(BufferRecord) == 16, "convert/encode/blob.py writes 16 bytes");

struct LayerRecord {
  LayerKind kind;
  WeightEncoding encoding;
  uint8_t kernel_h;  // MEAN: 1, its window is the whole map
  uint8_t kernel_w;
  uint8_t stride_h;
  uint8_t stride_w;
  uint8_t pad_top;
  uint8_t pad_left;
  uint16_t inputs[2];    // buffers; the second only for ADD
  uint16_t output;       // buffer
  uint16_t out_channel;  // first channel written in the output buffer
  uint16_t out_channels;
  uint16_t resume;  // first layer of the deepest stage that a finished row may set going
  int8_t act_min;
  int8_t act_max;
  ConvKernel kernel;    // of CONV_2D
  uint8_t batch_rows;   // output rows made at once; the same for all layers of a stage
  uint16_t defer_rows;  // CONV_2D, deferred stage: rows of inputs[0] before it begins
  uint16_t shared;      // 1: two workers share the rows of its stage's steps (Engine::SetWorker)
  // CONV_2D: as `encoding` says. DEPTHWISE: int8 [kernel_h][kernel_w][out_channels]. DENSE: int8
  // [out_channels][height][width][channels] of its input. LOOKUP: int8 [256], for -128 to 127. MUL_CONSTANT:
  // int16 [out_channels], less its zero point. ADD_CONSTANT: int32 [out_channels], at the sum's scale.
  uint32_t weights_offset;
  uint32_t weights_bytes;
  uint32_t
      scratch_offset;  // in the arena: int32 accumulators (AVERAGE_POOL, MEAN, DENSE), the kernel's (CONV_2D)
  uint32_t scratch_bytes;  // CONV_2D
  // CONV_2D, DEPTHWISE, DENSE: offsets of int32 bias [out_channels], the input's zero point folded in, of
  // int32 multiplier [out_channels] and int8 shift [out_channels]; of kHuffman, offset and bytes of all
  // three, packed. CONV_2D, shared: in [kSecondScratch] the scratch_offset of the second worker. ADD:
  // multipliers of input 0, input 1, output, then their shifts. REQUANTIZE, MEAN: multiplier, shift.
  // AVERAGE_POOL: rows of windows summed side by side. SOFTMAX: multiplier, left shift, smallest difference
  // to the maximum that counts. MUL_CONSTANT: multiplier, shift.  ADD_CONSTANT: multipliers of input and
  // output, then their shifts.
  int32_t params[6];
};
static_assert(sizeof(LayerRecord) == 68, "convert/encode/blob.py writes 68 bytes");

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_FORMAT_H_
