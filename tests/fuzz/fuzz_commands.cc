// libFuzzer's target for MLPerf Tiny's commands: whatever bytes come, nothing outside is touched, and each
// '%' is answered by lines of printable ASCII, the last of them m-ready, and nothing else by anything.
//
// An input is the bytes of the line as they are.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "mlperf_tiny/commands.h"

namespace {

constexpr size_t kInputBytes = 48;
constexpr size_t kClasses = 3;
constexpr int kInferences = 20;  // then the engine refuses, or a command could take hours

void Want(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "fuzz_commands: %s\n", what);
  std::abort();
}

struct Board {
  std::unique_ptr<uint8_t[]> input{new uint8_t[kInputBytes]()};  // of its exact size
  int8_t results[kClasses] = {-128, 0, 127};
  int inferences = 0;
  std::string said;
};

Board& Self(void* board) { return *static_cast<Board*>(board); }

mlperf_tiny::Device DeviceOf(Board* board) {
  mlperf_tiny::Device device = {};
  device.context = board;
  device.name = "fake";
  device.model = "ic01";
  device.input = board->input.get();
  device.input_bytes = kInputBytes;
  device.loaded = [](void*) {};
  device.infer = [](void* b) {
    return static_cast<uint8_t>(++Self(b).inferences % kInferences == 0 ? 9 : 0);
  };
  device.results = [](void* b) -> const int8_t* {
    return Self(b).inferences == 0 ? nullptr : Self(b).results;
  };
  device.classes = kClasses;
  device.scale = 0.00390625f;
  device.zero_point = -128;
  device.microseconds = [](void* b) { return uint64_t{1} << (Self(b).inferences % 64); };
  device.write = [](void* b, const char* text, size_t size) { Self(b).said.append(text, size); };
  return device;
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Board board;
  const mlperf_tiny::Device device = DeviceOf(&board);
  mlperf_tiny::Commands commands;
  commands.Init(device);
  for (size_t i = 0; i < size; ++i) {
    board.said.clear();
    commands.OnByte(data[i]);
    if (data[i] != '%') {
      Want(board.said.empty(), "says something unasked");
      continue;
    }
    Want(board.said == "m-ready\r\n" || EndsWith(board.said, "\r\nm-ready\r\n"), "no m-ready at the end");
    Want(board.said.find("m-ready") == board.said.rfind("m-ready") || board.said.find("e-[Unknown") == 0,
         "more than one m-ready");
    for (const char c : board.said) Want((c >= ' ' && c <= '~') || c == '\r' || c == '\n', "not ASCII");
  }
  return 0;
}
