#include "mlperf_tiny/commands.h"

#include <string.h>

namespace mlperf_tiny {
namespace {

constexpr char kEnd = '%';
constexpr uint32_t kMostCount = 1000000000;
constexpr uint32_t kDefaultCount = 1;
constexpr uint32_t kDefaultWarmups = 10;
constexpr size_t kBytesALine = 8;  // of `db print`
// Runners know the firmware by it; the benchmark's own, whoever made the device.
constexpr char kProfile[] = "ULPMark for tinyML Firmware V0.0.1";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// False: these are not two hexadecimal digits.
bool HexByte(const char* digits, uint8_t* byte) {
  const int high = HexDigit(digits[0]);
  const int low = HexDigit(digits[1]);
  if (high < 0 || low < 0) return false;
  *byte = static_cast<uint8_t>(high << 4 | low);
  return true;
}

bool Is(const char* word, const char* command) { return strcmp(word, command) == 0; }

// A decimal number of at most kMostCount. False: it is none.
bool Number(const char* word, uint32_t* number) {
  if (*word == '\0') return false;
  uint32_t value = 0;
  for (; *word != '\0'; ++word) {
    if (*word < '0' || *word > '9') return false;
    const uint32_t digit = static_cast<uint32_t>(*word - '0');
    if (value > (kMostCount - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *number = value;
  return true;
}

}  // namespace

int64_t Thousandths(float value) {
  uint32_t bits;
  static_assert(sizeof(bits) == sizeof(value));
  memcpy(&bits, &value, sizeof(bits));
  const int exponent = static_cast<int>(bits >> 23 & 0xFF);
  if (exponent == 0) return 0;  // a zero, or less than 10^-37
  // The value is mantissa * 2^-shift.
  const uint64_t thousands = uint64_t{(bits & 0x7FFFFF) | 0x800000} * 1000;
  const int shift = 150 - exponent;
  constexpr int64_t kMost = 1000000000000000;
  int64_t result = kMost;
  if (shift > 40) {
    result = 0;  // thousands is below 2^34: less than a half
  } else if (shift > 0) {
    result = static_cast<int64_t>(thousands >> shift);
    const uint64_t left = thousands & ((uint64_t{1} << shift) - 1);
    const uint64_t half = uint64_t{1} << (shift - 1);
    if (left > half || (left == half && (result & 1) != 0)) ++result;
  } else if (shift > -16) {
    result = static_cast<int64_t>(thousands << -shift);
  }
  if (result > kMost) result = kMost;
  return (bits >> 31) != 0 ? -result : result;
}

void Commands::Init(const Device& device) {
  device_ = &device;
  Line("m-timestamp-mode-performance");
  Timestamp();
  Line("m-init-done");
  Line("m-ready");
}

void Commands::OnByte(uint8_t byte) {
  const char c = static_cast<char>(byte);
  if (c == kEnd) {
    Run();
    size_ = 0;
    too_long_ = false;
    Line("m-ready");
    return;
  }
  if (c < ' ' || c > '~') return;  // line ends of who types by hand, noise
  if (size_ == kMostCommand) {
    too_long_ = true;
    return;
  }
  command_[size_++] = c;
}

void Commands::Run() {
  if (too_long_) {
    Error("The command is longer than 80 characters");
    return;
  }
  command_[size_] = '\0';
  rest_ = command_;
  const char* word = Word();
  if (*word == '\0') return;
  if (Is(word, "name")) {
    Print("m-name-dut-[");
    Print(device_->name);
    Line("]");
  } else if (Is(word, "timestamp")) {
    Timestamp();
  } else if (Is(word, "profile")) {
    Print("m-profile-[");
    Print(kProfile);
    Line("]");
    Print("m-model-[");
    Print(device_->model);
    Line("]");
  } else if (Is(word, "help")) {
    Help();
  } else if (Is(word, "db")) {
    Load();
  } else if (Is(word, "infer")) {
    Infer();
  } else if (Is(word, "results")) {
    Results();
  } else {
    Print("e-[Unknown command: ");
    Print(word);
    Line("]");
  }
}

// The next word of the command, "" at its end. Words have blanks between them.
char* Commands::Word() {
  while (*rest_ == ' ') ++rest_;
  char* const word = rest_;
  while (*rest_ != '\0' && *rest_ != ' ') ++rest_;
  if (*rest_ == ' ') *rest_++ = '\0';
  return word;
}

void Commands::Help() {
  Line(kProfile);
  Line("help            these lines");
  Line("name            the board");
  Line("profile         this benchmark, and the model");
  Line("timestamp       microseconds since the start");
  Line("db load N       N bytes of input follow");
  Line("db HH...        the next bytes of it, two hexadecimal digits each");
  Line("db print [N=16] [OFFSET=0]  N bytes of the input, as the model takes them");
  Line("infer [N=1] [W=10]  computes the input W times, then N times between two timestamps");
  Line("results         the answer again");
}

void Commands::Load() {
  const char* word = Word();
  if (*word == '\0') {
    Error("Command 'db' needs load, print or hexadecimal digits");
  } else if (Is(word, "load")) {
    uint32_t bytes = 0;
    if (!Number(Word(), &bytes) || bytes != device_->input_bytes) {
      Print("e-[Command 'db load': the model takes ");
      Print(device_->input_bytes);
      Line(" bytes]");
      return;
    }
    filled_ = 0;
    loading_ = true;
    Print("m-[Expecting ");
    Print(bytes);
    Line(" bytes]");
  } else if (Is(word, "print")) {
    PrintInput();
  } else {
    Append(word);
  }
}

void Commands::Append(const char* digits) {
  if (!loading_) {
    Error("No 'db load' came before these bytes");
    return;
  }
  const size_t size = strlen(digits);
  if (size % 2 != 0) {
    Error("An odd number of hexadecimal digits");
    return;
  }
  uint8_t byte = 0;
  for (size_t i = 0; i < size; i += 2) {
    if (HexByte(digits + i, &byte)) continue;
    Error("Not a hexadecimal digit");
    return;
  }
  for (size_t i = 0; i < size; i += 2) {
    HexByte(digits + i, &byte);
    device_->input[filled_++] = byte;
    if (filled_ < device_->input_bytes) continue;
    loading_ = false;  // what more there is in this command belongs to no image
    device_->loaded(device_->context);
    Line("m-load-done");
    return;
  }
}

void Commands::PrintInput() {
  uint32_t count = 16;
  uint32_t offset = 0;
  const char* word = Word();
  if (*word != '\0') {
    const char* second = Word();
    if (!Number(word, &count) || (*second != '\0' && !Number(second, &offset))) {
      Error("Command 'db print' takes numbers");
      return;
    }
  }
  const size_t size = device_->input_bytes;
  if (offset > size) offset = static_cast<uint32_t>(size);
  if (count > size - offset) count = static_cast<uint32_t>(size - offset);
  for (uint32_t i = 0; i < count; ++i) {
    Print(i % kBytesALine == 0 ? "m-buffer-" : "-");
    PrintHex(device_->input[offset + i]);
    if (i % kBytesALine == kBytesALine - 1 || i == count - 1) Line("");
  }
}

void Commands::Infer() {
  uint32_t count = kDefaultCount;
  uint32_t warmups = kDefaultWarmups;
  const char* word = Word();
  if (*word != '\0') {
    if (!Number(word, &count) || count == 0) {
      Error("Inference iterations must be a number above 0");
      return;
    }
    word = Word();
    if (*word != '\0' && !Number(word, &warmups)) {
      Error("Inference warmup must be a number");
      return;
    }
  }
  if (loading_ || filled_ < device_->input_bytes) {
    Print("e-[The input has ");
    Print(filled_);
    Print(" bytes, the model takes ");
    Print(device_->input_bytes);
    Line("]");
    return;
  }
  Line("m-warmup-start-", warmups);
  if (!Repeat(warmups)) return;
  Line("m-warmup-done");
  Line("m-infer-start-", count);
  Timestamp();
  if (!Repeat(count)) return;
  Timestamp();
  Line("m-infer-done");
  Results();
}

// False: the engine refused, and the host has been told.
bool Commands::Repeat(uint32_t count) {
  for (; count > 0; --count) {
    const uint8_t status = device_->infer(device_->context);
    if (status == 0) continue;
    Print("e-[The engine refuses: status ");
    Print(status);
    Line("]");
    return false;
  }
  return true;
}

void Commands::Results() {
  const int8_t* const values = device_->results(device_->context);
  if (values == nullptr) {
    Error("No results: 'infer' comes before");
    return;
  }
  Print("m-results-[");
  for (size_t i = 0; i < device_->classes; ++i) {
    if (i > 0) Print(",");
    PrintThousandths(static_cast<float>(values[i] - device_->zero_point) * device_->scale);
  }
  Line("]");
}

void Commands::Timestamp() { Line("m-lap-us-", device_->microseconds(device_->context)); }

void Commands::Print(const char* text) { device_->write(device_->context, text, strlen(text)); }

void Commands::Print(uint64_t number) {
  char digits[20];
  size_t first = sizeof(digits);
  do {
    digits[--first] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  device_->write(device_->context, digits + first, sizeof(digits) - first);
}

void Commands::PrintThousandths(float value) {
  const int64_t thousandths = Thousandths(value);
  const uint64_t size = static_cast<uint64_t>(thousandths < 0 ? -thousandths : thousandths);
  if (thousandths < 0) Print("-");
  Print(size / 1000);
  const char digits[] = {'.', static_cast<char>('0' + size / 100 % 10),
                         static_cast<char>('0' + size / 10 % 10), static_cast<char>('0' + size % 10)};
  device_->write(device_->context, digits, sizeof(digits));
}

void Commands::PrintHex(uint8_t byte) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const char digits[] = {kDigits[byte >> 4], kDigits[byte & 15]};
  device_->write(device_->context, digits, sizeof(digits));
}

void Commands::Line(const char* text) {
  Print(text);
  Print("\r\n");
}

void Commands::Line(const char* text, uint64_t number) {
  Print(text);
  Print(number);
  Print("\r\n");
}

void Commands::Error(const char* text) {
  Print("e-[");
  Print(text);
  Line("]");
}

}  // namespace mlperf_tiny
