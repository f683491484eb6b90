// Runs small networks and compares every row of every buffer with what it must be, while interrupts come at
// odd moments. The cases are in memory (case_file.h), where the emulator has put them; tests/kernels makes
// them. Lines:
//   case ID                            before each one
//   differs ID BUFFER ROW AT GOT WANT  the first int8 of a case that is wrong (GOT and WANT plus 128)
//   refused ID STATUS                  the engine did not take it, or ended early
//   missing ID ROWS WANT               so many rows were completed
//   outside ID AT                      a byte outside the arena was written: AT from its start, plus 2^31
//   done CASES ROWS FAILED TICKS       cases, rows compared, cases that failed, interrupts
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bench/case_file.h"
#include "bench/scribbler.h"
#include "board.h"
#include "common/text.h"
#include "engine/engine.h"
#include "engine/model.h"
#include "engine/status.h"

// Memory of the board that no program uses: its memory.ld.
extern "C" const uint8_t linker_spare[];

namespace {

using squeeze::Status;

constexpr uint32_t kGuardBytes = 1024;
constexpr uint32_t kZoneBytes = 256 * 1024;

// Before the arena a guard, then the arena, to the byte behind it a guard.
alignas(16) uint8_t g_zone[kZoneBytes];
squeeze::Model g_model;
squeeze::Engine g_engine;

struct Case {
  uint32_t id;
  const int8_t* maps;
  uint32_t rows;
  bool failed;
};

uint8_t Guard(uint32_t at) { return static_cast<uint8_t>(at * 37 + 101); }

void Compare(void* context, int buffer, int row, const int8_t* data) {
  Case& test = *static_cast<Case*>(context);
  ++test.rows;
  const int8_t* wanted = test.maps;
  for (int i = 0; i < buffer; ++i) wanted += squeeze::RowBytes(g_model.buffer(i)) * g_model.buffer(i).height;
  const uint32_t bytes = squeeze::RowBytes(g_model.buffer(buffer));
  wanted += static_cast<uint32_t>(row) * bytes;
  if (test.failed || memcmp(data, wanted, bytes) == 0) return;
  test.failed = true;
  uint32_t at = 0;
  while (data[at] == wanted[at]) ++at;
  board::PrintLine("differs", test.id, buffer, row, at, data[at] + 128, wanted[at] + 128);
}

Status Infer(const bench::CaseRecord& record, uint8_t* arena, Case* test) {
  Status status = g_engine.Init(g_model, arena, g_model.ArenaBytes());
  if (status != Status::kOk) return status;
  g_engine.SetObserver(Compare, test);
  const int8_t* image = reinterpret_cast<const int8_t*>(&record) + record.image_offset;
  const uint32_t row_bytes = squeeze::RowBytes(g_model.Input());
  for (uint32_t row = 0; row < g_model.Input().height && status == Status::kOk; ++row) {
    status = g_engine.PushRow(image + row * row_bytes);
  }
  return status;
}

// Offsets from the arena's first byte; the guard before it has negative ones.
void CheckGuards(const uint8_t* arena, Case* test) {
  const uint32_t start = static_cast<uint32_t>(arena - g_zone);
  const uint32_t end = start + static_cast<uint32_t>(g_model.ArenaBytes());
  for (uint32_t i = start - kGuardBytes; i < end + kGuardBytes; ++i) {
    if (i == start) i = end;
    if (g_zone[i] == Guard(i)) continue;
    test->failed = true;
    board::PrintLine("outside", test->id, (i - start) + 0x80000000u);
    return;
  }
}

void Run(const bench::CaseRecord& record, Case* test) {
  Status status = g_model.Parse(reinterpret_cast<const uint8_t*>(&record + 1), record.blob_bytes);
  const uint32_t arena_bytes = status == Status::kOk ? static_cast<uint32_t>(g_model.ArenaBytes()) : 0;
  if (arena_bytes + 2 * kGuardBytes + squeeze::kArenaAlignment > kZoneBytes) status = Status::kArenaTooSmall;
  if (status == Status::kOk) {
    // No better aligned than it must be: the zone itself is, to twice that.
    uint8_t* arena = g_zone + kGuardBytes + squeeze::kArenaAlignment;
    const uint32_t start = static_cast<uint32_t>(arena - g_zone);
    for (uint32_t i = 0; i < start + arena_bytes + kGuardBytes; ++i) g_zone[i] = Guard(i);
    memset(arena, static_cast<int>(test->id * 53), arena_bytes);
    status = Infer(record, arena, test);
    CheckGuards(arena, test);
  }
  if (status != Status::kOk) {
    test->failed = true;
    board::PrintLine("refused", test->id, static_cast<uint32_t>(status));
    return;
  }
  uint32_t wanted = 0;
  for (int i = 0; i < g_model.buffer_count(); ++i) wanted += g_model.buffer(i).height;
  if (test->rows != wanted) {
    test->failed = true;
    board::PrintLine("missing", test->id, test->rows, wanted);
  }
}

void RunAll() {
  const auto& header = *reinterpret_cast<const bench::CasesHeader*>(linker_spare);
  const uint8_t* at = linker_spare + sizeof(header);
  const uint32_t count = header.magic == bench::kCasesMagic ? header.count : 0;
  uint32_t rows = 0;
  uint32_t failed = 0;
  bench::StartScribbling();
  for (uint32_t i = 0; i < count; ++i) {
    const auto& record = *reinterpret_cast<const bench::CaseRecord*>(at);
    Case test = {header.first_id + i, reinterpret_cast<const int8_t*>(at + record.maps_offset), 0, false};
    board::PrintLine("case", test.id);
    Run(record, &test);
    rows += test.rows;
    if (test.failed) ++failed;
    at += record.bytes;
  }
  const uint32_t ticks = bench::StopScribbling();
  board::PrintLine("done", count, rows, failed, ticks);
}

}  // namespace

int main() {
  board::Init();
  RunAll();
  for (;;) board::WaitForInterrupt();
}
