// Runs models that are made for two workers, with a thread as the second one, and compares every row of every
// buffer with the same network's model for one worker: what the tests run under ASan, UBSan and, once, TSan.
//
//   share_model CASES    a file: for each case int32 bytes of ONE, of TWO and of IMAGE, then these three
//                        ONE: the model for one worker; TWO: the same network's for two, with the same
//                        buffers
// Blob and arena are heap blocks of their exact sizes. Prints for each case
//   case N rows R halves H same         R rows compared; H times the thread has computed a half
// or what differs, and exits with 1; 2: a case cannot be read, or a model is refused.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.h"

namespace {

using Bytes = std::vector<uint8_t>;

// A thread that waits for halves: what a second core is on a board.
class Thread {
 public:
  Thread() : thread_([this] { Serve(); }) {}
  ~Thread() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  squeeze::Worker worker() { return {&Start, &Wait, this}; }
  unsigned long halves() const { return halves_; }

 private:
  using Run = void (*)(void* half);

  static void Start(void* context, Run run, void* half) {
    Thread& self = *static_cast<Thread*>(context);
    {
      const std::lock_guard<std::mutex> lock(self.mutex_);
      if (self.run_ != nullptr) std::abort();  // started twice without a wait
      self.run_ = run;
      self.half_ = half;
      ++self.halves_;
    }
    self.changed_.notify_all();
  }

  static void Wait(void* context) {
    Thread& self = *static_cast<Thread*>(context);
    std::unique_lock<std::mutex> lock(self.mutex_);
    self.changed_.wait(lock, [&self] { return self.run_ == nullptr; });
  }

  void Serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ends_ || run_ != nullptr; });
      if (ends_) return;
      const Run run = run_;
      void* const half = half_;
      lock.unlock();
      run(half);
      lock.lock();
      run_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Run run_ = nullptr;
  void* half_ = nullptr;
  unsigned long halves_ = 0;
  bool ends_ = false;
  std::thread thread_;
};

// The rows of an image in the order in which they were made, by buffer.
struct Maps {
  const squeeze::Model* model;
  std::vector<Bytes> of;
};

void Keep(void* context, int buffer, int /*row*/, const int8_t* data) {
  Maps& maps = *static_cast<Maps*>(context);
  const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(data);
  Bytes& map = maps.of[static_cast<size_t>(buffer)];
  map.insert(map.end(), bytes, bytes + squeeze::RowBytes(maps.model->buffer(buffer)));
}

// An image's maps; without a map where a step has failed. `worker`: may be none.
Maps RunImage(const squeeze::Model& model, const Bytes& image, const squeeze::Worker& worker) {
  Maps maps = {&model, std::vector<Bytes>(static_cast<size_t>(model.buffer_count()))};
  const size_t arena_bytes = model.ArenaBytes();
  const size_t row_bytes = squeeze::RowBytes(model.Input());
  std::unique_ptr<uint8_t[]> arena(new uint8_t[arena_bytes]);
  std::memset(arena.get(), 0xA5, arena_bytes);
  squeeze::Engine engine;
  squeeze::Status status = engine.Init(model, arena.get(), arena_bytes);
  engine.SetObserver(&Keep, &maps);
  engine.SetWorker(worker);
  for (size_t at = 0; at < image.size() && status == squeeze::Status::kOk; at += row_bytes) {
    status = engine.PushRow(reinterpret_cast<const int8_t*>(image.data() + at));
  }
  if (status != squeeze::Status::kOk || !engine.Done()) maps.of.clear();
  return maps;
}

// One case; false where the models' rows differ.
bool Same(const squeeze::Model& one, const squeeze::Model& two, const Bytes& image, Thread* thread) {
  const Maps wanted = RunImage(one, image, {});
  const Maps alone = RunImage(two, image, {});
  const unsigned long before = thread->halves();
  const Maps shared = RunImage(two, image, thread->worker());
  size_t rows = 0;
  for (size_t i = 0; i < wanted.of.size(); ++i) rows += one.buffer(static_cast<int>(i)).height;
  const bool same = !wanted.of.empty() && wanted.of == alone.of && wanted.of == shared.of;
  const char* const said = same                    ? "same"
                           : wanted.of == alone.of ? "differ with a thread"
                                                   : "differ without a thread";
  std::printf("rows %zu halves %lu %s\n", rows, thread->halves() - before, said);
  return same;
}

bool Read(std::FILE* file, size_t size, Bytes* content) {
  content->resize(size);
  return std::fread(content->data(), 1, size, file) == size;
}

// A blob in a heap block of its size; false: the engine refuses it.
bool Parse(const Bytes& content, std::unique_ptr<uint8_t[]>* blob, squeeze::Model* model) {
  blob->reset(new uint8_t[content.size()]);
  std::memcpy(blob->get(), content.data(), content.size());
  const squeeze::Status status = model->Parse(blob->get(), content.size());
  if (status != squeeze::Status::kOk) std::printf("refused: status %d\n", static_cast<int>(status));
  return status == squeeze::Status::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  std::FILE* const file = argc == 2 ? std::fopen(argv[1], "rb") : nullptr;
  if (file == nullptr) return 2;
  Thread thread;
  int32_t sizes[3];
  int result = 0;
  for (int number = 0; std::fread(sizes, sizeof(sizes), 1, file) == 1; ++number) {
    Bytes contents[3];
    for (int k = 0; k < 3; ++k) {
      if (sizes[k] < 0 || !Read(file, static_cast<size_t>(sizes[k]), &contents[k])) return 2;
    }
    std::unique_ptr<uint8_t[]> blobs[2];
    squeeze::Model models[2];
    std::printf("case %d ", number);
    if (!Parse(contents[0], &blobs[0], &models[0]) || !Parse(contents[1], &blobs[1], &models[1])) return 2;
    if (!Same(models[0], models[1], contents[2], &thread)) result = 1;
  }
  if (std::fclose(file) != 0) return 2;
  return result;
}
