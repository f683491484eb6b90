#include "engine/model.h"

#include "engine/bit_stream.h"
#include "engine/conv_kernels.h"
#include "engine/crc32.h"
#include "engine/fixed_point.h"

namespace squeeze {
namespace {

#if defined(__BYTE_ORDER__)
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the blob is read in place");
#endif

// [offset, offset + size) lies within `total` and starts on a multiple of `alignment`.
bool Inside(uint64_t offset, uint64_t size, uint64_t total, uint32_t alignment) {
  return offset % alignment == 0 && offset <= total && size <= total - offset;
}

// A set of buffer numbers.
class BufferSet {
 public:
  void Add(uint16_t i) { bits_[i / 32] |= uint32_t{1} << (i % 32); }
  bool Has(uint16_t i) const { return ((bits_[i / 32] >> (i % 32)) & 1u) != 0; }

 private:
  uint32_t bits_[kMaxBuffers / 32] = {};
};

// Bytes [begin, end) of the arena.
struct Span {
  uint32_t begin;
  uint32_t end;
};

bool Apart(const Span& a, const Span& b) { return a.end <= b.begin || b.end <= a.begin; }

// Of a buffer that lies within the arena.
Span Ring(const BufferRecord& b) { return {b.offset, b.offset + RowBytes(b) * b.ring_rows}; }

// The input's ring has room for all rows that a convolution reads at once.
bool RingHolds(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out) {
  for (int row = 0; row < out.height; row += layer.batch_rows) {
    const int end = row + layer.batch_rows < out.height ? row + layer.batch_rows : out.height;
    const int top = row * layer.stride_h - layer.pad_top;
    const int bottom = (end - 1) * layer.stride_h - layer.pad_top + layer.kernel_h - 1;
    const int first = top > 0 ? top : 0;
    const int last = bottom < in.height ? bottom : in.height - 1;
    if (last - first >= in.ring_rows) return false;
  }
  return true;
}

// Every window of a pool holds at least one row and one column of its input.
bool WindowsTouch(int in, int out, int kernel, int stride, int pad) {
  return kernel >= 1 && stride >= 1 && pad < kernel && (out - 1) * stride - pad < in;
}

// The last window, or row of a padded map, begins at most kMaxPadding behind the input's last row or column:
// so what a model's few bytes ask of the CPU is bounded by the maps, which the arena bounds.
bool Bounded(int in, int out, int stride, int pad) { return (out - 1) * stride - pad < in + kMaxPadding; }

// Output rows that a layer may make at once: one worker, or two together.
int MostRows(const LayerRecord& layer) {
  if (Accumulates(layer.kind)) return 1;
  const int workers = layer.shared != 0 ? kWorkers : 1;
  return layer.kind == LayerKind::kConv2D ? workers * kMaxBatch : workers;
}

// Output rows that one worker makes at once.
uint32_t RowsOfOne(const LayerRecord& layer) {
  return layer.shared != 0 ? (layer.batch_rows + 1u) / kWorkers : layer.batch_rows;
}

class Checker {
 public:
  explicit Checker(const Model& model) : model_(model), header_(model.header()) {}

  Status Buffers() const {
    for (int i = 0; i < model_.buffer_count(); ++i) {
      const BufferRecord& b = model_.buffer(i);
      if (b.height == 0 || b.width == 0 || b.channels == 0) return Status::kBadLayer;
      if (b.ring_rows == 0 || b.ring_rows > b.height) return Status::kBadLayer;
      const uint64_t bytes = uint64_t{RowBytes(b)} * b.ring_rows;
      if (!Inside(b.offset, bytes, header_.state_offset, kBlobAlignment)) return Status::kBadOffset;
    }
    return Status::kOk;
  }

