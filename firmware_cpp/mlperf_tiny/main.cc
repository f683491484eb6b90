// The firmware for the runner of MLPerf Tiny: CMake's PROTOCOL=mlperf_tiny, in place of app/main.cc. The same
// engine and board; images come whole, as hexadecimal digits, and the board tells the time itself.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "app/inference.h"
#include "board.h"
#include "mlperf_tiny/commands.h"
#include "model_settings.h"

namespace {

constexpr size_t kInputBytes = size_t{MODEL_INPUT_HEIGHT} * MODEL_ROW_BYTES;

// The whole image, which our link does without: bytes as they come, int8 when all have come.
alignas(4) uint8_t g_input[kInputBytes];
app::Status g_model_status;
mlperf_tiny::Commands g_commands;

constexpr bool Has(uint32_t height, uint32_t width, uint32_t channels, uint32_t classes) {
  return MODEL_INPUT_HEIGHT == height && MODEL_INPUT_WIDTH == width && MODEL_INPUT_CHANNELS == channels &&
         MODEL_CLASSES == classes;
}

// The benchmark's models by their shapes; the runner's scripts have an entry for each. Others have a name of
// their own, for an entry that their user writes.
constexpr const char* ModelId() {
  return Has(32, 32, 3, 10) ? "ic01" : Has(96, 96, 3, 2) ? "vww01" : MODEL_NAME;
}

void Loaded(void* /*context*/) {
  for (size_t i = 0; i < kInputBytes; i += MODEL_INPUT_CHANNELS) {
    uint8_t pixel[MODEL_INPUT_CHANNELS];
    memcpy(pixel, g_input + i, sizeof(pixel));
    for (int channel = 0; channel < MODEL_INPUT_CHANNELS; ++channel) {
      g_input[i + static_cast<size_t>(channel)] = static_cast<uint8_t>(model_input(pixel, channel));
    }
  }
}

uint8_t Infer(void* /*context*/) {
  if (g_model_status != app::kOk) return g_model_status;
  app::Begin();
  app::Status status = app::kOk;
  for (size_t at = 0; at < kInputBytes && status == app::kOk; at += MODEL_ROW_BYTES) {
    status = app::PushRow(reinterpret_cast<const int8_t*>(g_input + at));
  }
  return status;
}

const int8_t* Results(void* /*context*/) {
  if (g_model_status != app::kOk || !app::Done()) return nullptr;
  return reinterpret_cast<const int8_t*>(app::Probabilities().data);
}

uint64_t Microseconds(void* /*context*/) { return board::Microseconds(); }

void Write(void* /*context*/, const char* text, size_t size) {
  board::UartWrite(reinterpret_cast<const uint8_t*>(text), size);
}

}  // namespace

int main() {
  board::Init();
  g_model_status = app::Load();
  const mlperf_tiny::Device device = {nullptr,
                                      board::Name(),
                                      ModelId(),
                                      g_input,
                                      kInputBytes,
                                      Loaded,
                                      Infer,
                                      Results,
                                      MODEL_CLASSES,
                                      MODEL_OUTPUT_SCALE,
                                      MODEL_OUTPUT_ZERO_POINT,
                                      Microseconds,
                                      Write};
  g_commands.Init(device);
  // The cycle counter of some chips stands still while the core sleeps, and the timestamps come from it.
  const bool sleeps = board::CounterUnit() != board::CounterKind::kCycles;
  for (;;) {
    uint8_t bytes[64];
    const size_t count = board::UartRead(bytes, sizeof(bytes));
    if (count == 0 && sleeps) board::WaitForInterrupt();
    for (size_t i = 0; i < count; ++i) g_commands.OnByte(bytes[i]);
  }
}
