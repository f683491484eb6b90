// libFuzzer's target for the engine's models: whatever a blob holds, there is a status, never a fault, never
// a byte outside, never an endless loop. What Parse takes runs, as far as arena and work are small.
//
// The CRC-32 of an input is made good, so that the checks behind it see the damage; but for one of 0.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "engine/crc32.h"
#include "engine/engine.h"
#include "engine/format.h"
#include "engine/model.h"

namespace {

using squeeze::Header;
using squeeze::Status;

constexpr size_t kMostArena = size_t{64} << 10;
constexpr uint64_t kMostWork = 100000;  // multiplications and the like: less than a millisecond
constexpr int kMostRows = 12;
constexpr int kRowsAfterReset = 2;

void MakeCrcGood(uint8_t* blob, size_t size) {
  Header header;
  if (size < sizeof(header)) return;
  std::memcpy(&header, blob, sizeof(header));
  if (header.crc32 == 0 || header.total_bytes < squeeze::kCrcStart || header.total_bytes > size) return;
  const uint32_t crc = squeeze::Crc32(0, blob + squeeze::kCrcStart, header.total_bytes - squeeze::kCrcStart);
  std::memcpy(blob + offsetof(Header, crc32), &crc, sizeof(crc));
}

// Not less than the multiplications, additions and comparisons of an image.
uint64_t Work(const squeeze::Model& model) {
  uint64_t work = 0;
  for (int i = 0; i < model.layer_count(); ++i) {
    const squeeze::LayerRecord& layer = model.layer(i);
    const squeeze::BufferRecord& in = model.buffer(layer.inputs[0]);
    const squeeze::BufferRecord& out = model.buffer(layer.output);
    const uint64_t in_values = uint64_t{in.height} * in.width * in.channels;
    const uint64_t out_pixels = uint64_t{out.height} * out.width;
    const uint64_t window = uint64_t{layer.kernel_h} * layer.kernel_w * in.channels;
    if (layer.kind == squeeze::LayerKind::kDense) {
      work += in_values * layer.out_channels;
    } else if (layer.kind == squeeze::LayerKind::kConv2D) {
      work += out_pixels * layer.out_channels * window;
    } else {
      work += in_values + out_pixels * window;
    }
  }
  return work;
}

void PushRows(squeeze::Engine* engine, int rows, uint32_t* noise) {
  const size_t row_bytes = squeeze::RowBytes(engine->model().Input());
  std::unique_ptr<int8_t[]> row(new int8_t[row_bytes]);
  for (int i = 0; i < rows; ++i) {
    for (size_t k = 0; k < row_bytes; ++k) {
      *noise = *noise * 1664525u + 1013904223u;
      row[k] = static_cast<int8_t>(*noise >> 24);
    }
    if (engine->PushRow(row.get()) != Status::kOk) return;
  }
}

void Run(const squeeze::Model& model) {
  const size_t arena_bytes = model.ArenaBytes();
  std::unique_ptr<uint8_t[]> arena(new uint8_t[arena_bytes]);
  uint32_t noise = squeeze::Crc32(0, model.SourceSha256(), sizeof(Header::source_sha256));
  std::memset(arena.get(), static_cast<int>(noise & 0xFF), arena_bytes);
  squeeze::Engine engine;
  if (engine.Init(model, arena.get(), arena_bytes) != Status::kOk) return;
  if ((noise & 1) != 0) {
    // A second worker that makes its half at once: the engine's way with two, in the same order every time.
    engine.SetWorker({[](void* /*context*/, void (*run)(void* half), void* half) { run(half); },
                      [](void* /*context*/) {}, nullptr});
  }
  PushRows(&engine, kMostRows, &noise);
  engine.Reset();
  PushRows(&engine, kRowsAfterReset, &noise);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::unique_ptr<uint8_t[]> blob(new uint8_t[size]);  // of its exact size, and aligned
  if (size > 0) std::memcpy(blob.get(), data, size);
  MakeCrcGood(blob.get(), size);
  squeeze::Model model;
  if (model.Parse(blob.get(), size) != Status::kOk) return 0;
  if (model.ArenaBytes() > kMostArena || Work(model) > kMostWork) return 0;
  Run(model);
  return 0;
}