  Status Layers() const {
    BufferSet written;
    written.Add(header_.input_buffer);
    for (int i = 0; i < model_.layer_count(); ++i) {
      const LayerRecord& layer = model_.layer(i);
      const int inputs = layer.kind == LayerKind::kAdd ? 2 : 1;
      if (layer.output >= header_.buffer_count) return Status::kBadOffset;
      for (int k = 0; k < inputs; ++k) {
        if (layer.inputs[k] >= header_.buffer_count) return Status::kBadOffset;
        // Its rows are made by an earlier stage, never by this one.
        if (!written.Has(layer.inputs[k]) || layer.inputs[k] == layer.output) return Status::kBadOrder;
      }
      const bool stage_goes_on = i > 0 && model_.layer(i - 1).output == layer.output;
      if (stage_goes_on ? Accumulates(layer.kind) || Accumulates(model_.layer(i - 1).kind)
                        : written.Has(layer.output)) {
        return Status::kBadOrder;
      }
      written.Add(layer.output);
      if (layer.resume >= header_.layer_count) return Status::kBadOrder;
      const BufferRecord& out = model_.buffer(layer.output);
      const int most = MostRows(layer);
      if (layer.batch_rows == 0 || layer.batch_rows > most ||
          (stage_goes_on && layer.batch_rows != model_.layer(i - 1).batch_rows) ||
          out.ring_rows < (layer.batch_rows < out.height ? layer.batch_rows : out.height)) {
        return Status::kBadLayer;
      }
      if (layer.out_channels == 0 || layer.out_channel + layer.out_channels > out.channels ||
          layer.act_min > layer.act_max) {
        return Status::kBadLayer;
      }
      if (layer.kind >= LayerKind::kConv2D && layer.kind <= LayerKind::kDense &&
          !LayerKernelBuilt(layer.kind)) {
        return Status::kNoKernel;
      }
      for (int k = 0; k < inputs; ++k) {
        if (!Apart(Ring(model_.buffer(layer.inputs[k])), Ring(out))) return Status::kBadOffset;
      }
      // The rows that a deferred stage waits for stand in the ring. The stage's first layer decides for all.
      if (layer.defer_rows >
              (layer.kind == LayerKind::kConv2D ? model_.buffer(layer.inputs[0]).ring_rows : 0) ||
          (stage_goes_on && layer.defer_rows != model_.layer(i - 1).defer_rows)) {
        return Status::kBadLayer;
      }
      const Status status = Layer(layer, model_.buffer(layer.inputs[0]), out);
      if (status != Status::kOk) return status;
      if (layer.shared > 1 || (layer.shared != 0 && !Shareable(layer.kind)) ||
          (stage_goes_on && layer.shared != model_.layer(i - 1).shared)) {
        return Status::kBadLayer;
      }
      if (!SharedScratchOk(i)) return Status::kBadOffset;
    }
    return written.Has(header_.logits_buffer) && written.Has(header_.output_buffer) ? Status::kOk
                                                                                    : Status::kBadOrder;
  }

