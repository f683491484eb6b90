// Why the board has started: a fault that the last run left a record of, or what the chip says. And the
// watchdog, which restarts a program that hangs.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "board.h"
#include "board_config.h"
#include "common/fault_record.h"
#include "common/hooks.h"
#include "common/isr.h"
#include "common/linker_symbols.h"
#include "common/stack.h"
#include "cpu.h"

namespace board {
namespace {

constexpr uint32_t kMark = 0x46415532;
constexpr uint32_t kMostUnheard = 3;

FaultRecord g_last;  // `mark` 0: there was no fault
#ifdef BOARD_WATCHDOG
ResetCause g_chips_cause;
uint32_t g_seconds;
volatile uint32_t g_wraps_left;  // of the counter, until the watchdog is no longer fed
#endif

// Fletcher's idea on words: each one counts, and where it stands. Never 0 of nothing but zeros.
uint32_t CheckOf(const FaultRecord& record) {
  const uint32_t* words = &record.mark;
  uint32_t sum = 1;
  uint32_t sums = 0;
  for (size_t i = 0; i < offsetof(FaultRecord, check) / 4; ++i) {
    sum += words[i];
    sums += sum;
  }
  return sum ^ (sums << 16 | sums >> 16);
}

}  // namespace

bool KeepFault(const Fault& fault) {
  FaultRecord record;
  record.mark = kMark;
  record.unheard = g_last.unheard + 1;
  record.fault = fault;
  record.fault.faults = g_last.fault.faults + 1;
  record.check = CheckOf(record);
  memcpy(linker_stack_limit, &record, sizeof(record));
  return record.unheard <= kMostUnheard;
}

void TakeKeptFault() {
  bool kept = true;
#ifdef BOARD_WATCHDOG
  g_chips_cause = ChipResetCause();
  // A memory with error correction may fault where it is read before anything was written.
  kept = g_chips_cause != ResetCause::kPowerOn;
#endif
  if (kept) memcpy(&g_last, linker_stack_limit, sizeof(g_last));
  if (g_last.mark != kMark || g_last.check != CheckOf(g_last)) memset(&g_last, 0, sizeof(g_last));
  for (uint32_t i = 0; i < kKeptBytes / 4; ++i) linker_stack_limit[i] = kStackPaint;
}

const Fault* LastFault() { return g_last.mark == kMark ? &g_last.fault : nullptr; }

ResetCause WhyReset() {
  if (LastFault() != nullptr) return ResetCause::kFault;
#ifdef BOARD_WATCHDOG
  return g_chips_cause;
#else
  return ResetCause::kUnknown;
#endif
}

void RestartAfterFault() {
#if defined(BOARD_RESTART)
  Restart();
#else
  cpu::SystemReset();
#endif
}

void FeedInFault() {
#ifdef BOARD_WATCHDOG
  WatchdogFeed();
#endif
}

void StartWatchdog(uint32_t seconds) {
#ifdef BOARD_WATCHDOG
  g_seconds = seconds;
  WatchdogStart();
#else
  static_cast<void>(seconds);
#endif
  Working();
}

void Working() {
  g_last.unheard = 0;
#ifdef BOARD_WATCHDOG
  if (g_seconds == 0) return;
  // WrapBody() comes once in 2^24 cycles.
  g_wraps_left = static_cast<uint32_t>(uint64_t{g_seconds} * CounterHz() >> 24) + 1;
  WatchdogFeed();
#endif
}

// The program may be at work for longer than a chip's watchdog can wait: it is fed here, but not for ever.
void WatchdogTick() {
#ifdef BOARD_WATCHDOG
  if (g_wraps_left == 0) return;
  g_wraps_left = g_wraps_left - 1;
  WatchdogFeed();
#endif
}

}  // namespace board
