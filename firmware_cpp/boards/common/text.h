// Lines of text over the UART: a label, then decimal numbers.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_TEXT_H_
#define FIRMWARE_CPP_BOARDS_COMMON_TEXT_H_

#include <stddef.h>
#include <stdint.h>

#include "board.h"

namespace board {

inline void Print(const char* text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  UartWrite(reinterpret_cast<const uint8_t*>(text), size);
}

inline void Print(uint64_t value) {
  char digits[21];
  size_t first = sizeof(digits) - 1;
  digits[first] = '\0';
  do {
    digits[--first] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  Print(digits + first);
}

template <typename... Values>
void PrintLine(const char* label, Values... values) {
  Print(label);
  ((Print(" "), Print(static_cast<uint64_t>(values))), ...);
  Print("\n");
}

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_TEXT_H_