 private:
  Status Layer(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out) const {
    switch (layer.kind) {
      case LayerKind::kConv2D:
        return Conv(layer, in, out);
      case LayerKind::kMaxPool:
      case LayerKind::kAveragePool:
        return Pool(layer, in, out);
      case LayerKind::kMean:
        if (out.height != 1 || out.width != 1 || in.channels != layer.out_channels ||
            uint32_t{in.height} * in.width > kMaxMeanPixels || !ShiftOk(layer.params[1]) ||
            layer.params[0] < 0 || layer.stride_h != 1 || layer.pad_top != 0) {
          return Status::kBadLayer;
        }
        return Accumulators(layer, layer.out_channels);
      case LayerKind::kAdd:
        return Add(layer, in, out);
      case LayerKind::kPad:
        return in.channels == layer.out_channels && layer.pad_top + in.height <= out.height &&
                       layer.pad_left + in.width <= out.width &&
                       Bounded(in.height, out.height, 1, layer.pad_top) &&
                       Bounded(in.width, out.width, 1, layer.pad_left)
                   ? Status::kOk
                   : Status::kBadLayer;
      case LayerKind::kRequantize:
        return SameMap(in, out) && in.channels == layer.out_channels && ShiftOk(layer.params[1]) &&
                       layer.params[0] >= 0
                   ? Status::kOk
                   : Status::kBadLayer;
      case LayerKind::kSoftmax:
        return out.height == 1 && out.width == 1 && SameMap(in, out) && in.channels == out.channels &&
                       layer.out_channels == out.channels && in.channels <= kMaxSoftmax &&
                       layer.params[0] >= 0 && layer.params[1] >= 0 && layer.params[1] <= 31 &&
                       layer.params[2] <= 0
                   ? Status::kOk
                   : Status::kBadLayer;
      case LayerKind::kLookup:
        return ByConstant(layer, in, out, 256);
      case LayerKind::kMulConstant:
        if (layer.params[0] < 0 || !ShiftOk(layer.params[1])) return Status::kBadLayer;
        return ByConstant(layer, in, out, uint64_t{layer.out_channels} * sizeof(int16_t));
      case LayerKind::kAddConstant:
        for (int k = 0; k < 2; ++k) {
          if (layer.params[k] < 0 || layer.params[2 + k] > 0 || layer.params[2 + k] < -31) {
            return Status::kBadLayer;
          }
        }
        return ByConstant(layer, in, out, uint64_t{layer.out_channels} * sizeof(int32_t));
      case LayerKind::kDepthwise:
        return Depthwise(layer, in, out);
      case LayerKind::kDense:
        return Dense(layer, in, out);
    }
    return Status::kBadLayer;
  }

  // The second worker's scratch of shared layer `i` is where it may be, and apart from the first one's of all
  // layers of the stage so far, and the other way round: two workers are in any two layers at a time.
  bool SharedScratchOk(int i) const {
    const LayerRecord& layer = model_.layer(i);
    if (layer.shared == 0 || layer.kind != LayerKind::kConv2D) return true;
    if (!ScratchOk(layer, SecondScratch(layer), layer.scratch_bytes, kArenaAlignment)) return false;
    for (int k = i; k >= 0 && model_.layer(k).output == layer.output; --k) {
      const LayerRecord& other = model_.layer(k);
      if (other.kind != LayerKind::kConv2D) continue;
      if (!Apart(Scratch(layer, layer.scratch_offset), Scratch(other, SecondScratch(other))) ||
          !Apart(Scratch(other, other.scratch_offset), Scratch(layer, SecondScratch(layer)))) {
        return false;
      }
    }
    return true;
  }

  static Span Scratch(const LayerRecord& layer, uint32_t offset) {
    return {offset, offset + layer.scratch_bytes};
  }

  // A layer that makes each value from the one at the same place, by a constant of `bytes` in the model.
  Status ByConstant(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out,
                    uint64_t bytes) const {
    if (!SameMap(in, out) || in.channels != layer.out_channels) return Status::kBadLayer;
    return Inside(layer.weights_offset, bytes, header_.total_bytes, kBlobAlignment) ? Status::kOk
                                                                                    : Status::kBadOffset;
  }

  static bool SameMap(const BufferRecord& a, const BufferRecord& b) {
    return a.height == b.height && a.width == b.width;
  }

  Status Accumulators(const LayerRecord& layer, uint64_t count) const {
    return ScratchOk(layer, layer.scratch_offset, count * sizeof(int32_t), sizeof(int32_t))
               ? Status::kOk
               : Status::kBadOffset;
  }

  // Scratch within the arena, and apart from the rings of its layer: rows that it makes must not become
  // tables or offsets that it follows.
  bool ScratchOk(const LayerRecord& layer, uint32_t offset, uint64_t bytes, uint32_t alignment) const {
    if (!Inside(offset, bytes, header_.state_offset, alignment)) return false;
    const Span scratch = {offset, offset + static_cast<uint32_t>(bytes)};
    return Apart(scratch, Ring(model_.buffer(layer.inputs[0]))) &&
           Apart(scratch, Ring(model_.buffer(layer.output)));
  }

