// Runs images through a model and writes every finished row of every buffer:
// what the tests compare with LiteRT, under AddressSanitizer and UBSan.
//
//   run_model MODEL IMAGES ROWS    status of Parse; for each image, rows as
//                                  int32 buffer, int32 row, then the row's bytes
// The arena and the blob are exact-size heap blocks, so that a step outside is
// caught. Prints "status S arena A state O unwritten B-E ...": the engine's
// counters begin at byte O of the arena, and no byte of [B, E) was ever
// written, for each such pair.
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/engine.h"

namespace {

struct File {
  std::unique_ptr<uint8_t[]> data;
  size_t size = 0;
};

bool Read(const char* path, File* file) {
  std::FILE* f = std::fopen(path, "rb");
  if (f == nullptr) return false;
  const long end = std::fseek(f, 0, SEEK_END) == 0 ? std::ftell(f) : -1;
  bool ok = end >= 0 && std::fseek(f, 0, SEEK_SET) == 0;
  if (ok) {
    file->size = static_cast<size_t>(end);
    file->data.reset(new uint8_t[file->size]);
    ok = std::fread(file->data.get(), 1, file->size, f) == file->size;
  }
  return std::fclose(f) == 0 && ok;
}

struct Sink {
  std::FILE* file;
  const squeeze::Model* model;
  bool failed;  // a row could not be written
};

void WriteRow(void* context, int buffer, int row, const int8_t* data) {
  Sink& sink = *static_cast<Sink*>(context);
  const int32_t head[2] = {buffer, row};
  const size_t bytes = squeeze::RowBytes(sink.model->buffer(buffer));
  if (std::fwrite(head, sizeof(head), 1, sink.file) != 1) sink.failed = true;
  if (std::fwrite(data, 1, bytes, sink.file) != bytes) sink.failed = true;
}

constexpr uint8_t kPaint = 0xA5;

// Prints the ranges in which both arenas still have their own paint.
void PrintUnwritten(const uint8_t* a, const uint8_t* b, size_t size) {
  const auto kept = [a, b](size_t i) { return a[i] == kPaint && b[i] == static_cast<uint8_t>(~kPaint); };
  for (size_t i = 0; i < size; ++i) {
    if (!kept(i)) continue;
    const size_t begin = i;
    while (i < size && kept(i)) ++i;
    std::printf(" %zu-%zu", begin, i);
  }
}

}  // namespace

int main(int argc, char** argv) {
  File blob, images;
  if (argc != 4 || !Read(argv[1], &blob) || !Read(argv[2], &images)) return 2;
  squeeze::Model model;
  const squeeze::Status status = model.Parse(blob.data.get(), blob.size);
  if (status != squeeze::Status::kOk) {
    std::printf("status %d arena 0 state 0 unwritten\n", static_cast<int>(status));
    return 0;
  }
  const size_t arena_bytes = model.ArenaBytes();
  const size_t row_bytes = squeeze::RowBytes(model.Input());
  Sink sink = {std::fopen(argv[3], "wb"), &model, false};
  if (sink.file == nullptr) return 2;
  // Two runs of the first image, on arenas painted with complementary bytes.
  // Both leave the same value in a byte that they write, and it cannot be equal
  // to both paints: what keeps both was never written. One image is enough,
  // because where the engine writes depends on the model alone.
  std::unique_ptr<uint8_t[]> arenas[2], after_first[2];
  squeeze::Status last = squeeze::Status::kOk;
  for (int pass = 0; pass < 2; ++pass) {
    arenas[pass].reset(new uint8_t[arena_bytes]);
    std::memset(arenas[pass].get(), pass == 0 ? kPaint : static_cast<uint8_t>(~kPaint), arena_bytes);
    after_first[pass].reset(new uint8_t[arena_bytes]);
    squeeze::Engine engine;
    last = engine.Init(model, arenas[pass].get(), arena_bytes);
    if (pass == 0) engine.SetObserver(WriteRow, &sink);
    const size_t image_bytes = row_bytes * model.Input().height;
    const size_t end = pass == 0 || images.size < image_bytes ? images.size : image_bytes;
    for (size_t at = 0; at + image_bytes <= end; at += image_bytes) {
      engine.Reset();
      for (int row = 0; row < model.Input().height && last == squeeze::Status::kOk; ++row) {
        // A row in a heap block of its own size, for the sanitizer's sake.
        std::unique_ptr<int8_t[]> copy(new int8_t[row_bytes]);
        std::memcpy(copy.get(), images.data.get() + at + static_cast<size_t>(row) * row_bytes, row_bytes);
        last = engine.PushRow(copy.get());
      }
      if (at == 0) std::memcpy(after_first[pass].get(), arenas[pass].get(), arena_bytes);
    }
  }
  if (std::fclose(sink.file) != 0 || sink.failed) return 2;
  std::printf("status %d arena %zu state %u unwritten", static_cast<int>(last), arena_bytes,
              static_cast<unsigned>(model.header().state_offset));
  PrintUnwritten(after_first[0].get(), after_first[1].get(), arena_bytes);
  std::printf("\n");
  return 0;
}
