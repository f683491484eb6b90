// Counter(): 64 bits from a 32-bit source, without the time that interrupt handlers took.
#include <stdint.h>

#include "board.h"
#include "board_config.h"
#include "common/hooks.h"
#include "common/isr.h"
#include "cpu.h"

namespace board {
namespace {

struct State {
  CounterKind kind;
  uint32_t hz;
  uint32_t last;       // the source when it was read last
  uint64_t high;       // its wraps, times its period
  uint64_t isr_ticks;  // between the two reads of the source in RunIsr()
  uint64_t isr_calls;
  uint32_t isr_hidden;  // what those reads do not see of kCalibrations calls: entry, exit, the reads
};
State g_state;

constexpr uint32_t kCalibrations = 16384;  // a power of two; averages the phase of a coarse source

uint32_t Ticks() { return g_state.kind == CounterKind::kCycles ? cpu::CycleCount() : EmulatedTicks(); }

uint32_t Mask() { return g_state.kind == CounterKind::kCycles ? cpu::kCycleCountMask : ~0u; }

uint32_t TicksSince(uint32_t start) { return (Ticks() - start) & Mask(); }

// Interrupts must be off. Sees every wrap because WrapBody() calls it more often than the source wraps.
uint64_t ExtendedTicks() {
  uint32_t now = Ticks();
  const bool wrapped =
      g_state.kind == CounterKind::kCycles ? cpu::CycleCountWrapped(&now, g_state.last) : now < g_state.last;
  if (wrapped) g_state.high += uint64_t{Mask()} + 1;
  g_state.last = now;
  return g_state.high + now;
}

uint32_t SpinTicks(uint32_t iterations) {
  const uint32_t start = EmulatedTicks();
  cpu::Spin(iterations);
  return EmulatedTicks() - start;
}

// True if the emulator's clock advances with the instructions, to the instruction: QEMU with -icount shift=0.
// Again and again, because the wall's clock may agree once: QEMU runs about an instruction a nanosecond.
bool TicksAreInstructions() {
  constexpr uint32_t kIterations = 20000;
  constexpr uint32_t kTicks =
      2 * kIterations * kInstructionsPerTickDenominator / kInstructionsPerTickNumerator;
  constexpr uint32_t kSlack = kInstructionsPerTickNumerator > kInstructionsPerTickDenominator ? 1 : 0;
  constexpr int kRepeats = 8;
  for (int i = 0; i < kRepeats; ++i) {
    const uint32_t measured = SpinTicks(2 * kIterations) - SpinTicks(kIterations);
    if (measured - (kTicks - kSlack) > 2 * kSlack) return false;
  }
  return true;
}

// Ticks of kCalibrations probes, with interrupts or without. The pause between them varies, so that a coarse
// source is met at all of its phases.
uint32_t CalibrationTicks(bool interrupts) {
  const uint32_t start = Ticks();
  for (uint32_t i = 0; i < kCalibrations; ++i) {
    cpu::ProbeInterrupt(interrupts);
    cpu::Spin(1 + i % 32);
  }
  return TicksSince(start);
}

}  // namespace

// Never inlined into a handler: all of them must hide the same number of instructions.
__attribute__((noinline)) void RunIsr(void (*body)()) {
  const uint32_t start = Ticks();
  body();
  g_state.isr_ticks += TicksSince(start);
  ++g_state.isr_calls;
}

void WrapBody() {
  ExtendedTicks();
  WatchdogTick();
}

void CounterInit(unsigned core_hz) {
  EmulatedTicksInit();
  {
    const cpu::InterruptsOff off;
    if (cpu::StartCycleCounter()) {
      g_state.kind = CounterKind::kCycles;
      g_state.hz = core_hz;
    } else if (TicksAreInstructions()) {
      g_state.kind = CounterKind::kInstructions;
      g_state.hz = 0;
    } else {
      g_state.kind = CounterKind::kMicroseconds;
      g_state.hz = 1000000;
    }
  }
  const uint32_t idle = CalibrationTicks(false);
  g_state.isr_ticks = 0;
  const uint32_t busy = CalibrationTicks(true);
  const uint32_t all = busy - idle;
  const uint32_t seen = static_cast<uint32_t>(g_state.isr_ticks);
  g_state.isr_hidden = all > seen ? all - seen : 0;  // a coarse source can round below nothing
  g_state.isr_ticks = 0;
  g_state.isr_calls = 0;
  g_state.last = Ticks();
  cpu::StartWrapTimer();
}

uint64_t Counter() {
  uint64_t ticks;
  {
    const cpu::InterruptsOff off;
    ticks = ExtendedTicks() - g_state.isr_ticks - g_state.isr_calls * g_state.isr_hidden / kCalibrations;
  }
  switch (g_state.kind) {
    case CounterKind::kInstructions:
      return ticks * kInstructionsPerTickNumerator / kInstructionsPerTickDenominator;
    case CounterKind::kMicroseconds:
      return ticks / (kEmulatedTickHz / 1000000);
    case CounterKind::kCycles:
      break;
  }
  return ticks;
}

CounterKind CounterUnit() { return g_state.kind; }

uint32_t CounterStep() {
  if (g_state.kind != CounterKind::kInstructions) return 1;
  return (kInstructionsPerTickNumerator + kInstructionsPerTickDenominator - 1) /
         kInstructionsPerTickDenominator;
}

uint32_t CounterHz() { return g_state.hz; }

#ifdef BOARD_CLOCK
uint64_t Microseconds() {
  uint64_t ticks;
  {
    const cpu::InterruptsOff off;
    ticks = ExtendedTicks();
  }
  const uint64_t hz = g_state.kind == CounterKind::kCycles ? g_state.hz : kEmulatedTickHz;
  return ticks / hz * 1000000 + ticks % hz * 1000000 / hz;
}
#endif

}  // namespace board
