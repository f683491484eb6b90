// The first line of what a program here prints: the unit of its counts.
#ifndef FIRMWARE_CPP_BENCH_UNIT_LINE_H_
#define FIRMWARE_CPP_BENCH_UNIT_LINE_H_

#include "board.h"

namespace bench {

inline const char* UnitLine() {
  switch (board::CounterUnit()) {
    case board::CounterKind::kInstructions:
      return "unit instructions";
    case board::CounterKind::kCycles:
      return "unit cycles";
    case board::CounterKind::kMicroseconds:
      break;
  }
  return "unit microseconds";
}

}  // namespace bench

#endif  // FIRMWARE_CPP_BENCH_UNIT_LINE_H_
