// The firmware: images come row by row over the link, the engine computes, the answers go back.
#include <stddef.h>
#include <stdint.h>

#include "app/identity.h"
#include "app/inference.h"
#include "app/inspected.h"
#include "app/model_shape.h"
#ifdef TEST_FAULT
#include "app/test_fault.h"
#endif
#if APP_UPDATE
#include "app/update.h"
#endif
#include "board.h"
#include "common/fault_record.h"
#include "common/marks.h"
#include "model_settings.h"
#include "protocol/device_link.h"
#include "protocol/wire.h"

// For those who count from outside (host_tools/cycles/marks.py): 1 the work on an image, 0 all else.
BOARD_MARKS(2);

namespace {

static_assert(board::kUartRingBytes >= squeeze::link::MinReceiveBytes(MODEL_ROW_BYTES),
              "the UART's ring cannot hold a row of this model: enlarge kUartRingBytes in boards/board.h");
static_assert(static_cast<int>(board::CounterKind::kInstructions) ==
                  static_cast<int>(squeeze::link::CounterKind::kInstructions) &&
              static_cast<int>(board::CounterKind::kCycles) ==
                  static_cast<int>(squeeze::link::CounterKind::kCycles) &&
              static_cast<int>(board::CounterKind::kMicroseconds) ==
                  static_cast<int>(squeeze::link::CounterKind::kMicroseconds));
static_assert(static_cast<int>(board::ResetCause::kPowerOn) ==
                  static_cast<int>(squeeze::link::ResetCause::kPowerOn) &&
              static_cast<int>(board::ResetCause::kFault) ==
                  static_cast<int>(squeeze::link::ResetCause::kFault));

static_assert(board::kUartBaud == squeeze::link::kDefaultBaud);

alignas(4) int8_t g_row[MODEL_ROW_BYTES];
squeeze::link::DeviceLink g_link;

// What the model was refused for; every image is then refused with it.
app::Status g_model_status;
uint64_t g_count;           // spent on the image under way
uint64_t g_empty_interval;  // what Counter() makes of nothing

// Adds what the counter sees while it lives to g_count.
class Stopwatch {
 public:
  Stopwatch() : start_(board::Counter()) { board::Mark(1); }
  ~Stopwatch() {
    board::Mark(0);
    const uint64_t spent = board::Counter() - start_;
    g_count += spent > g_empty_interval ? spent - g_empty_interval : 0;
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  uint64_t start_;
};

uint64_t MeasureEmptyInterval() {
  g_count = 0;
  { const Stopwatch stopwatch; }
  return g_count;
}

uint32_t SramHighWater(const board::Memory& memory) { return memory.sram_static + memory.stack_used; }

uint8_t BeginImage(void* /*context*/) {
  if (g_model_status != app::kOk) return g_model_status;
  g_count = 0;
  inspected::BeginImage();
  const Stopwatch stopwatch;
  app::Begin();
  return app::kOk;
}

uint8_t PushRow(void* /*context*/, const int8_t* row) {
#ifdef TEST_FAULT
  app::FaultOnPurpose(row);
#endif
  const Stopwatch stopwatch;
  return inspected::PushRow(row);
}

bool Done(void* /*context*/) { return app::Done(); }

squeeze::link::Blob BlobOf(app::Bytes bytes) { return {bytes.data, bytes.size}; }

squeeze::link::Blob Logits(void* /*context*/) { return BlobOf(app::Logits()); }

squeeze::link::Blob Probabilities(void* /*context*/) { return BlobOf(app::Probabilities()); }

squeeze::link::Cost ImageCost(void* /*context*/) {
  const board::Memory memory = board::MemoryUse();
  return {g_count, SramHighWater(memory), memory.stack_used};
}

void Write(void* /*context*/, const uint8_t* data, size_t size) { board::UartWrite(data, size); }

squeeze::link::Blob LastFault() {
  const board::Fault* fault = board::LastFault();
  return {reinterpret_cast<const uint8_t*>(fault), fault != nullptr ? sizeof(*fault) : 0};
}

uint32_t Dropped(void* /*context*/) { return board::UartDropped(); }

uint32_t Speed(void* /*context*/, uint32_t baud, bool change) { return board::UartBaudRate(baud, change); }

// For MayRest(): the counter in coarse ticks. An emulator whose counter has no rate runs an instruction a
// nanosecond.
uint32_t Ticks() { return static_cast<uint32_t>(board::Counter() >> 16); }
uint32_t DoubtTicks() {
  const uint32_t hz = board::CounterHz();
  return squeeze::link::kDoubtSeconds * ((hz != 0 ? hz : 1000000000) >> 16);
}

#if APP_UPDATE
bool Other(void* /*context*/, const squeeze::link::FrameReader& request, squeeze::link::FrameWriter* reply) {
  if (!app::HandleUpload(request, reply)) return false;
  g_link.DropImage();  // the engine may have tried another model
  return true;
}
#endif

squeeze::link::DeviceInfo Describe() {
  const board::Memory memory = board::MemoryUse();
  squeeze::link::DeviceInfo info = {};
  info.board = board::Name();
  info.model_sha256 = app::ModelSha256();
  info.height = app::kModelShape.height;
  info.width = app::kModelShape.width;
  info.channels = app::kModelShape.channels;
  info.classes = app::kModelShape.classes;
  info.receive_bytes = board::kUartRingBytes;
  info.arena_bytes = app::ArenaBytes();
  info.static_sram_bytes = memory.sram_static;
  info.sram_total_bytes = memory.sram_total;
  info.flash_used_bytes = memory.flash_used;
  info.flash_total_bytes = memory.flash_total;
  info.counter_kind = static_cast<squeeze::link::CounterKind>(board::CounterUnit());
  info.counter_hz = board::CounterHz();
  info.build_id = app::BuildId();
  info.engine_sha256 = app::EngineSha256();
  info.reset_cause = static_cast<squeeze::link::ResetCause>(board::WhyReset());
  info.last_fault = LastFault();
  if (board::UartBaudRate(board::kUartBaud, false) != 0) {
    info.features |= static_cast<uint32_t>(squeeze::link::Feature::kSpeed);
  }
#if SQUEEZE_INSPECT
  info.features |= static_cast<uint32_t>(squeeze::link::Feature::kLayers) |
                   static_cast<uint32_t>(squeeze::link::Feature::kProfile);
#endif
#if APP_UPDATE
  info.features |= static_cast<uint32_t>(squeeze::link::Feature::kUpload);
#endif
#if APP_UPDATE_SIGNED
  info.features |= static_cast<uint32_t>(squeeze::link::Feature::kSignedModelsOnly);
#endif
  return info;
}

}  // namespace

int main() {
  board::Init();
  g_empty_interval = MeasureEmptyInterval();
#if APP_UPDATE
  g_model_status = app::LoadNewest();
#else
  g_model_status = app::Load();
#endif
  squeeze::link::Application application = {nullptr,       g_row,     BeginImage, PushRow, Done, Logits,
                                            Probabilities, ImageCost, Write,      Dropped, Speed};
#if APP_UPDATE
  application.other = Other;
#endif
  if (!g_link.Init(Describe(), application)) __builtin_trap();
  inspected::Init(&g_link);
  board::StartWatchdog(app::kLongestWorkSeconds);
  const uint32_t doubt = DoubtTicks();
  for (;;) {
    board::Working();
    uint8_t bytes[64];
    const size_t count = board::UartRead(bytes, sizeof(bytes));
    for (size_t i = 0; i < count; ++i) g_link.OnByte(bytes[i]);
    if (g_link.MayRest(Ticks(), doubt) && count == 0) board::WaitForInterrupt();
#if APP_UPDATE
    app::RestartIfWanted();
#endif
  }
}
