// Measures one inference of the model it is built with and prints the figures, line by line; `end` is the
// last. It starts by itself and hears nothing meanwhile, so under an emulator every boot gives the same
// numbers. After that it prints them again for each byte that comes. A line is a label and decimal numbers:
//   unit instructions|cycles|microseconds   of all counts
//   step S            the counter's: total is exact to it, and `layer` on average
//   status S          of the engine; not 0: it took the model or a row for wrong, and no figures follow
//   total C           the whole inference: Begin() and every PushRow(), in one interval
//   layer I C         of a second inference: what layer I took
//   arena B           bytes of the engine's memory
//   stack B R         deepest use during the first inference, and the reserve
//   logits N CRC      how many there are, and the CRC-32 of them
#include <stddef.h>
#include <stdint.h>

#include "app/inference.h"
#include "bench/pseudo_image.h"
#include "bench/unit_line.h"
#include "board.h"
#include "common/marks.h"
#include "common/text.h"
#include "engine/crc32.h"
#include "model_settings.h"

// What is under way, for those who count from outside: host_tools/cycles/marks.py has the same.
//   0 none of these   1 the whole inference   2 a second one, between its layers   3 + I layer I
BOARD_MARKS(131);

namespace {

static_assert(app::kMaxLayers == 128);

// Charges what the counter sees during a layer's steps to that layer.
class Profile {
 public:
  static void Observe(void* context, int layer, bool begins) {
    if (layer >= app::kMaxLayers) return;  // the host misses it
    board::Mark(0);
    Profile& profile = *static_cast<Profile*>(context);
    if (begins) {
      profile.since_ = board::Counter();
      board::Mark(3 + layer);
    } else {
      profile.spent_[layer] += board::Counter() - profile.since_;
      ++profile.steps_[layer];
      board::Mark(2);
    }
  }

  // Measures what the observer itself takes, many times: a coarse counter is right only on average.
  void Calibrate() {
    for (uint32_t i = 0; i < kTries; ++i) {
      Observe(this, 0, true);
      Observe(this, 0, false);
    }
    empty_ = spent_[0];
    spent_[0] = 0;
    steps_[0] = 0;
  }

  // Without what the observer took.
  uint64_t Layer(int layer) const {
    const uint64_t own = steps_[layer] * empty_ / kTries;
    return spent_[layer] > own ? spent_[layer] - own : 0;
  }

 private:
  static constexpr uint32_t kTries = 256;
  uint64_t spent_[app::kMaxLayers];
  uint64_t steps_[app::kMaxLayers];
  uint64_t since_;
  uint64_t empty_;  // of kTries steps without work
};

struct Figures {
  app::Status status;
  uint64_t total;
  uint32_t stack;
  uint32_t crc;
};

Profile g_profile;
Figures g_figures;

app::Status Infer() {
  const app::Bytes model = app::Model();
  app::Begin();
  app::Status status = app::kOk;
  for (uint32_t row = 0; row < MODEL_INPUT_HEIGHT && status == app::kOk; ++row) {
    const uint32_t at = bench::RowOffset(row, MODEL_ROW_BYTES, static_cast<uint32_t>(model.size));
    status = app::PushRow(reinterpret_cast<const int8_t*>(model.data + at));
  }
  return status;
}

uint64_t EmptyInterval() {
  const uint64_t start = board::Counter();
  return board::Counter() - start;
}

void Measure() {
  g_figures.status = app::Load();
  if (g_figures.status != app::kOk) return;
  const uint64_t empty = EmptyInterval();
  const uint64_t start = board::Counter();
  board::Mark(1);
  g_figures.status = Infer();
  board::Mark(0);
  const uint64_t spent = board::Counter() - start;
  g_figures.total = spent > empty ? spent - empty : 0;
  g_figures.stack = board::MemoryUse().stack_used;
  if (g_figures.status != app::kOk) return;
  g_profile.Calibrate();
  app::Observe(Profile::Observe, &g_profile);
  board::Mark(2);
  g_figures.status = Infer();
  board::Mark(0);
  const app::Bytes logits = app::Logits();
  g_figures.crc = squeeze::Crc32(0, logits.data, logits.size);
}

void Report() {
  board::PrintLine(bench::UnitLine());
  board::PrintLine("step", board::CounterStep());
  board::PrintLine("status", g_figures.status);
  if (g_figures.status == app::kOk) {
    board::PrintLine("total", g_figures.total);
    for (int i = 0; i < app::LayerCount() && i < app::kMaxLayers; ++i) {
      board::PrintLine("layer", i, g_profile.Layer(i));
    }
    board::PrintLine("arena", app::ArenaBytes());
    board::PrintLine("stack", g_figures.stack, board::MemoryUse().stack_reserve);
    board::PrintLine("logits", app::Logits().size, g_figures.crc);
  }
  board::PrintLine("end");
}

}  // namespace

int main() {
  board::Init();
  Measure();
  for (;;) {
    Report();
    uint8_t byte;
    while (board::UartRead(&byte, 1) == 0) board::WaitForInterrupt();
  }
}