  // Kernel, stride and padding of a convolution; the input's ring holds all rows of a step.
  static bool WindowOk(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out) {
    return layer.kernel_h >= 1 && layer.kernel_h <= kMaxKernel && layer.kernel_w >= 1 &&
           layer.kernel_w <= kMaxKernel && layer.stride_h >= 1 && layer.stride_h <= kMaxConvStride &&
           layer.stride_w >= 1 && layer.stride_w <= kMaxConvStride &&
           Bounded(in.height, out.height, layer.stride_h, layer.pad_top) &&
           Bounded(in.width, out.width, layer.stride_w, layer.pad_left) && RingHolds(layer, in, out);
  }

  // The biases, multipliers and shifts of the layer's channels, which stand in the model as they are.
  Status ChannelParams(const LayerRecord& layer) const {
    const uint64_t total = header_.total_bytes;
    const uint64_t n = layer.out_channels;
    const auto param = [&layer](int i) { return static_cast<uint32_t>(layer.params[i]); };
    if (!Inside(param(0), n * 4, total, 4) || !Inside(param(1), n * 4, total, 4) ||
        !Inside(param(2), n, total, 1)) {
      return Status::kBadOffset;
    }
    const int32_t* multipliers = model_.At<int32_t>(param(1));
    const int8_t* shifts = model_.At<int8_t>(param(2));
    for (uint64_t o = 0; o < n; ++o) {
      if (!ShiftOk(shifts[o]) || multipliers[o] < 0) return Status::kBadLayer;
    }
    return Status::kOk;
  }

  Status Depthwise(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out) const {
    if (!WindowOk(layer, in, out) || in.channels != layer.out_channels) return Status::kBadLayer;
    const uint64_t bytes = uint64_t{layer.kernel_h} * layer.kernel_w * in.channels;
    if (!Inside(layer.weights_offset, bytes, header_.total_bytes, kBlobAlignment)) return Status::kBadOffset;
    return ChannelParams(layer);
  }

  Status Dense(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out) const {
    const uint64_t taps = uint64_t{in.height} * RowBytes(in);
    if (out.height != 1 || out.width != 1 || taps > kMaxTaps || layer.stride_h != 1 || layer.pad_top != 0) {
      return Status::kBadLayer;
    }
    if (!Inside(layer.weights_offset, taps * layer.out_channels, header_.total_bytes, kBlobAlignment)) {
      return Status::kBadOffset;
    }
    const Status status = ChannelParams(layer);
    return status != Status::kOk ? status : Accumulators(layer, layer.out_channels);
  }

  Status Conv(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out) const {
    if (!WindowOk(layer, in, out)) return Status::kBadLayer;
    ConvShape shape = {in.width,       in.channels,    out.width,      layer.out_channels, layer.kernel_h,
                       layer.kernel_w, layer.stride_h, layer.stride_w, layer.pad_left,     RowsOfOne(layer)};
    if (shape.Taps() > kMaxTaps) return Status::kBadLayer;
    if (!ConvKernelSupports(layer.kernel, layer.encoding, shape)) return Status::kNoKernel;
    const uint64_t total = header_.total_bytes;
    const bool huffman = layer.encoding == WeightEncoding::kHuffman;
    const uint32_t overrun = huffman ? kPeekOverrun : 0;
    const auto param = [&layer](int i) { return static_cast<uint32_t>(layer.params[i]); };
    if (!Inside(layer.weights_offset, uint64_t{layer.weights_bytes} + overrun, total, kBlobAlignment) ||
        !ScratchOk(layer, layer.scratch_offset, layer.scratch_bytes, kArenaAlignment) ||
        (huffman && !Inside(param(0), uint64_t{param(1)} + overrun, total, 1))) {
      return Status::kBadOffset;
    }
    if (layer.scratch_bytes < ConvScratchBytes(layer.kernel, layer.encoding, shape) ||
        !StoredWeightsOk(layer.encoding, shape, model_.At<uint8_t>(layer.weights_offset),
                         layer.weights_bytes)) {
      return Status::kBadLayer;
    }
    // Of the Huffman-coded the rest is checked where there is room to decode: Engine::Init.
    return huffman ? Status::kOk : ChannelParams(layer);
  }

