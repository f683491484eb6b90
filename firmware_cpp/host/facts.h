// What Python repeats of the C++ headers, as lists of names: print_facts.cc prints them as JSON for this
// machine, device_facts.cc gives their sizes to an object file for a board. tests/cpp_facts.py reads both.
//
// The lists are complete: of enums the compiler says so (print_facts.cc), of constants and of fields the
// tests.
#ifndef SQUEEZE_HOST_FACTS_H_
#define SQUEEZE_HOST_FACTS_H_

#include "engine/bit_stream.h"
#include "engine/dsp/fast_fir.h"
#include "engine/dsp/gemm_small.h"
#include "engine/dsp/lanes.h"
#include "engine/dsp/sparse_list.h"
#include "engine/dsp/winograd.h"
#include "engine/fixed_point.h"
#include "engine/format.h"
#include "engine/huffman.h"
#include "engine/huffman_tables.h"
#include "engine/mve/slices.h"
#include "engine/softmax_fixed_point.h"
#include "engine/squeeze.h"
#include "engine/status.h"
#include "engine/v6m/winograd_words.h"
#include "protocol/cobs.h"
#include "protocol/wire.h"

namespace squeeze {

// A list takes a macro X and applies it to each name.
// clang-format has no stable layout for these lists: a second run changes the first one's.
// clang-format off
#define FACTS_LAYER_KIND(X)  \
  X(LayerKind::kConv2D)      \
  X(LayerKind::kMaxPool)     \
  X(LayerKind::kAveragePool) \
  X(LayerKind::kMean) X(LayerKind::kAdd) X(LayerKind::kPad) X(LayerKind::kRequantize) X(LayerKind::kSoftmax)  \
  X(LayerKind::kLookup) X(LayerKind::kMulConstant) X(LayerKind::kAddConstant) X(LayerKind::kDepthwise)  \
  X(LayerKind::kDense)
#define FACTS_WEIGHT_ENCODING(X) \
  X(WeightEncoding::kNone)       \
  X(WeightEncoding::kDense)      \
  X(WeightEncoding::kSparse) X(WeightEncoding::kWinograd) X(WeightEncoding::kSlices) X(WeightEncoding::kHuffman) \
  X(WeightEncoding::kFastFir)
#define FACTS_CONV_KERNEL(X) \
  X(ConvKernel::kReference)      \
  X(ConvKernel::kGemm)       \
  X(ConvKernel::kWinograd) X(ConvKernel::kLanes) X(ConvKernel::kSparseList) X(ConvKernel::kSlices) \
  X(ConvKernel::kPixelPairs) X(ConvKernel::kFastFir) X(ConvKernel::kWinogradWords)
#define FACTS_HUFFMAN_MODE(X) X(HuffmanMode::kAll) X(HuffmanMode::kGaps) X(HuffmanMode::kMasks)
#define FACTS_STATUS(X)                                                                             \
  X(Status::kOk)                                                                                    \
  X(Status::kMisaligned)                                                                            \
  X(Status::kTruncated)                                                                             \
  X(Status::kBadMagic)                                                                              \
  X(Status::kBadVersion)                                                                            \
  X(Status::kBadChecksum) X(Status::kBadOffset) X(Status::kBadLayer) X(Status::kBadOrder)           \
      X(Status::kArenaTooSmall) X(Status::kNotReady) X(Status::kTooManyRows) X(Status::kIncomplete) \
          X(Status::kNoKernel) X(Status::kNull)
#define FACTS_C_STATUS(X)                                                                            \
  X(SQUEEZE_OK)                                                                                      \
  X(SQUEEZE_MISALIGNED)                                                                              \
  X(SQUEEZE_TRUNCATED)                                                                               \
  X(SQUEEZE_BAD_MAGIC)                                                                               \
  X(SQUEEZE_BAD_VERSION)                                                                             \
  X(SQUEEZE_BAD_CHECKSUM) X(SQUEEZE_BAD_OFFSET) X(SQUEEZE_BAD_LAYER) X(SQUEEZE_BAD_ORDER)            \
      X(SQUEEZE_ARENA_TOO_SMALL) X(SQUEEZE_NOT_READY) X(SQUEEZE_TOO_MANY_ROWS) X(SQUEEZE_INCOMPLETE) \
          X(SQUEEZE_NO_KERNEL) X(SQUEEZE_NULL)
#define FACTS_REQUEST(X)   \
  X(link::Request::kHello) \
  X(link::Request::kBegin) X(link::Request::kRows) X(link::Request::kResult) \
  X(link::Request::kRead) X(link::Request::kWatch) X(link::Request::kSeen) \
  X(link::Request::kCounts) X(link::Request::kSpeed) X(link::Request::kLastFault)
#define FACTS_REPLY(X)  \
  X(link::Reply::kInfo) \
  X(link::Reply::kStatus) X(link::Reply::kResult) X(link::Reply::kData) \
  X(link::Reply::kWatching) X(link::Reply::kSeen) \
  X(link::Reply::kCounts) X(link::Reply::kSpeed) X(link::Reply::kLastFault) X(link::Reply::kError)
#define FACTS_STATE(X) \
  X(link::State::kIdle) X(link::State::kReceiving) X(link::State::kDone) X(link::State::kFailed)
#define FACTS_ERROR_CODE(X)        \
  X(link::ErrorCode::kVersion)     \
  X(link::ErrorCode::kUnknownType) \
  X(link::ErrorCode::kMalformed)   \
  X(link::ErrorCode::kNoSession)   \
  X(link::ErrorCode::kWrongImage) X(link::ErrorCode::kOutOfRange) X(link::ErrorCode::kUnknownData)
#define FACTS_FEATURE(X) \
  X(link::Feature::kLayers) \
  X(link::Feature::kProfile) \
  X(link::Feature::kUpload) \
  X(link::Feature::kSpeed) X(link::Feature::kSignedModelsOnly)
#define FACTS_RESET_CAUSE(X)         \
  X(link::ResetCause::kUnknown)      \
  X(link::ResetCause::kPowerOn)      \
  X(link::ResetCause::kPin)          \
  X(link::ResetCause::kSoftware)     \
  X(link::ResetCause::kWatchdog) X(link::ResetCause::kFault)
#define FACTS_DATA(X) X(link::Data::kLogits) X(link::Data::kProbabilities)
#define FACTS_COUNTER_KIND(X) \
  X(link::CounterKind::kInstructions) X(link::CounterKind::kCycles) X(link::CounterKind::kMicroseconds)

#define FACTS_CONSTANTS(X)                                                                                   \
  X(kMagic)                                                                                                  \
  X(kFormatVersion)                                                                                          \
  X(kBlobAlignment)                                                                                          \
  X(kArenaAlignment)                                                                                         \
  X(kCrcStart)                                                                                               \
  X(kMaxLayers) X(kMaxBuffers) X(kMaxKernel) X(kMaxConvStride) X(kMaxPadding) X(kMaxBatch) X(kWorkers) X(kSecondScratch) X(kMaxSoftmax) X(kMaxMeanPixels) \
      X(kMaxTaps) X(kPeekOverrun) X(kHuffmanHeaderBytes) X(kHuffmanTaps) X(kHuffmanClasses) X(kHuffmanTopBits)       \
          X(kHuffmanShortBits) X(kHuffmanMaskBits) X(kHuffmanGaps) X(kHuffmanMasks) X(kGemmSmallMaxTaps)             \
              X(kWinogradMaxChannels) X(kFastFirLeastChannels) X(kWordsMaxChannels) X(kSliceBytes) X(kSliceQuad) X(kAddLeftShift) X(kIntegerBits)          \
                  X(SQUEEZE_ENGINE_WORDS)
#define FACTS_LINK_CONSTANTS(X)                                                                \
  X(kProtocolVersion)                                                                          \
  X(kMaxFrame)                                                                                 \
  X(kHeaderSize)                                                                               \
  X(kCrcSize)                                                                                  \
  X(kMaxBody)                                                                                  \
  X(kMaxPayload) X(kRowsHeader) X(kMaxRowData) X(kDataHeader) X(kMaxReadData) X(kMaxBoardName) \
      X(kProbeReserve) X(kBuildIdBytes) X(kDefaultBaud) X(kDoubtSeconds)

#define FACTS_STRUCTS(X) \
  X(Header) X(BufferRecord) X(LayerRecord) X(HuffmanTables) X(squeeze_engine) X(squeeze_shape)

// X(struct, field): all fields of the structs that Python packs or unpacks, in their order.
#define FACTS_FIELDS(X)                                                                                     \
  X(Header, magic)                                                                                          \
  X(Header, version)                                                                                        \
  X(Header, header_bytes)                                                                                   \
  X(Header, total_bytes)                                                                                    \
  X(Header, crc32)                                                                                          \
  X(Header, source_sha256) X(Header, arena_bytes) X(Header, state_offset) X(Header, buffer_count)           \
      X(Header, layer_count) X(Header, buffers_offset) X(Header, layers_offset) X(Header, input_buffer) X(  \
          Header, logits_buffer) X(Header, output_buffer) X(Header, input_resume) X(Header, input_scale)    \
          X(Header, logits_scale) X(Header, output_scale) X(Header, labels_offset) X(Header, labels_bytes)  \
              X(Header, codes_offset) X(Header, codes_bytes) X(Header, reserved) X(BufferRecord, height)    \
                  X(BufferRecord, width) X(BufferRecord, channels) X(BufferRecord, ring_rows) X(            \
                      BufferRecord, offset) X(BufferRecord, zero_point) X(BufferRecord, reserved)           \
                      X(LayerRecord, kind) X(LayerRecord, encoding) X(LayerRecord, kernel_h) X(             \
                          LayerRecord, kernel_w) X(LayerRecord, stride_h) X(LayerRecord, stride_w)          \
                          X(LayerRecord, pad_top) X(LayerRecord, pad_left) X(LayerRecord, inputs) X(        \
                              LayerRecord, output) X(LayerRecord, out_channel) X(LayerRecord, out_channels) \
                              X(LayerRecord, resume) X(LayerRecord, act_min) X(LayerRecord, act_max)        \
                                  X(LayerRecord, kernel) X(LayerRecord, batch_rows)                         \
                                      X(LayerRecord, defer_rows) X(LayerRecord, shared)                      \
                                          X(LayerRecord, weights_offset) X(LayerRecord, weights_bytes)      \
                                              X(LayerRecord, scratch_offset) X(LayerRecord, scratch_bytes)  \
                                                  X(LayerRecord, params) X(squeeze_engine, storage)         \
                                                      X(squeeze_shape, height) X(squeeze_shape, width)      \
                                                          X(squeeze_shape, channels)                        \
                                                              X(squeeze_shape, classes)
// clang-format on

}  // namespace squeeze

#endif  // SQUEEZE_HOST_FACTS_H_
