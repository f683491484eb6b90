// What is kept of a fault through the restart after it: in the lowest words of the stack's reserve, which
// start-up does not paint, with a checksum. A stack that was needed so far has overwritten it: then nothing
// is known.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_FAULT_RECORD_H_
#define FIRMWARE_CPP_BOARDS_COMMON_FAULT_RECORD_H_

#include <stdint.h>

namespace board {

// The words of LAST_FAULT (docs/link.md). `flags`: the bits below, and the kind of the CPU from bit 8 on.
struct Fault {
  uint32_t faults;  // since power-on, this one included; of those that were kept
  uint32_t flags;
  uint32_t exception;
  uint32_t pc;
  uint32_t lr;  // of RISC-V: ra
  uint32_t sp;
  uint32_t status[4];  // CFSR, HFSR, MMFAR, BFAR; of RISC-V mtval alone
};

constexpr uint32_t kFaultStackOverflow = 1u << 0;
constexpr uint32_t kFaultPcKnown = 1u << 1;  // and lr
constexpr uint32_t kFaultLrFound = 1u
                                   << 2;  // nothing was pushed: lr is the lowest return address on the stack
constexpr uint32_t kFaultCpuV6m = 0u << 8;  // ARMv6-M, which tells no causes: `status` is 0
constexpr uint32_t kFaultCpuV7m = 1u << 8;  // ARMv7-M and v8-M
constexpr uint32_t kFaultCpuRiscv = 2u << 8;

struct FaultRecord {
  uint32_t mark;
  uint32_t unheard;  // faults in a row without a program that came to its work between them
  Fault fault;
  uint32_t check;  // of all words before it
};

// Bytes of the stack's reserve that start-up leaves alone.
constexpr uint32_t kKeptBytes = 64;
static_assert(sizeof(FaultRecord) <= kKeptBytes);

// Of the fault handler: keeps it. False: so many faults have come without anybody's noticing that a restart
// would only bring the next one.
bool KeepFault(const Fault& fault);

// Of start-up: takes what was kept, and paints the place as the rest of the stack.
void TakeKeptFault();

// Of the fault handler, when it has reported: a restart, where the board can; else returns.
void RestartAfterFault();

// Of the fault handler that does not restart: it lives.
void FeedInFault();

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_FAULT_RECORD_H_
