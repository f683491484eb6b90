// The line that a fault handler sends: no more than the UART's registers and a few bytes of stack are left to
// it.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_
#define FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_

#include <stdint.h>

#include "common/hooks.h"

namespace fault_text {

inline void Print(const char* text) {
  for (; *text != '\0'; ++text) board::UartPut(static_cast<uint8_t>(*text));
}

inline void Print(const char* label, uint32_t value) {
  Print(label);
  for (int shift = 28; shift >= 0; shift -= 4) {
    board::UartPut(static_cast<uint8_t>("0123456789abcdef"[(value >> shift) & 0xF]));
  }
}

// A zero byte ends whatever frame of the link was under way, so that the line stands alone.
inline void Begin(uint32_t exception) {
  board::UartPut(0);
  Print("\r\nFAULT exception=", exception);
}

inline void End() {
  Print("\r\n");
  board::UartPut(0);
}

// Until somebody has asked, by any bytes, to hear it again.
inline void WaitForBytes() {
  uint8_t byte;
  while (!board::UartPoll(&byte)) {
  }
  while (board::UartPoll(&byte)) {
  }
}

}  // namespace fault_text

#endif  // FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_
