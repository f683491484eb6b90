// Brings a board up, and tests it: one-letter commands over the UART, answers as lines of text.
//   n            name
//   u            counter: unit, step, rate in Hz
//   c<u32 LE>    runs 2 * n + 1 instructions (and the same few around them); what the counter made of it, and
//                how many bytes the ring took meanwhile
//   t            the counter
//   e<u32 LE>    echoes the n bytes that follow
//   w<u32 LE>    says ready, leaves the n bytes that come then to the ring; its state, as `r`; empties it
//   r            ring: available, free, dropped
//   m            memory: flash used and total, static SRAM, stack used and reserved, SRAM total
//   k<u32 LE>    uses about n bytes of stack
//   x            a sum in floating point (and in vectors, where the CPU has them)
//   s<u32 LE>    runs c's instructions on both cores at once, the second one on 600 bytes of stack: whether
//                it answers, what it leaves (n + 14), what the counter made of it; of boards with two cores
//   f            an undefined instruction: the fault handler answers, and restarts
//   l            why the program has started, as board.h's ResetCause, and how many faults were kept
//   0 (a byte)   nothing
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "common/fault_record.h"
#include "common/text.h"
#include "cpu.h"
#if SQUEEZE_CORES == 2
#include "second_core.h"
#endif

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif

namespace {

using board::PrintLine;

void ReadExactly(uint8_t* out, size_t size) {
  while (size > 0) {
    const size_t count = board::UartRead(out, size);
    if (count == 0) board::WaitForInterrupt();
    out += count;
    size -= count;
  }
}

uint32_t ReadNumber() {
  uint8_t bytes[4];
  ReadExactly(bytes, sizeof(bytes));
  return bytes[0] | static_cast<uint32_t>(bytes[1]) << 8 | static_cast<uint32_t>(bytes[2]) << 16 |
         static_cast<uint32_t>(bytes[3]) << 24;
}

void CountSpin(uint32_t iterations) {
  const size_t waiting = board::UartAvailable();
  const uint64_t start = board::Counter();
  cpu::Spin(iterations);
  const uint64_t spent = board::Counter() - start;
  PrintLine("count", spent, board::UartAvailable() - waiting);
}

void Echo(uint32_t size) {
  uint8_t chunk[64];
  while (size > 0) {
    const size_t count = size < sizeof(chunk) ? size : sizeof(chunk);
    ReadExactly(chunk, count);
    board::UartWrite(chunk, count);
    size -= static_cast<uint32_t>(count);
  }
}

uint32_t FloatingSum() {
  volatile float half = 0.5f;
  float sum = 0.0f;
  for (int i = 0; i < 8; ++i) sum += half * static_cast<float>(i);
  uint32_t result = static_cast<uint32_t>(sum);
#if defined(__ARM_FEATURE_MVE)
  result += static_cast<uint32_t>(vaddvq_u32(vdupq_n_u32(static_cast<uint32_t>(sum)))) - 4 * result;
#endif
  return result;
}

#if SQUEEZE_CORES == 2
struct Work {
  uint32_t iterations;
  uint32_t result;
};

void RunWork(void* half) {
  Work& work = *static_cast<Work*>(half);
  cpu::UseStack(600);
  cpu::Spin(work.iterations);
  work.result = work.iterations + FloatingSum();
}

void RunOnBoth(uint32_t iterations) {
  static const bool answers = second_core::Launch();
  Work work = {iterations, 0};
  const uint64_t start = board::Counter();
  if (answers) second_core::Start(nullptr, RunWork, &work);
  cpu::Spin(iterations);
  if (answers) second_core::Wait(nullptr);
  PrintLine("second", answers, work.result, board::Counter() - start);
}
#endif

const char* UnitName(board::CounterKind kind) {
  switch (kind) {
    case board::CounterKind::kInstructions:
      return "instructions";
    case board::CounterKind::kCycles:
      return "cycles";
    case board::CounterKind::kMicroseconds:
      break;
  }
  return "microseconds";
}

struct Ring {
  size_t available;
  size_t free;
  uint32_t dropped;
};

Ring ReadRing() { return {board::UartAvailable(), board::UartFree(), board::UartDropped()}; }

void PrintRing(const Ring& ring) { PrintLine("ring", ring.available, ring.free, ring.dropped); }

void Withhold(uint32_t bytes) {
  const uint32_t dropped = board::UartDropped();
  PrintLine("ready");
  while (board::UartAvailable() + (board::UartDropped() - dropped) < bytes) {
  }
  const Ring ring = ReadRing();
  uint8_t byte;
  while (board::UartRead(&byte, 1) != 0) {  // before the answer: what follows that is the next command
  }
  PrintRing(ring);
}

void Obey(uint8_t command) {
  switch (command) {
    case 0:
      return;
    case 'n':
      PrintLine(board::Name());
      return;
    case 'u':
      PrintLine(UnitName(board::CounterUnit()), board::CounterStep(), board::CounterHz());
      return;
    case 'c':
      CountSpin(ReadNumber());
      return;
    case 't':
      PrintLine("counter", board::Counter());
      return;
    case 'e':
      Echo(ReadNumber());
      return;
    case 'w':
      Withhold(ReadNumber());
      return;
    case 'r':
      PrintRing(ReadRing());
      return;
    case 'm': {
      const board::Memory memory = board::MemoryUse();
      PrintLine("memory", memory.flash_used, memory.flash_total, memory.sram_static, memory.stack_used,
                memory.stack_reserve, memory.sram_total);
      return;
    }
    case 'k':
      cpu::UseStack(ReadNumber());
      PrintLine("done");
      return;
    case 'x':
      PrintLine("sum", FloatingSum());
      return;
#if SQUEEZE_CORES == 2
    case 's':
      RunOnBoth(ReadNumber());
      return;
#endif
    case 'l': {
      const board::Fault* fault = board::LastFault();
      PrintLine("reset", static_cast<uint8_t>(board::WhyReset()), fault != nullptr ? fault->faults : 0);
      return;
    }
    case 'f':
      cpu::UndefinedInstruction();
      return;
    default:
      PrintLine("unknown", command);
  }
}

}  // namespace

int main() {
  board::Init();
  for (;;) {
    uint8_t command;
    ReadExactly(&command, 1);
    Obey(command);
  }
}