  Status Pool(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out) const {
    if (in.channels != layer.out_channels ||
        !WindowsTouch(in.height, out.height, layer.kernel_h, layer.stride_h, layer.pad_top) ||
        !WindowsTouch(in.width, out.width, layer.kernel_w, layer.stride_w, layer.pad_left)) {
      return Status::kBadLayer;
    }
    if (layer.kind == LayerKind::kMaxPool) return Status::kOk;
    const int overlap = (layer.kernel_h + layer.stride_h - 1) / layer.stride_h;
    const int wanted = overlap < out.height ? overlap : out.height;
    if (layer.params[0] < wanted || layer.params[0] > 255) return Status::kBadLayer;
    return Accumulators(layer,
                        uint64_t{static_cast<uint32_t>(layer.params[0])} * out.width * layer.out_channels);
  }

  Status Add(const LayerRecord& layer, const BufferRecord& in, const BufferRecord& out) const {
    const BufferRecord& other = model_.buffer(layer.inputs[1]);
    if (!SameMap(in, out) || !SameMap(other, out) || in.channels != layer.out_channels ||
        other.channels != layer.out_channels) {
      return Status::kBadLayer;
    }
    for (int k = 0; k < 3; ++k) {
      if (layer.params[k] < 0 || layer.params[3 + k] > 0 || layer.params[3 + k] < -31) {
        return Status::kBadLayer;
      }
    }
    return Status::kOk;
  }

  const Model& model_;
  const Header& header_;
};

}  // namespace

Status Model::Parse(const uint8_t* blob, size_t size) {
  header_ = nullptr;
  if (blob == nullptr) return Status::kNull;
  if (reinterpret_cast<uintptr_t>(blob) % kBlobAlignment != 0) return Status::kMisaligned;
  if (size < sizeof(Header)) return Status::kTruncated;
  const Header* header = reinterpret_cast<const Header*>(blob);
  if (header->magic != kMagic) return Status::kBadMagic;
  if (header->version != kFormatVersion || header->header_bytes != sizeof(Header)) return Status::kBadVersion;
  const uint32_t total = header->total_bytes;
  if (total < sizeof(Header) || total > size) return Status::kTruncated;
  if (Crc32(0, blob + kCrcStart, total - kCrcStart) != header->crc32) return Status::kBadChecksum;

  const uint32_t buffers = header->buffer_count;
  const uint32_t layers = header->layer_count;
  if (buffers == 0 || buffers > kMaxBuffers || layers == 0 || layers > kMaxLayers) return Status::kBadLayer;
  if (!Inside(header->buffers_offset, buffers * sizeof(BufferRecord), total, kBlobAlignment) ||
      !Inside(header->layers_offset, layers * sizeof(LayerRecord), total, kBlobAlignment) ||
      !Inside(header->labels_offset, header->labels_bytes, total, 1) ||
      !Inside(header->codes_offset, header->codes_bytes, total, 1) ||
      !Inside(header->state_offset, (buffers + layers) * sizeof(uint16_t), header->arena_bytes, 4) ||
      header->input_buffer >= buffers || header->logits_buffer >= buffers ||
      header->output_buffer >= buffers || header->input_resume >= layers) {
    return Status::kBadOffset;
  }
  blob_ = blob;
  header_ = header;
  buffers_ = At<BufferRecord>(header->buffers_offset);
  layers_ = At<LayerRecord>(header->layers_offset);

  const Checker checker(*this);
  Status status = checker.Buffers();
  if (status == Status::kOk) status = checker.Layers();
  const BufferRecord& logits = buffers_[header->logits_buffer];
  const BufferRecord& output = buffers_[header->output_buffer];
  if (status == Status::kOk && (logits.height != 1 || logits.width != 1 || output.height != 1 ||
                                output.width != 1 || logits.channels != output.channels)) {
    status = Status::kBadLayer;
  }
  if (status != Status::kOk) header_ = nullptr;
  return status;
}

}  // namespace squeeze
