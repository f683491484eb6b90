// What an unused word of the stack holds.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_STACK_H_
#define FIRMWARE_CPP_BOARDS_COMMON_STACK_H_

#include <stdint.h>

namespace board {
constexpr uint32_t kStackPaint = 0xC5C5C5C5;
}

#endif  // FIRMWARE_CPP_BOARDS_COMMON_STACK_H_
