// A device on stdin and stdout, for the tests: DeviceLink behind a receive
// buffer that, like an interrupt routine's, drops what it has no room for.
// At the end of stdin, prints on stderr how full the buffer was and how many
// bytes it dropped.
//
//   fake_device name=value...   (the names of FakeApplication::Options)

#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fake_application.h"
#if SQUEEZE_INSPECT
#include "watched.h"
#endif

namespace {

// The ring that an interrupt routine would fill.
class Receiver {
 public:
  explicit Receiver(size_t capacity) : ring_(capacity) {}

  void Put(uint8_t byte) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (used_ == ring_.size()) {
      ++dropped_;
      return;
    }
    ring_[(head_ + used_++) % ring_.size()] = byte;
    if (used_ > peak_) peak_ = used_;
    ready_.notify_one();
  }

  void Close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    ready_.notify_one();
  }

  bool Take(uint8_t* byte) {
    std::unique_lock<std::mutex> lock(mutex_);
    ready_.wait(lock, [this] { return used_ > 0 || closed_; });
    if (used_ == 0) return false;
    *byte = ring_[head_];
    head_ = (head_ + 1) % ring_.size();
    --used_;
    return true;
  }

  size_t peak() const { return peak_; }
  size_t dropped() const { return dropped_; }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<uint8_t> ring_;
  size_t head_ = 0;
  size_t used_ = 0;
  size_t peak_ = 0;
  size_t dropped_ = 0;
  bool closed_ = false;
};

void WriteOut(void*, const uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t count = write(STDOUT_FILENO, data, size);
    if (count <= 0) _exit(0);  // the host has hung up
    data += count;
    size -= static_cast<size_t>(count);
  }
}

bool Set(FakeApplication::Options* options, const std::string& name,
         long value) {
  if (name == "height") {
    options->height = static_cast<uint16_t>(value);
  } else if (name == "width") {
    options->width = static_cast<uint16_t>(value);
  } else if (name == "channels") {
    options->channels = static_cast<uint16_t>(value);
  } else if (name == "classes") {
    options->classes = static_cast<uint16_t>(value);
  } else if (name == "receive_bytes") {
    options->receive_bytes = static_cast<uint32_t>(value);
  } else if (name == "row_microseconds") {
    options->row_microseconds = static_cast<int>(value);
  } else if (name == "fail_at_row") {
    options->fail_at_row = static_cast<int>(value);
  } else if (name == "fail_begin") {
    options->fail_begin = static_cast<int>(value);
  } else if (name == "faults") {
    options->faults = static_cast<int>(value);
  } else if (name == "engine") {
    options->engine = static_cast<uint8_t>(value);
  } else if (name == "model") {
    options->model = static_cast<uint8_t>(value);
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  FakeApplication::Options options;
  for (int i = 1; i < argc; ++i) {
    const char* equals = std::strchr(argv[i], '=');
    if (equals == nullptr ||
        !Set(&options,
             std::string(argv[i], static_cast<size_t>(equals - argv[i])),
             std::atol(equals + 1))) {
      std::fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
  }
  FakeApplication application(options, WriteOut, nullptr);
  squeeze::link::DeviceLink link;
#if SQUEEZE_INSPECT
  const auto interface = watched::Wrap(application.Interface());
#else
  const auto interface = application.Interface();
#endif
  if (!link.Init(application.Info(), interface)) {
    std::fprintf(stderr, "refused\n");
    return 3;
  }
#if SQUEEZE_INSPECT
  watched::Attach(&link);
#endif
  Receiver receiver(options.receive_bytes);
  std::thread interrupt([&receiver] {
    uint8_t bytes[4096];
    for (;;) {
      const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
      if (count <= 0) break;
      for (ssize_t i = 0; i < count; ++i) receiver.Put(bytes[i]);
    }
    receiver.Close();
  });
  uint8_t byte;
  while (receiver.Take(&byte)) link.OnByte(byte);
  interrupt.join();
  std::fprintf(stderr, "peak=%zu dropped=%zu\n", receiver.peak(),
               receiver.dropped());
  return 0;
}
