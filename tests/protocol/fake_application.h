// An application for tests of the link: its "network" is a hash of the rows,
// so that any byte lost, doubled, changed or moved changes the answer. The
// same function in Python: fake_answer() in link_binaries.py.
#ifndef TESTS_PROTOCOL_FAKE_APPLICATION_H_
#define TESTS_PROTOCOL_FAKE_APPLICATION_H_

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "protocol/device_link.h"

class FakeApplication {
 public:
  struct Options {
    uint16_t height = 4;
    uint16_t width = 3;
    uint16_t channels = 1;
    uint16_t classes = 10;
    uint32_t receive_bytes = 2048;
    int row_microseconds = 0;  // a slow engine
    int fail_at_row = -1;      // push_row returns kFailure there
    int fail_begin = 0;        // begin_image returns it
    uint8_t model = 0x5A;         // every byte of the model's SHA-256
    uint8_t engine = 0xE5;        // and of the engine model's
    int faults = 0;               // it has restarted after that many
  };
  static constexpr uint8_t kFailure = 42;

  FakeApplication(const Options& options,
                  void (*write)(void*, const uint8_t*, size_t), void* sink)
      : options_(options),
        write_(write),
        sink_(sink),
        row_(static_cast<size_t>(options.width) * options.channels),
        sha_(32, options.model),
        engine_sha_(32, options.engine),
        fault_{static_cast<uint32_t>(options.faults), 0x102, 3, 0x08001234, 0x08005679,
               0x20000700, 0x10000, 0x40000000, 0, 0},
        logits_(options.classes),
        probabilities_(options.classes) {}

  squeeze::link::DeviceInfo Info() const {
    squeeze::link::DeviceInfo info = {};
    info.board = "fake";
    info.model_sha256 = sha_.data();
    info.height = options_.height;
    info.width = options_.width;
    info.channels = options_.channels;
    info.classes = options_.classes;
    info.receive_bytes = options_.receive_bytes;
    info.arena_bytes = 1000;
    info.static_sram_bytes = 2000;
    info.sram_total_bytes = 131072;
    info.flash_used_bytes = 3000;
    info.flash_total_bytes = 1048576;
    info.counter_kind = squeeze::link::CounterKind::kCycles;
    info.counter_hz = 168000000;
    info.build_id = kBuildId;
    info.engine_sha256 = engine_sha_.data();
    info.reset_cause = options_.faults > 0 ? squeeze::link::ResetCause::kFault
                                           : squeeze::link::ResetCause::kPowerOn;
    info.features = 0;
    if (options_.faults > 0)
      info.last_fault = {reinterpret_cast<const uint8_t*>(fault_), sizeof fault_};
    return info;
  }

  squeeze::link::Application Interface() {
    squeeze::link::Application a = {};
    a.context = this;
    a.row = row_.data();
    a.begin_image = [](void* c) { return Self(c).Begin(); };
    a.push_row = [](void* c, const int8_t* row) { return Self(c).Push(row); };
    a.done = [](void* c) { return Self(c).rows_ == Self(c).options_.height; };
    a.logits = [](void* c) { return AsBlob(Self(c).logits_); };
    a.probabilities = [](void* c) { return AsBlob(Self(c).probabilities_); };
    a.cost = [](void* c) {
      return squeeze::link::Cost{Self(c).hash_, 2000 + 77, 77};
    };
    a.write = [](void* c, const uint8_t* data, size_t size) {
      Self(c).write_(Self(c).sink_, data, size);
    };
    a.dropped = [](void*) { return uint32_t{3}; };
    return a;
  }

 private:
  static constexpr uint8_t kBuildId[8] = {0xB1, 0xD0, 2, 3, 4, 5, 6, 7};

  static FakeApplication& Self(void* context) {
    return *static_cast<FakeApplication*>(context);
  }
  static squeeze::link::Blob AsBlob(const std::vector<uint8_t>& bytes) {
    return {bytes.data(), bytes.size()};
  }

  // FNV-1a, 64 bits.
  void Mix(uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001B3u; }

  uint8_t Begin() {
    rows_ = 0;
    hash_ = 0xCBF29CE484222325u;
    return static_cast<uint8_t>(options_.fail_begin);
  }

  uint8_t Push(const int8_t* row) {
    if (rows_ == options_.fail_at_row) return kFailure;
    for (size_t i = 0; i < row_.size(); ++i) Mix(static_cast<uint8_t>(row[i]));
    ++rows_;
    if (options_.row_microseconds > 0) {
      std::this_thread::sleep_for(
          std::chrono::microseconds(options_.row_microseconds));
    }
    if (rows_ == options_.height) Finish();
    return 0;
  }

  void Finish() {
    const uint64_t answer = hash_;
    for (auto* out : {&logits_, &probabilities_}) {
      for (auto& value : *out) {
        Mix(1);
        value = static_cast<uint8_t>(hash_ >> 56);
      }
    }
    hash_ = answer;
  }

  Options options_;
  void (*write_)(void*, const uint8_t*, size_t);
  void* sink_;
  std::vector<int8_t> row_;
  std::vector<uint8_t> sha_;
  std::vector<uint8_t> engine_sha_;
  uint32_t fault_[10];
  std::vector<uint8_t> logits_;
  std::vector<uint8_t> probabilities_;
  int rows_ = 0;
  uint64_t hash_ = 0;
};

#endif  // TESTS_PROTOCOL_FAKE_APPLICATION_H_
