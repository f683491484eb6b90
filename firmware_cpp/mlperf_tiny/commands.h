// The text commands of the benchmark MLPerf Tiny (mlcommons/tiny, benchmark/api): its runner sends an image,
// has the device compute it many times between two timestamps, and reads the answer. docs/mlperf_tiny.md.
//
// A command ends with '%', a reply with the line m-ready. Both are ASCII.
#ifndef FIRMWARE_CPP_MLPERF_TINY_COMMANDS_H_
#define FIRMWARE_CPP_MLPERF_TINY_COMMANDS_H_

#include <stddef.h>
#include <stdint.h>

namespace mlperf_tiny {

// What the commands ask of the rest of the firmware. `context` is handed to every function.
struct Device {
  void* context;
  const char* name;   // of the board: "name" says it
  const char* model;  // the benchmark's word for it, as ic01: "profile" says it

  uint8_t* input;  // room for one image, filled by `db`
  size_t input_bytes;

  // `input` is complete: makes of its bytes what the engine takes, in place.
  void (*loaded)(void* context);

  // Computes `input` once. 0: done; else the engine's status.
  uint8_t (*infer)(void* context);

  // The answer: `classes` int8, each of them (value - zero_point) * scale. Null before there is one.
  const int8_t* (*results)(void* context);
  size_t classes;
  float scale;
  int zero_point;

  // Time since the start, all work included.
  uint64_t (*microseconds)(void* context);

  // Sends bytes to the host; blocks until they are accepted.
  void (*write)(void* context, const char* text, size_t size);
};

class Commands {
 public:
  // The longest command that is taken, without its '%'.
  static constexpr size_t kMostCommand = 80;

  // Says that the device is there. `device` must outlive this object.
  void Init(const Device& device);

  // Takes the next received byte. When it completes a command, carries it out, which blocks.
  void OnByte(uint8_t byte);

 private:
  void Run();
  char* Word();

  void Help();
  void Load();
  void Append(const char* digits);
  void PrintInput();
  void Infer();
  bool Repeat(uint32_t count);
  void Results();
  void Timestamp();

  void Print(const char* text);
  void Print(uint64_t number);
  void PrintThousandths(float value);
  void PrintHex(uint8_t byte);
  void Line(const char* text);
  void Line(const char* text, uint64_t number);
  void Error(const char* text);

  const Device* device_ = nullptr;
  char command_[kMostCommand + 1] = {};
  size_t size_ = 0;
  bool too_long_ = false;
  char* rest_ = nullptr;  // of the command: where the next word may begin
  size_t filled_ = 0;     // bytes of the input
  bool loading_ = false;  // `db load` was sent, and bytes are wanted
};

// `value` in thousandths, to the nearest one and of two to the even one: as C's "%.3f" prints it. What is
// larger than 10^12 counts as 10^12.
int64_t Thousandths(float value);

}  // namespace mlperf_tiny

#endif  // FIRMWARE_CPP_MLPERF_TINY_COMMANDS_H_
